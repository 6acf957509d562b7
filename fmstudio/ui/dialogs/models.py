"""Models: which networks there are, under which licence, what is on disk, and getting one."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from fmstudio.session import CancelToken
from fmstudio.session_models import ModelItem, Taken, Verified, list_models, look_up, take, verify
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, link, small_button
from fmstudio.ui.dialogs.model_table import ModelTable
from fmstudio.ui.downloads import Downloads, Ended
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of
from fmstudio.worker.service import EngineService

LANE = "models"
_MB = 1_000_000
_OPEN_LICENCES = ("apache", "mit", "bsd", "cc-by-4", "cc0")


class ModelsDialog(QDialog):
    """A table of networks, what is known of the chosen one, and how to get it.

    Parameters
    ----------
    service : EngineService
    parent : QWidget or None
    downloads : Downloads or None
        Where downloads run; they go on when this dialog is closed. None makes one that does not.
    """

    def __init__(
        self,
        service: EngineService,
        parent: QWidget | None = None,
        *,
        downloads: Downloads | None = None,
    ) -> None:
        super().__init__(parent)
        self._owns_downloads = downloads is None
        self._downloads = downloads or Downloads(self)
        self._running = Running(Tasks(service, self), LANE, self)
        self._looked_up: list[ModelItem] = []
        self.setWindowTitle(self.tr("Models"))
        self.setMinimumSize(560, 480)
        self.resize(680, 520)
        self._build()
        self._lay_out()
        self._connect()
        self._hide_bar()
        self._show_download()
        self._look()

    # The parts

    def _build(self) -> None:
        """Make the widgets."""
        self.table = ModelTable(self)
        self.other = QLineEdit(self)
        self.other.setAccessibleName(self.tr("Another network of timm"))
        self.other.setPlaceholderText(
            self.tr("Another transformer of timm, such as vit_base_patch16_siglip_224")
        )
        self.look_up = small_button(self.tr("Look up"), self)
        self.details = PlainLabel(self)
        self.details.setWordWrap(True)
        self.details.setTextFormat(Qt.TextFormat.RichText)
        self.details.setOpenExternalLinks(True)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.details.setMinimumHeight(72)
        self.place = QLineEdit(self)
        self.place.setAccessibleName(self.tr("Where the weights are"))
        self.place.setReadOnly(True)
        self.place.setFrame(False)
        # A line, so that it can be copied and scrolled; its text stands as the labels do.
        self.place.setStyleSheet("background: transparent; padding: 0; margin-left: -2px;")
        self.agree = QCheckBox(self.tr("I have read this licence"), self)
        self.fetch = small_button("", self)
        self.folder = small_button(self.tr("Use a local folder…"), self)
        self.folder.setToolTip(
            self.tr("Copy the weights from a folder on this machine, once they prove to fit")
        )
        self.check = small_button(self.tr("Verify"), self)
        self.check.setToolTip(self.tr("Compare the file on the disk with its known hash"))
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.stop = small_button(self.tr("Cancel"), self)
        self.stop.setAccessibleName(self.tr("Cancel the download"))
        self.said = PlainLabel(self)
        self.said.setWordWrap(True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setAccessibleName(self.tr("What is happening"))

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        more, ways, state = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        more.addWidget(self.other, 1)
        more.addWidget(self.look_up)
        for button in (self.fetch, self.folder, self.check):
            ways.addWidget(button)
        ways.addStretch(1)
        ways.addWidget(self.buttons)
        state.addWidget(self.bar, 1)
        state.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        offline = self.tr("fmstudio works offline; only the Download button here uses the network.")
        layout.addWidget(Caption(offline))
        layout.addWidget(self.table, 1)
        layout.addLayout(more)
        layout.addSpacing(GAP)
        layout.addWidget(self.details)
        layout.addWidget(self.place)
        layout.addWidget(self.agree)
        layout.addWidget(self.said)
        layout.addLayout(state)
        layout.addLayout(ways)

    def _connect(self) -> None:
        """Connect what the person and the jobs say."""
        self.table.chosenChanged.connect(self._describe)
        self.agree.toggled.connect(self._allow)
        self.look_up.clicked.connect(self._look_up)
        self.other.returnPressed.connect(self._look_up)
        self.fetch.clicked.connect(self._fetch)
        self.folder.clicked.connect(self._ask_for_folder)
        self.check.clicked.connect(self._verify)
        self.stop.clicked.connect(self._cancel)
        self.buttons.rejected.connect(self.reject)
        self._running.stepped.connect(self._on_item)
        self._running.ended.connect(self._allow)
        self._running.stopped.connect(self._on_stopped)
        self._running.failed.connect(self._on_failed)
        self._downloads.changed.connect(self._show_download)
        self._downloads.ended.connect(self._on_download_ended)

    def done(self, result: int) -> None:
        """Close; a download goes on, unless it belongs to this dialog."""
        self._running.stop()
        if self._owns_downloads:
            self._downloads.shut_down()
        super().done(result)

    # The list

    def _look(self) -> None:
        """Have the networks listed."""
        if not self.table.models:
            self.said.setText(self.tr("Looking…"))
        self._run(list_models)

    def _run(self, make: Callable[[CancelToken], object]) -> None:
        """Start a job of this dialog."""
        self._running.start(self.windowTitle(), make)  # type: ignore[arg-type]
        self._allow()

    def _on_item(self, item: object) -> None:
        """Take what a job brings."""
        if isinstance(item, tuple):
            if self.said.text() == self.tr("Looking…"):
                self.said.clear()
            self._list(item)
        elif isinstance(item, ModelItem):
            self.said.clear()
            self._looked_up.append(item)
            self.other.clear()
            self._list(self.table.models, item.name)
        elif isinstance(item, Verified):
            text = self.tr("{0} is whole: SHA-256 {1}.")
            self.said.setText(text.format(item.name, item.sha256))
        elif isinstance(item, Taken):
            self._on_taken(item)

    def _list(self, models: Sequence[ModelItem], choose: str = "") -> None:
        """Show networks, and those that were looked up."""
        listed = {model.name: model for model in models}
        for model in self._looked_up:
            listed.setdefault(model.name, model)
        self.table.show_models(tuple(listed.values()), choose)

    # The chosen one

    def _describe(self) -> None:
        """Say what is known of the chosen network."""
        model = self.table.chosen
        if model is not None:
            licence = escape(self.tr("Licence: {0}").format(model.licence))
            lines = [f"<b>{escape(model.name)}</b>", licence]
            if model.note:
                lines.append(escape(model.note))
            if model.page:
                lines.append(link(model.page, model.page.removeprefix("https://")))
            self.details.setText("<br>".join(lines))
            self.place.setText(self._place(model))
            self.place.setCursorPosition(0)
        self.agree.setChecked(False)
        self._allow()

    def _place(self, model: ModelItem) -> str:
        """Return where a network's weights are."""
        if model.path is not None:
            return str(model.path)
        if model.page:
            return self.tr("Not on this disk.")
        return self.tr("Not here, but it should be {0}.").format(model.source)

    def _allow(self) -> None:
        """Enable what can be done now."""
        model, is_busy = self.table.chosen, self._running.is_busy
        is_absent = model is not None and model.path is None and bool(model.page)
        needs_reading = is_absent and model is not None and _has_own_terms(model)
        self.agree.setVisible(needs_reading)
        may_fetch = is_absent and (not needs_reading or self.agree.isChecked())
        self.fetch.setEnabled(may_fetch and not is_busy and not self._downloads.name)
        self.fetch.setText(self._fetch_text(model))
        self.folder.setEnabled(is_absent and not is_busy)
        self.check.setEnabled(model is not None and model.path is not None and not is_busy)
        self.look_up.setEnabled(not is_busy)

    def _fetch_text(self, model: ModelItem | None) -> str:
        """Return what the download button says."""
        if model is None or model.path is not None or not model.size:
            return self.tr("Download")
        if model.partial:
            left = f"{(model.size - model.partial) / _MB:,.0f}"
            return self.tr("Go on with the download ({0} MB left)").format(left)
        return self.tr("Download {0} MB").format(f"{model.size / _MB:,.0f}")

    # What a person asks for

    def _look_up(self) -> None:
        """Look a network of timm up by its name."""
        name = self.other.text().strip()
        if name and not self._running.is_busy:
            self.said.setText(self.tr("Looking for {0}…").format(name))
            self._run(lambda _token: look_up(name))

    def _verify(self) -> None:
        """Check the weights of the chosen network."""
        model = self.table.chosen
        if model is not None:
            self.said.setText(self.tr("Verifying {0}…").format(model.name))
            name = model.name
            self._run(lambda _token: verify(name))

    def _ask_for_folder(self) -> None:
        """Ask for a folder that holds the weights of the chosen network."""
        title = self.tr("Folder that holds the weights")
        folder = QFileDialog.getExistingDirectory(self, title)
        if folder:
            self.take_from(Path(folder))

    def take_from(self, folder: Path) -> None:
        """Copy the weights of the chosen network from a folder."""
        model = self.table.chosen
        if model is not None:
            name = model.name
            self.said.setText(self.tr("Checking whether the weights fit {0}…").format(name))
            self._run(lambda token: take(name, folder, token))
            self._show_bar(0, 0)

    def _on_taken(self, item: Taken) -> None:
        """Show how far a copy has come."""
        self._show_bar(item.done, item.total)
        if item.path is not None:
            self.said.setText(self.tr("The weights are on this disk now."))
            self._hide_bar()
            self._run(list_models)

    def _on_stopped(self) -> None:
        """Say that a copy was stopped."""
        self.said.setText(self.tr("Stopped."))
        self._hide_bar()
        self._allow()

    def _on_failed(self, error: Exception) -> None:
        """Say why a job failed."""
        self.said.setText(_sentence(error))
        self._hide_bar()
        self._allow()

    # Downloads

    def _fetch(self) -> None:
        """Start the download of the chosen network."""
        model = self.table.chosen
        if model is not None:
            self._downloads.start(model.name)

    def _cancel(self) -> None:
        """Stop the download, or the copy."""
        if self._downloads.name:
            self._downloads.stop()
        else:
            self._running.cancel()

    def _show_download(self) -> None:
        """Show how far the download is."""
        name = self._downloads.name
        if name:
            self.said.setText(f"{name}: {self._downloads.text}")
            self._show_bar(*self._downloads.progress)
        self._allow()

    def _on_download_ended(self, ended: Ended) -> None:
        """Say how the download ended; list what is here now."""
        self._hide_bar()
        self.said.setText(ended.text)
        if not self._running.is_busy:
            self._run(list_models)

    def _show_bar(self, done: int, total: int) -> None:
        """Show progress in bytes; a total of 0 is not known."""
        # Qt's ranges end at 2 GB.
        self.bar.setRange(0, 1000 if total else 0)
        self.bar.setValue(1000 * done // total if total else 0)
        self.bar.show()
        self.stop.show()

    def _hide_bar(self) -> None:
        """Show that nothing is under way."""
        self.bar.hide()
        self.stop.hide()


def _has_own_terms(model: ModelItem) -> bool:
    """Return whether a licence is none of the open ones that need no reading."""
    return bool(model.note) or not model.licence.lower().startswith(_OPEN_LICENCES)


def _sentence(error: Exception) -> str:
    """Return an error as a sentence: those about weights begin small, for the command line."""
    text = sentence_of(error)
    return text[:1].upper() + text[1:]
