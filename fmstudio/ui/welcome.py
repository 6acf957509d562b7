"""The welcome page: three ways to begin, and the projects that were open last."""

from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFont,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.actions import ActionTable
from fmstudio.ui.icons import app_icon, icon_pixmap
from fmstudio.ui.plain import PlainLabel, plain_tip
from fmstudio.ui.recent import RecentProject
from fmstudio.ui.theme import tokens

_WIDEST = 912
_COLUMNS = 4
_RADIUS = 8


class Card(QAbstractButton):
    """A large button: a picture or an icon, a title, a line below it.

    Parameters
    ----------
    title, line : str
    icon_name : str
        Shown where there is no picture.
    picture : Path or None
    """

    forgetWanted = Signal()

    def __init__(
        self,
        title: str,
        line: str,
        *,
        icon_name: str,
        picture: Path | None = None,
        is_tall: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._line = line
        self._icon_name = icon_name
        self._is_tall = is_tall
        self._picture = QPixmap() if picture is None else QPixmap(str(picture))
        self.setText(title)
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the size it likes."""
        return QSize(216, 176 if self._is_tall else 96)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Light up under the pointer."""
        super().enterEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press it by Enter too; take it out of a list by Del."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Delete:
            self.forgetWanted.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw it."""
        colors = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        painter.fillPath(outline, colors.hairline if self.isDown() else colors.raised)
        if self._is_tall:
            painter.save()
            painter.setClipPath(outline)
            self._draw_picture(painter, QRect(0, 0, self.width(), self.height() - 60))
            painter.restore()
            self._draw_text(painter, self.rect().adjusted(12, self.height() - 52, -12, -12))
        else:
            pixmap = icon_pixmap(self._icon_name, 32, colors.accent, self.devicePixelRatioF())
            painter.drawPixmap(20, (self.height() - 32) // 2, pixmap)
            self._draw_text(painter, self.rect().adjusted(68, 28, -12, -28))
        is_marked = self.hasFocus() or self.underMouse()
        pen = QPen(colors.accent if is_marked else colors.hairline, 2 if self.hasFocus() else 1)
        painter.strokePath(outline, pen)

    def _draw_picture(self, painter: QPainter, rect: QRect) -> None:
        """Draw the picture, cut to fill a rectangle, or the icon in its place."""
        colors = tokens()
        painter.fillRect(rect, colors.canvas)
        if self._picture.isNull():
            pixmap = icon_pixmap(self._icon_name, 32, colors.muted, self.devicePixelRatioF())
            painter.drawPixmap(rect.center().x() - 16, rect.center().y() - 16, pixmap)
            return
        size = self._picture.size().scaled(
            rect.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding
        )
        target = QRect(rect.topLeft(), size)
        target.moveCenter(rect.center())
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        painter.drawPixmap(target, self._picture)
        painter.restore()

    def _draw_text(self, painter: QPainter, rect: QRect) -> None:
        """Draw the title and the line below it."""
        colors = tokens()
        painter.setPen(colors.text if self.isEnabled() else colors.muted)
        font = QFont(self.font())
        font.setBold(True)
        for text, weight, align in (
            (self.text(), font, Qt.AlignmentFlag.AlignTop),
            (self._line, self.font(), Qt.AlignmentFlag.AlignBottom),
        ):
            painter.setFont(weight)
            mode = Qt.TextElideMode.ElideRight
            elided = painter.fontMetrics().elidedText(text, mode, rect.width())
            painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | align, elided)
            painter.setPen(colors.muted)


class WelcomePage(QScrollArea):
    """What is shown while no project is open.

    Parameters
    ----------
    actions : ActionTable
        For the keys that the cards name.
    """

    folderWanted = Signal()
    projectWanted = Signal()
    sampleWanted = Signal()
    recentWanted = Signal(object)
    """Path of a project to open."""
    forgetWanted = Signal(object)
    """Path of a project to take out of the list."""

    def __init__(self, actions: ActionTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._cards: list[Card] = []
        self.beginnings: list[Card] = []
        """The three large cards."""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Welcome"))
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addStretch(2)
        column.addLayout(self._head())
        column.addSpacing(12)
        column.addLayout(self._beginnings())
        column.addSpacing(20)
        self._caption = PlainLabel(self.tr("Recent projects"))
        self._caption.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        column.addWidget(self._caption)
        self._grid = QGridLayout()
        self._grid.setSpacing(12)
        column.addLayout(self._grid)
        column.addStretch(3)
        column.addLayout(self._foot())
        outer = QWidget()
        row = QHBoxLayout(outer)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(page, 1000)
        row.addStretch(1)
        page.setMaximumWidth(_WIDEST + 48)
        self.setWidget(outer)
        self.set_recent(())

    @property
    def cards(self) -> tuple[Card, ...]:
        """Return the recent projects' cards."""
        return tuple(self._cards)

    def set_recent(self, projects: tuple[RecentProject, ...]) -> None:
        """Show the projects that were open last."""
        for card in self._cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = [self._card(project) for project in projects[: 2 * _COLUMNS]]
        for place, card in enumerate(self._cards):
            self._grid.addWidget(card, place // _COLUMNS, place % _COLUMNS)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self._caption.setVisible(bool(projects))

    # Private

    def _head(self) -> QHBoxLayout:
        """Return the name and what it is for."""
        mark = PlainLabel()
        mark.setPixmap(app_icon().pixmap(QSize(56, 56), self.devicePixelRatioF()))
        name = PlainLabel("fmstudio")
        font = QFont(name.font())
        font.setPointSizeF(font.pointSizeF() * 2)
        font.setWeight(QFont.Weight.DemiBold)
        name.setFont(font)
        line = PlainLabel(
            self.tr("Annotate one photo, carry it to all of them, review what is doubtful.")
        )
        line.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(line)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(mark)
        row.addLayout(words, 1)
        return row

    def _beginnings(self) -> QHBoxLayout:
        """Return the three large cards."""
        row = QHBoxLayout()
        row.setSpacing(12)
        for title, line, drawing, wish in (
            (
                self.tr("Open a folder"),
                self.tr("Photos of the same kind of thing"),
                "folder-open",
                self.folderWanted,
            ),
            (
                self.tr("Open a project"),
                self.tr("Go on where you stopped"),
                "project",
                self.projectWanted,
            ),
            (
                self.tr("Try the sample: five cats"),
                self.tr("One is annotated; a minute"),
                "sample",
                self.sampleWanted,
            ),
        ):
            card = Card(title, line, icon_name=drawing)
            card.clicked.connect(wish)
            self.beginnings.append(card)
            row.addWidget(card, 1)
        return row

    def _foot(self) -> QHBoxLayout:
        """Return what can be done besides."""
        key = next(iter(self._actions.keys("shortcuts")), "")
        find = next(iter(self._actions.keys("palette")), "")
        text = self.tr("Drop a folder, images or a project anywhere.    {0}  keys    {1}  commands")
        label = PlainLabel(text.format(key, find))
        label.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(label)
        row.addStretch(1)
        return row

    def _card(self, project: RecentProject) -> Card:
        """Return the card of a recent project."""
        folder = project.path.parent
        line = f"{project.changed}  {folder.name}" if project.is_there else self.tr("not found")
        card = Card(project.name, line, icon_name="images", picture=project.picture, is_tall=True)
        card.setToolTip(plain_tip(str(project.path)))
        card.setEnabled(project.is_there)
        card.clicked.connect(lambda: self.recentWanted.emit(project.path))
        card.forgetWanted.connect(lambda: self.forgetWanted.emit(project.path))
        return card

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer to take a project out of the list."""
        under = self._under(event)
        if under is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Remove from the list")).triggered.connect(under.forgetWanted)
        menu.popup(event.globalPos())

    def _under(self, event: QContextMenuEvent) -> Card | None:
        """Return the recent project's card under the pointer."""
        for card in self._cards:
            if card.rect().contains(card.mapFromGlobal(event.globalPos())):
                return card
        return None
