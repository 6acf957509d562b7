"""The command palette: a few letters of what one wants, Enter, done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QIcon, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.actions import SPECS, ActionTable, translated
from fmstudio.ui.plain import PlainLabel

_Index = QModelIndex | QPersistentModelIndex
_WIDTH, _ROWS, _ROW_HEIGHT = 560, 12, 32
_COMMAND_ROLE = Qt.ItemDataRole.UserRole
_PLACES_ROLE = Qt.ItemDataRole.UserRole + 1

# What a letter of the query is worth where it stands.
_AT_WORD, _IN_ROW, _ANYWHERE = 8, 9, 1


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette."""

    text: str
    run: Callable[[], object]
    group: str = ""
    keys: str = ""
    icon: QIcon | None = None
    is_enabled: bool = True


def fuzzy(query: str, text: str) -> tuple[int, tuple[int, ...]] | None:
    """Return how well letters of a text spell a query, and which letters; None if they do not.

    Letters count in order, with others between them; those at the beginning of words, and those
    that follow one another, count most. Spaces and case count nothing.

    Parameters
    ----------
    query, text : str

    Returns
    -------
    found : (int, tuple of int) or None
        The higher the better, and the places in the text.
    """
    wanted = [letter for letter in query.lower() if not letter.isspace()]
    letters = text.lower()
    # best[j]: score and places of the letters so far, of which the last stands at j.
    best: dict[int, tuple[int, tuple[int, ...]]] = {-1: (0, ())}
    for letter in wanted:
        found: dict[int, tuple[int, tuple[int, ...]]] = {}
        for j, candidate in enumerate(letters):
            if candidate != letter:
                continue
            at_word = j == 0 or not letters[j - 1].isalnum()
            options = [
                (score + _worth(i, j, at_word), (*places, j))
                for i, (score, places) in best.items()
                if i < j
            ]
            if options:
                found[j] = max(options, key=lambda option: option[0])
        best = found
    if not best:
        return None
    score, places = max(best.values(), key=lambda option: option[0])
    return score * 100 - len(letters), places


def _worth(before: int, at: int, at_word: bool) -> int:
    """Return what a letter counts at a place, after another."""
    if before >= 0 and before == at - 1:
        return _IN_ROW
    return _AT_WORD if at_word else _ANYWHERE


def commands_of(table: ActionTable) -> list[Command]:
    """Return the window's commands; those that cannot be given now stand last."""
    commands = []
    for id_ in table:
        action = table[id_]
        if id_ == "palette" or not action.isVisible():
            continue
        keys = next(iter(table.keys(id_)), "")
        name = action.text().replace("&", "")
        group = translated(SPECS[id_].group.value)
        commands.append(
            Command(name, action.trigger, group, keys, action.icon(), action.isEnabled())
        )
    return sorted(commands, key=lambda command: not command.is_enabled)


class _CommandModel(QAbstractListModel):
    """The commands that a query means, best first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: list[Command] = []
        self._rows: list[tuple[Command, tuple[int, ...]]] = []

    def set_commands(self, commands: Iterable[Command]) -> None:
        """Take the commands there are."""
        self._all = list(commands)
        self.search("")

    def search(self, query: str) -> None:
        """Show what a query means."""
        self.beginResetModel()
        found = [(command, fuzzy(query, command.text)) for command in self._all]
        hits = [(command, *hit) for command, hit in found if hit is not None]
        if query:
            hits.sort(key=lambda hit: (not hit[0].is_enabled, -hit[1]))
        self._rows = [(command, places) for command, _, places in hits]
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        """Return how many fit."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a line shows."""
        command, places = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return command.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{command.group}: {command.text} {command.keys}".strip()
        if role == _COMMAND_ROLE:
            return command
        if role == _PLACES_ROLE:
            return places
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Return whether a line can be chosen."""
        is_enabled = self._rows[index.row()][0].is_enabled
        able = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return able if is_enabled else Qt.ItemFlag.NoItemFlags


class _CommandDelegate(QStyledItemDelegate):
    """Draws a command: icon, name with the letters that were meant, group, keys."""

    def sizeHint(
        self,
        option: QStyleOptionViewItem,
        index: _Index,  # noqa: ARG002
    ) -> QSize:
        """Return the size of a line."""
        return QSize(option.rect.width(), _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a line."""
        command: Command = index.data(_COMMAND_ROLE)
        rect: QRect = option.rect
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        palette: QPalette = option.palette
        group = QPalette.ColorGroup.Active if command.is_enabled else QPalette.ColorGroup.Disabled
        role = QPalette.ColorRole.HighlightedText if is_current else QPalette.ColorRole.Text
        painter.save()
        if is_current:
            painter.fillRect(rect, palette.brush(QPalette.ColorRole.Highlight))
        if command.icon is not None:
            mode = QIcon.Mode.Selected if is_current else QIcon.Mode.Normal
            mode = mode if command.is_enabled else QIcon.Mode.Disabled
            command.icon.paint(painter, QRect(rect.left() + 12, rect.top() + 7, 18, 18), mode=mode)
        inner = rect.adjusted(40, 0, -12, 0)
        painter.setPen(palette.color(group, role))
        beside = "    ".join(part for part in (command.group, command.keys) if part)
        width = painter.fontMetrics().horizontalAdvance(beside)
        self._draw_name(painter, inner.adjusted(0, 0, -width - 16, 0), index)
        if not is_current:
            painter.setPen(palette.color(group, QPalette.ColorRole.PlaceholderText))
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, beside)
        painter.restore()

    @staticmethod
    def _draw_name(painter: QPainter, rect: QRect, index: _Index) -> None:
        """Draw the name as far as it fits, with the letters that were meant in bold."""
        meant = set(index.data(_PLACES_ROLE))
        plain, bold = QFont(painter.font()), QFont(painter.font())
        bold.setBold(True)
        left = rect.left()
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for place, letter in enumerate(index.data()):
            painter.setFont(bold if place in meant else plain)
            width = painter.fontMetrics().horizontalAdvance(letter)
            if left + width > rect.right():
                break
            painter.drawText(QRect(left, rect.top(), width + 4, rect.height()), align, letter)
            left += width
        painter.setFont(plain)


