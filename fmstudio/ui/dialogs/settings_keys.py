"""Other keys for the commands of the action table; one key never means two commands."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.action_specs import ACTIONS, SPECS, ActionSpec
from fmstudio.ui.actions import translated
from fmstudio.ui.dialogs.fields import GAP, MARGIN, TABLE_SHEET, Caption, small_button
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.preferences import Preferences

_ID = int(Qt.ItemDataRole.UserRole)
# What canvases and dialogs do with these cannot be given to a command.
_TAKEN = (
    "Esc", "Return", "Enter", "Tab", "Left", "Right", "Up", "Down",
    *(f"{with_}+{key}" for with_ in ("Shift", "Alt") for key in ("Left", "Right", "Up", "Down")),
)  # fmt: skip


class KeysPage(QWidget):
    """A table of the commands with their keys, and below it the keys of the chosen one.

    Parameters
    ----------
    preferences : Preferences
    """

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._refused = ""
        self._make_table()
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search commands and keys"))
        self.search.setAccessibleName(self.tr("Search commands and keys"))
        self.search.setClearButtonEnabled(True)
        self.edit = QKeySequenceEdit(self)
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName(self.tr("New key"))
        self.none = small_button(self.tr("No key"), self)
        self.reset = small_button(self.tr("Reset"), self)
        self.reset.setToolTip(self.tr("Give this command the keys it came with"))
        self.reset_all = small_button(self.tr("Reset all"), self)
        self.name = PlainLabel(self)
        self.said = Caption()
        self.take = small_button("", self)
        self._lay_out()
        self.search.textChanged.connect(self._filter)
        self.table.itemSelectionChanged.connect(self._on_chosen)
        self.edit.editingFinished.connect(self._on_pressed)
        self.none.clicked.connect(lambda: self._give(""))
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._reset_all)
        self.take.clicked.connect(self._take)
        self._fill()
        self.table.selectRow(0)

    def _make_table(self) -> None:
        """Make the table of commands."""
        table = QTableWidget(len(ACTIONS), 2, self)
        table.setHorizontalHeaderLabels([self.tr("Command"), self.tr("Keys")])
        table.setAccessibleName(self.tr("Commands and their keys"))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        table.setShowGrid(False)
        table.setStyleSheet(TABLE_SHEET)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.table = table

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.edit, 1)
        for button in (self.none, self.reset, self.reset_all):
            row.addWidget(button)
        conflict = QHBoxLayout()
        conflict.setSpacing(GAP)
        conflict.addWidget(self.said, 1)
        conflict.addWidget(self.take)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(self.search)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.name)
        layout.addLayout(row)
        layout.addLayout(conflict)

    # What is shown

    @property
    def chosen(self) -> ActionSpec:
        """Return the chosen command."""
        return ACTIONS[max(self.table.currentRow(), 0)]

    def choose(self, id_: str) -> None:
        """Choose a command."""
        self.table.selectRow([spec.id for spec in ACTIONS].index(id_))

    def _fill(self) -> None:
        """Write all commands with their keys; those that are not the table's stand out."""
        overrides = self._preferences.key_overrides
        for row, spec in enumerate(ACTIONS):
            keys = keys_of(spec.id, overrides)
            texts = (name_of(spec), ", ".join(_native(key) for key in keys))
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                font = item.font()
                font.setBold(spec.id in overrides)
                item.setFont(font)
                item.setData(_ID, spec.id)
                self.table.setItem(row, column, item)
        self.reset_all.setEnabled(bool(overrides))
        self._say(conflicts_of(overrides))

    def _filter(self, text: str) -> None:
        """Show the commands whose name or keys hold a text."""
        wanted = text.strip().casefold()
        for row, _ in enumerate(ACTIONS):
            cells = [self.table.item(row, column) for column in range(2)]
            texts = [cell.text().casefold() for cell in cells if cell is not None]
            self.table.setRowHidden(row, not any(wanted in found for found in texts))

    def _on_chosen(self) -> None:
        """Show the keys of another command."""
        self._refused = ""
        overrides = self._preferences.key_overrides
        keys = keys_of(self.chosen.id, overrides)
        with QSignalBlocker(self.edit):
            self.edit.setKeySequence(QKeySequence(keys[0]) if keys else QKeySequence())
        self.name.setText(self.tr("Press a key for “{0}”:").format(name_of(self.chosen)))
        self.none.setEnabled(bool(keys))
        self.reset.setEnabled(self.chosen.id in overrides)
        self._say(conflicts_of(overrides))

    def _say(self, text: str, take_from: str = "") -> None:
        """Say what stands in the way, and offer to take a key from a command."""
        self.said.setText(text)
        self.take.setText(self.tr("Take it from “{0}”").format(take_from))
        self.take.setVisible(bool(take_from))

    # What a person asks for

    def press(self, key: str) -> None:
        """Give the chosen command a key, as if it had been pressed."""
        self.edit.setKeySequence(QKeySequence(key))
        self._on_pressed()

    def _on_pressed(self) -> None:
        """Give the chosen command the key that was pressed, unless it is another's."""
        key = self.edit.keySequence().toString()
        overrides = self._preferences.key_overrides
        if not key or key in keys_of(self.chosen.id, overrides):
            return
        if key in _TAKEN:
            text = self.tr("{0} cannot be given away: canvases and dialogs use it.")
            self._say(text.format(_native(key)))
            return
        owner = owner_of(key, overrides)
        if owner is None:
            self._give(key)
            return
        self._refused = key
        name = name_of(owner)
        text = self.tr("{0} is the key of “{1}”. Nothing has changed.")
        self._say(text.format(_native(key), name), name)

    def _take(self) -> None:
        """Take the key from the other command, and give it to the chosen one."""
        overrides = self._preferences.key_overrides
        owner = owner_of(self._refused, overrides)
        if owner is not None:
            rest = [key for key in keys_of(owner.id, overrides) if key != self._refused]
            overrides[owner.id] = ", ".join(rest)
            self._preferences.key_overrides = overrides
        self._give(self._refused)

    def _give(self, keys: str) -> None:
        """Give the chosen command keys, or none."""
        overrides = self._preferences.key_overrides
        if keys == ", ".join(self.chosen.keys):
            overrides.pop(self.chosen.id, None)
        else:
            overrides[self.chosen.id] = keys
        self._keep(overrides)

    def _reset(self) -> None:
        """Give the chosen command the table's keys; what others have taken of them stays there."""
        overrides = self._preferences.key_overrides
        overrides.pop(self.chosen.id, None)
        free = [key for key in self.chosen.keys if _is_free(key, self.chosen.id, overrides)]
        if len(free) < len(self.chosen.keys):
            overrides[self.chosen.id] = ", ".join(free)
        self._keep(overrides)

    def _reset_all(self) -> None:
        """Give all commands the table's keys."""
        self._keep({})

    def _keep(self, overrides: dict[str, str]) -> None:
        """Keep the keys that differ from the table's, and show what holds."""
        self._preferences.key_overrides = overrides
        self._fill()
        self._on_chosen()


