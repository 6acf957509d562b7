"""The F1 sheet: every key and what the mouse does, from the one table of commands."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.actions import GESTURES, SPECS, ActionTable, Group, translated
from fmstudio.ui.plain import PlainLabel

_COLUMNS = 3
_SIZE = QSize(960, 640)


class KeyCap(PlainLabel):
    """A key, drawn as one."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setStyleSheet(
            "border: 1px solid palette(mid); border-radius: 4px; padding: 1px 6px;"
            "background: palette(button);"
        )


class ShortcutSheet(QDialog):
    """Keys and mouse on one sheet; stays open beside the work.

    Parameters
    ----------
    actions : ActionTable
    parent : QWidget or None
    """

    def __init__(self, actions: ActionTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._rows: list[tuple[str, QWidget]] = []
        self.setWindowTitle(self.tr("Keys and mouse"))
        self.setModal(False)
        self._field = QLineEdit()
        self._field.setPlaceholderText(self.tr("Find a key or a command"))
        self._field.setAccessibleName(self.tr("Find a key or a command"))
        self._field.setClearButtonEnabled(True)
        self._field.textChanged.connect(self._search)
        self._nothing = PlainLabel(self.tr("Nothing is called that."))
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.hide()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(self._sheet())
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 8)
        column.setSpacing(12)
        column.addWidget(self._field)
        column.addWidget(self._nothing)
        column.addWidget(area, 1)
        self.resize(_SIZE)

    def shown(self) -> tuple[str, ...]:
        """Return what is listed now, as it reads."""
        return tuple(text for text, row in self._rows if not row.isHidden())

    def _sheet(self) -> QWidget:
        """Return the columns with the groups, filled evenly."""
        blocks = [
            (translated(group.value), self._lines(group)) for group in Group if self._lines(group)
        ]
        blocks.append(
            (self.tr("Mouse"), [(translated(g.text), [translated(g.hands)]) for g in GESTURES])
        )
        sheet = QWidget()
        row = QHBoxLayout(sheet)
        row.setContentsMargins(0, 0, 8, 0)
        row.setSpacing(32)
        columns = [QVBoxLayout() for _ in range(_COLUMNS)]
        filled = [0] * _COLUMNS
        for column in columns:
            column.setSpacing(16)
            row.addLayout(column, 1)
        for title, lines in sorted(blocks, key=lambda block: -len(block[1])):
            at = filled.index(min(filled))
            filled[at] += len(lines) + 2
            columns[at].addWidget(self._block(title, lines))
        for column in columns:
            column.addStretch(1)
        return sheet

    def _lines(self, group: Group) -> list[tuple[str, list[str]]]:
        """Return the commands of a group that have keys: name and keys."""
        lines = []
        for action in self._actions.group(group):
            keys = list(self._actions.keys(action.objectName()))
            if keys:
                name = (
                    action.text()
                    if group is Group.CATEGORIES
                    else translated(SPECS[action.objectName()].text)
                )
                lines.append((name.removesuffix("..."), keys))
        return lines

    def _block(self, title: str, lines: list[tuple[str, list[str]]]) -> QWidget:
        """Return a group with its lines."""
        block = QWidget()
        column = QVBoxLayout(block)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        head = PlainLabel(title)
        font = QFont(head.font())
        font.setBold(True)
        head.setFont(font)
        column.addWidget(head)
        for name, keys in lines:
            column.addWidget(self._row(name, keys))
        return block

    def _row(self, name: str, keys: list[str]) -> QWidget:
        """Return a line: what, and by which keys."""
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        label = PlainLabel(name)
        label.setWordWrap(False)
        layout.addWidget(label, 1)
        for key in keys[:2]:
            layout.addWidget(KeyCap(key))
        row.setAccessibleName(f"{name}: {', '.join(keys)}")
        self._rows.append((f"{name} {' '.join(keys)}", row))
        return row

    def _search(self, text: str) -> None:
        """Show the lines that hold a text."""
        for line, row in self._rows:
            row.setVisible(text.lower() in line.lower())
        self._nothing.setVisible(not self.shown())
