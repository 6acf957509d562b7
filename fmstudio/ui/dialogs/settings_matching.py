"""How images are matched: the settings that most people never touch, each with what it does."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.session import MatchSettings
from fmstudio.session_models import ModelItem
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, Choice, Number, Share, heading
from fmstudio.ui.plain import plain_tip
from fmstudio.ui.preferences import FINE_SIDE, LONG_SIDE, THROUGH, K, Preferences

_NAME = int(Qt.ItemDataRole.UserRole)
_ROWS = 5
_ROW_HEIGHT = 24


class MatchingPage(QWidget):
    """Fields that are kept as soon as they change.

    Parameters
    ----------
    preferences : Preferences
    """

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._here: frozenset[str] | None = None
        self._make_fields()
        self._lay_out()
        self._list_networks(self._names_in_use())
        self._show(preferences.match_settings)
        self._connect()

    def _make_fields(self) -> None:
        """Make the fields."""
        self.descriptors = QListWidget()
        self.descriptors.setAccessibleName(self.tr("Networks that are compared"))
        self.descriptors.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.basis_extractor = Choice(self.tr("Network of the basis"))
        self.long_side = Number(self.tr("Working size"), LONG_SIDE, 64, self.tr(" px"))
        self.fine_side = Number(self.tr("Closer look"), FINE_SIDE, 64, self.tr(" px"))
        self.fine_side.setSpecialValueText(self.tr("none"))
        self.edges = QCheckBox(self.tr("Draw masks to the edges in the photo"))
        self.k = Number(self.tr("Basis functions"), K, 10)
        self.through = Number(self.tr("Help by other photos"), THROUGH, 1)
        self.through.setSpecialValueText(self.tr("none"))
        self.map_weight = Share(self.tr("Weight of the map"))
        self.basis = Choice(
            self.tr("Basis"),
            (
                ("feature", self.tr("From the features of the image")),
                ("uniform", self.tr("Of the plain grid")),
            ),
        )
        self.missing = Caption()
        self.reset = QPushButton(self.tr("Reset to the defaults"))
        self.reset.setAutoDefault(False)

    def _rows(self) -> Iterator[tuple[str, QWidget, str]]:
        """Yield the name of each field, the field, and what it does."""
        yield from self._rows_of_looks()
        yield from self._rows_of_the_map()

    def _rows_of_looks(self) -> Iterator[tuple[str, QWidget, str]]:
        """Yield what decides how images are looked at."""
        yield (
            self.tr("Networks compared"),
            self.descriptors,
            self.tr(
                "Patches are alike when these networks see them alike; several agree better than "
                "one, and take longer."
            ),
        )
        yield (
            self.tr("Working size"),
            self.long_side,
            self.tr(
                "Length of the longer side that networks see. More finds smaller parts; twice as "
                "much takes some ten times as long."
            ),
        )
        yield (
            self.tr("Closer look"),
            self.fine_side,
            self.tr(
                "The part of each photo that shows the object is then looked at by itself, at "
                "this length. Finer points and masks for twice the time."
            ),
        )
        yield (
            self.tr("Masks"),
            self.edges,
            self.tr("Where colours change, rather than where patches of the networks end."),
        )
        yield (
            self.tr("Help by other photos"),
            self.through,
            self.tr(
                "A photo that is matched badly is also reached through so many surer ones. Better "
                "points there, for up to twice the time."
            ),
        )

    def _rows_of_the_map(self) -> Iterator[tuple[str, QWidget, str]]:
        """Yield what decides how they are matched."""
        yield (
            self.tr("Basis functions"),
            self.k,
            self.tr(
                "How finely the map can bend. Few keep it smooth and hold on under noise, many "
                "follow detail."
            ),
        )
        yield (
            self.tr("Weight of the map"),
            self.map_weight,
            self.tr(
                "0 takes the most alike patch, wherever it is; 1 trusts only the map of the whole "
                "object."
            ),
        )
        yield (
            self.tr("Basis"),
            self.basis,
            self.tr("Waves that follow the parts of each image, or plain ones, which are faster."),
        )
        yield (
            self.tr("Network of the basis"),
            self.basis_extractor,
            self.tr("Whose view of an image tells its parts apart."),
        )

    def _lay_out(self) -> None:
        """Put the fields in their places, each above what it does."""
        form = QFormLayout()
        form.setHorizontalSpacing(MARGIN)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field, text in self._rows():
            form.addRow(name, field)
            form.addRow("", Caption(text))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(heading(self.tr("Advanced")))
        layout.addWidget(
            Caption(
                self.tr(
                    "The defaults are those that were measured. A change holds from the next "
                    "propagation on; what was proposed before stays."
                )
            )
        )
        layout.addLayout(form)
        layout.addWidget(self.missing)
        layout.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)

    def _connect(self) -> None:
        """Keep what changes."""
        self.descriptors.itemChanged.connect(self._on_ticked)
        for number in (self.long_side, self.fine_side, self.through, self.k, self.map_weight):
            number.valueChanged.connect(self._keep)
        self.edges.toggled.connect(self._keep)
        for choice in (self.basis, self.basis_extractor):
            choice.currentIndexChanged.connect(self._keep)
        self.reset.clicked.connect(self._reset)

    # What is shown

    def show_models(self, models: Sequence[ModelItem]) -> None:
        """List the networks of this machine besides those in use; name those that are not here."""
        self._here = frozenset(model.name for model in models if model.path is not None)
        names = [model.name for model in models if model.path is not None]
        self._list_networks([*names, *self._names_in_use()])
        self._show(self._preferences.match_settings)

    def _names_in_use(self) -> list[str]:
        """Return the networks that are chosen, and those of the defaults."""
        found: list[str] = []
        for settings in (MatchSettings(), self._preferences.match_settings):
            found += [*settings.descriptor_extractors, settings.basis_extractor]
        return found

    def _list_networks(self, names: Sequence[str]) -> None:
        """List networks, each once."""
        with QSignalBlocker(self.descriptors), QSignalBlocker(self.basis_extractor):
            self.descriptors.clear()
            self.basis_extractor.clear()
            for name in dict.fromkeys(names):
                is_here = self._here is None or name in self._here
                text = name if is_here else self.tr("{0} (not on this disk)").format(name)
                item = QListWidgetItem(text, self.descriptors)
                item.setData(_NAME, name)
                item.setToolTip(plain_tip(name))
                item.setSizeHint(QSize(0, _ROW_HEIGHT))
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Unchecked)
                self.basis_extractor.addItem(text, name)
        rows = min(max(self.descriptors.count(), 3), _ROWS)
        self.descriptors.setFixedHeight(_ROW_HEIGHT * rows + 4)

    def _show(self, settings: MatchSettings) -> None:
        """Show settings in the fields."""
        numbers = (self.long_side, self.fine_side, self.through, self.k, self.map_weight)
        others = (self.descriptors, self.edges, self.basis, self.basis_extractor)
        blockers = [QSignalBlocker(field) for field in (*numbers, *others)]
        for item in self._items():
            is_chosen = item.data(_NAME) in settings.descriptor_extractors
            item.setCheckState(Qt.CheckState.Checked if is_chosen else Qt.CheckState.Unchecked)
        self.long_side.setValue(settings.long_side)
        self.fine_side.setValue(settings.fine_side)
        self.through.setValue(settings.through)
        self.edges.setChecked(settings.edges)
        self.k.setValue(settings.k)
        self.map_weight.setValue(settings.map_weight)
        self.basis.choose(settings.basis)
        self.basis_extractor.choose(settings.basis_extractor)
        for blocker in blockers:
            blocker.unblock()
        self._say(settings)

    def _say(self, settings: MatchSettings) -> None:
        """Say what is missing, and enable what has an effect."""
        self.reset.setEnabled(settings != MatchSettings())
        self.basis_extractor.setEnabled(settings.basis == "feature")
        names = dict.fromkeys((*settings.descriptor_extractors, settings.basis_extractor))
        absent = [name for name in names if self._here is not None and name not in self._here]
        text = self.tr("Not on this disk: {0}. Get it under Models before you propagate.")
        self.missing.setText(text.format(", ".join(absent)) if absent else "")
        self.missing.setVisible(bool(absent))

    def _items(self) -> list[QListWidgetItem]:
        """Return the rows of the networks that are compared."""
        return [self.descriptors.item(row) for row in range(self.descriptors.count())]

    # What a person chooses

    def tick(self, name: str, is_ticked: bool) -> None:
        """Choose a network to compare with, or choose it no longer."""
        for item in self._items():
            if item.data(_NAME) == name:
                state = Qt.CheckState.Checked if is_ticked else Qt.CheckState.Unchecked
                item.setCheckState(state)

    def _on_ticked(self, item: QListWidgetItem) -> None:
        """Keep the networks that are compared; the last one cannot be taken away."""
        if not self._ticked():
            with QSignalBlocker(self.descriptors):
                item.setCheckState(Qt.CheckState.Checked)
        self._keep()

    def _ticked(self) -> tuple[str, ...]:
        """Return the networks that are ticked, in the order of the list."""
        return tuple(
            str(item.data(_NAME))
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        )

    def _keep(self) -> None:
        """Keep what the page says."""
        settings = replace(
            self._preferences.match_settings,
            basis_extractor=self.basis_extractor.key,
            descriptor_extractors=self._ticked(),
            long_side=self.long_side.value(),
            fine_side=self.fine_side.value(),
            edges=self.edges.isChecked(),
            through=self.through.value(),
            k=self.k.value(),
            basis=self.basis.key,
            map_weight=self.map_weight.value(),
        )
        self._preferences.match_settings = settings
        self._say(settings)

    def _reset(self) -> None:
        """Take the defaults again."""
        self._preferences.match_settings = MatchSettings()
        self._show(MatchSettings())