def name_of(spec: ActionSpec) -> str:
    """Return what a person calls a command."""
    return translated(spec.text).format(spec.id[-1]).removesuffix("...")


def keys_of(id_: str, overrides: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of a command, as `QKeySequence` writes them for every system."""
    chosen = overrides.get(id_)
    keys = SPECS[id_].keys if chosen is None else tuple(chosen.split(", "))
    return tuple(QKeySequence(key).toString() for key in keys if key)


def owner_of(key: str, overrides: Mapping[str, str]) -> ActionSpec | None:
    """Return the command that has a key, or None."""
    return next((spec for spec in ACTIONS if key in keys_of(spec.id, overrides)), None)


def conflicts_of(overrides: Mapping[str, str]) -> str:
    """Name the keys that two commands have, as a file that was changed by hand can say."""
    seen: dict[str, ActionSpec] = {}
    found = []
    for spec in ACTIONS:
        for key in keys_of(spec.id, overrides):
            other = seen.setdefault(key, spec)
            if other is not spec:
                text = QCoreApplication.translate("KeysPage", "{0} is the key of “{1}” and “{2}”.")
                found.append(text.format(_native(key), name_of(other), name_of(spec)))
    return " ".join(found)


def _is_free(key: str, id_: str, overrides: Mapping[str, str]) -> bool:
    """Return whether no other command has a key."""
    plain = QKeySequence(key).toString()
    return not any(plain in keys_of(spec.id, overrides) for spec in ACTIONS if spec.id != id_)


def _native(key: str) -> str:
    """Return a key as the person's system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
