"""Choose what is carried where, and start."""

from PySide6.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.model import Annotation, Project, Status
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, heading
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.plain import PlainLabel

_ID = int(Qt.ItemDataRole.UserRole)
_SCOPES = ("unlabelled", "all", "selected")
_THUMBNAIL = 40
_ROW = 48
# A few are found by eye.
_FEW = 6


class PropagateDialog(QDialog):
    """References on top, targets below, and one button that says what it does.

    Parameters
    ----------
    controller : Controller
    selected_ids : tuple of int
        Images that are selected in the list.
    parent : QWidget or None
    thumbnails : Thumbnails or None
        Pictures of the references; None shows their names only.
    is_running : bool
        Whether a propagation is under way, which this one would end.
    """

    startRequested = Signal(object, object)
    """Ids of the references, ids of the targets."""

    def __init__(
        self,
        controller: Controller,
        selected_ids: tuple[int, ...],
        parent: QWidget | None = None,
        *,
        thumbnails: Thumbnails | None = None,
        is_running: bool = False,
    ) -> None:
        super().__init__(parent)
        self._controller, self._selected = controller, selected_ids
        self._is_running = is_running
        self._ticked: set[int] = set()
        self._found: dict[str, tuple[int, ...]] = {}
        self.setWindowTitle(self.tr("Propagate"))
        self.setMinimumSize(420, 420)
        self.resize(460, 480)
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search the references"))
        self.search.setAccessibleName(self.tr("Search the references"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self._list = self._make_list(thumbnails)
        self._scope = QButtonGroup(self)
        self._reason = Caption()
        self._start = QPushButton(self)
        self._start.setDefault(True)
        self._start.clicked.connect(self._on_start)
        self._lay_out()
        self._fill()
        self._list.itemChanged.connect(self._on_ticked)
        self._scope.idClicked.connect(self._update)
        controller.projectChanged.connect(self._on_project)
        controller.sessionChanged.connect(self.reject)

    # The parts

    def _make_list(self, thumbnails: Thumbnails | None) -> QListWidget:
        """Return the empty list of references."""
        rows = QListWidget(self)
        rows.setAccessibleName(self.tr("References"))
        rows.setUniformItemSizes(True)
        rows.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.setMinimumHeight(2 * _ROW)
        rows.setItemDelegate(_ReferenceDelegate(self._controller, thumbnails, rows))
        if thumbnails is not None:
            rows.setIconSize(QSize(_THUMBNAIL, _THUMBNAIL))
            # Not `update`: Qt would pass it the key.
            thumbnails.arrived.connect(self._on_arrived)
        return rows

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self._start, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(heading(self.tr("Carry what is accepted on")))
        layout.addWidget(self.search)
        layout.addWidget(self._list, 1)
        self._votes = PlainLabel(self)
        layout.addWidget(self._votes)
        layout.addSpacing(GAP)
        layout.addWidget(heading(self.tr("to")))
        for index, scope in enumerate(_SCOPES):
            button = QRadioButton(self)
            button.setProperty("scope", scope)
            self._scope.addButton(button, index)
            layout.addWidget(button)
        layout.addWidget(self._reason)
        layout.addWidget(buttons)

    # What is chosen

    @property
    def references(self) -> tuple[int, ...]:
        """Return the ids of the images that are ticked, in the order of the list."""
        return tuple(sorted(self._ticked))

    @property
    def scope(self) -> str:
        """Return "unlabelled", "all" or "selected"."""
        return _SCOPES[max(self._scope.checkedId(), 0)]

    def choose(self, scope: str) -> None:
        """Choose the targets."""
        self._scope.button(_SCOPES.index(scope)).setChecked(True)
        self._update()

    def targets(self) -> tuple[int, ...]:
        """Return the ids of the images that would be carried to."""
        return self._targets_of(self.scope)

    def _targets_of(self, scope: str) -> tuple[int, ...]:
        """Return the ids of the images that a choice means; a reference is never one."""
        return tuple(i for i in self._found.get(scope, ()) if i not in self._ticked)

    # What is shown

    def _fill(self) -> None:
        """List the images with accepted work; the reference on the canvas is ticked."""
        session = self._controller.session
        if session is None:
            return
        project = session.project
        ids = sorted(
            {a.image_id for a in project.annotations.values() if a.status is Status.ACCEPTED}
        )
        self._ticked &= set(ids)
        if not self._ticked and ids:
            shown = self._controller.reference_id
            self._ticked = {shown if shown in ids else ids[0]}
        for image_id in ids:
            item = QListWidgetItem(project.images[image_id].file_name)
            item.setData(_ID, image_id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            is_ticked = image_id in self._ticked
            item.setCheckState(Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked)
            self._list.addItem(item)
            if is_ticked and len(self._ticked) == 1:
                self._list.setCurrentItem(item)
        self.search.setVisible(len(ids) > _FEW)
        selected = tuple(i for i in self._selected if i in project.images)
        self._found = {
            "unlabelled": session.targets("unlabelled"),
            "all": session.targets("all"),
            "selected": selected,
        }
        # One selected image is only the one that is looked at.
        self.choose("selected" if len(selected) > 1 else "unlabelled")

    def _on_project(self) -> None:
        """List anew what an edit has changed; what was chosen stays chosen."""
        scope = self.scope
        self._list.blockSignals(True)
        self._list.clear()
        self._fill()
        self._list.blockSignals(False)
        self._filter(self.search.text())
        self.choose(scope)

    def _on_arrived(self) -> None:
        """Draw a thumbnail that has come."""
        self._list.viewport().update()

    def _filter(self, text: str) -> None:
        """Show the references whose name holds a text, and those that are ticked."""
        wanted = text.strip().casefold()
        for row in range(self._list.count()):
            item = self._list.item(row)
            is_ticked = item.checkState() == Qt.CheckState.Checked
            item.setHidden(not is_ticked and wanted not in item.text().casefold())

    def _on_ticked(self, item: QListWidgetItem) -> None:
        """Take a reference, or take it no longer."""
        image_id = int(item.data(_ID))
        if item.checkState() == Qt.CheckState.Checked:
            self._ticked.add(image_id)
        else:
            self._ticked.discard(image_id)
        self._update()

    def _update(self) -> None:
        """Say how many images each choice means, and whether it can start."""
        texts = {
            "unlabelled": self.tr("images with nothing yet ({0})"),
            "all": self.tr("all other images ({0})"),
            "selected": self.tr("the selected images ({0})"),
        }
        for button in self._scope.buttons():
            scope = str(button.property("scope"))
            button.setText(texts[scope].format(f"{len(self._targets_of(scope)):,}"))
            button.setEnabled(scope != "selected" or bool(self._found.get(scope)))
        count, n_references = len(self.targets()), len(self._ticked)
        self._votes.setText(
            self.tr("{0}; where they differ, they vote.").format(counted(n_references, "reference"))
        )
        self._votes.setVisible(n_references > 1)
        if not self._list.count():
            reason = self.tr("Accept a keypoint or a mask on one image first.")
        elif not n_references:
            reason = self.tr("Tick at least one reference.")
        elif not count:
            reason = self.tr("No image is left to carry to.")
        elif self._is_running:
            reason = self.tr("This ends the run that is under way; what it has brought is kept.")
        else:
            reason = self.tr("Reviewed work stays as it is.")
        self._reason.setText(reason)
        self._start.setEnabled(n_references > 0 and count > 0)
        self._start.setText(self.tr("Propagate to {0}").format(counted(count, "image")))

    def _on_start(self) -> None:
        """Ask for the run, and close."""
        self.startRequested.emit(self.references, self.targets())
        self.accept()


class _ReferenceDelegate(QStyledItemDelegate):
    """Rows of references: picture, name, and below it what is carried from there.

    Asked for when a row is painted, so a long list costs no more than what is seen of it.
    """

    def __init__(
        self, controller: Controller, thumbnails: Thumbnails | None, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._controller, self._thumbnails = controller, thumbnails

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Add to a row what its item does not hold."""
        super().initStyleOption(option, index)
        project, image_id = self._controller.project, int(index.data(_ID))
        if project is None or image_id not in project.images:
            return
        # A row's text breaks at Unicode's sign for it only.
        option.text = f"{index.data()}\u2028{content_of(project, image_id)}"
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        if self._thumbnails is None:
            return
        pixmap = self._thumbnails.pixmap(project.images[image_id])
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
        option.decorationSize = QSize(_THUMBNAIL, _THUMBNAIL)
        if pixmap is not None and not pixmap.isNull():
            option.icon = QIcon(pixmap)

    def sizeHint(
        self,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QSize:
        """Return room for two lines."""
        return QSize(super().sizeHint(option, index).width(), _ROW)


def content_of(project: Project, image_id: int) -> str:
    """Return what is accepted on an image, in words."""
    accepted = [a for a in project.annotations_of(image_id) if a.status is Status.ACCEPTED]
    return ", ".join(_words(project, a) for a in accepted)


def _words(project: Project, annotation: Annotation) -> str:
    """Return what an annotation holds, in words."""
    parts = []
    if annotation.keypoints is not None:
        parts.append(counted(int(annotation.keypoints.labelled.sum()), "keypoint"))
    if annotation.mask is not None:
        parts.append(QCoreApplication.translate("PropagateDialog", "mask"))
    if not parts:
        parts.append(QCoreApplication.translate("PropagateDialog", "box only"))
    return f"{project.categories[annotation.category_id].name} ({', '.join(parts)})"