class CommandPalette(QFrame):
    """A field and what it means, over the middle of the window; Esc or a click beside closes it.

    Parameters
    ----------
    find : callable
        Returns the commands there are, each time it opens.
    parent : QWidget
    """

    def __init__(self, find: Callable[[], list[Command]], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._over = parent
        self._find = find
        self._build()

    def open(self) -> None:
        """Open over the parent's window."""
        self._model.set_commands(self._find())
        self._field.clear()
        self._resize()
        window = self._over.window()
        left = (window.width() - self.width()) // 2
        self.move(window.mapToGlobal(QPoint(left, 72)))
        self.show()
        self._field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _build(self) -> None:
        """Make the widgets."""
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(self.tr("Command palette"))
        self.setFixedWidth(_WIDTH)
        self._field = QLineEdit()
        self._field.setPlaceholderText(self.tr("What do you want to do?"))
        self._field.setAccessibleName(self.tr("Letters of a command"))
        self._field.setClearButtonEnabled(True)
        self._field.textChanged.connect(self._search)
        self._field.installEventFilter(self)
        self._model = _CommandModel(self)
        self._view = QListView()
        self._view.setModel(self._model)
        self._view.setItemDelegate(_CommandDelegate(self._view))
        self._view.setUniformItemSizes(True)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setAccessibleName(self.tr("Commands"))
        self._view.clicked.connect(self._run)
        self._nothing = PlainLabel(self.tr("No command is spelt like that."))
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setFixedHeight(2 * _ROW_HEIGHT)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(8)
        for widget in (self._field, self._view, self._nothing):
            self._column.addWidget(widget)

    def _search(self, query: str) -> None:
        """Show what the field means."""
        self._model.search(query)
        self._resize()

    def _resize(self) -> None:
        """Be as high as there are lines, and stand on the first."""
        rows = self._model.rowCount()
        self._view.setVisible(rows > 0)
        self._nothing.setVisible(rows == 0)
        self._view.setFixedHeight(max(1, min(rows, _ROWS)) * _ROW_HEIGHT)
        self._view.setCurrentIndex(self._model.index(0, 0))
        self.setFixedHeight(self._column.totalSizeHint().height())

    def _run(self, index: _Index) -> None:
        """Close, then give the command, which may open something of its own."""
        command = index.data(_COMMAND_ROLE)
        if isinstance(command, Command) and command.is_enabled:
            self.close()
            command.run()

    def _step(self, by: int) -> None:
        """Go up or down, round at the ends."""
        rows = self._model.rowCount()
        if rows:
            at = (self._view.currentIndex().row() + by) % rows
            self._view.setCurrentIndex(self._model.index(at, 0))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of the field that move in the list."""
        is_key = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if watched is self._field and is_key and self._take(event.key()):  # type: ignore[attr-defined]
            return True
        return super().eventFilter(watched, event)

    def _take(self, key: int) -> bool:
        """Do what a key says; return whether it was one of ours."""
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _ROWS,
            Qt.Key.Key_PageUp: -_ROWS,
        }
        if key in steps:
            self._step(steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._run(self._view.currentIndex())
        else:
            return False
        return True
