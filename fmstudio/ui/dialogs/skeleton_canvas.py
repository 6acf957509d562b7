"""A schematic drawing of a schema: dots to drag, and to click in pairs."""

from collections.abc import Mapping
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from fmstudio.drawing.labels import Placed, place_labels
from fmstudio.ui import theme
from fmstudio.ui.dialogs.category_draft import CategoryDraft, Pair
from fmstudio.ui.panels.glyphs import caption_font

_MARGIN = 40
_REACH = 12.0
_MOST_LABELS = 40
_LABEL_WIDTH = 140.0
_PREVIOUS = (Qt.Key.Key_Left, Qt.Key.Key_Up)
_NEXT = (Qt.Key.Key_Right, Qt.Key.Key_Down)
_PICK = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PairMode(StrEnum):
    """What two clicks make."""

    LIMBS = "limbs"
    FLIPS = "flips"


class SkeletonCanvas(QWidget):
    """Draws a draft's keypoints and pairs; two clicks on dots ask for a pair.

    It changes nothing but where dots are drawn, which no project keeps.
    """

    pairPicked = Signal(int, int)
    """Two dots were clicked one after the other: the keys of their rows."""
    currentChanged = Signal(int)
    """Another dot is the current one: the key of its row."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = CategoryDraft()
        self._places: dict[int, tuple[float, float]] = {}
        self._mode = PairMode.LIMBS
        self._current: int | None = None
        self._picked: int | None = None
        self._hovered: int | None = None
        self._pressed: int | None = None
        self._press_at = QPointF()
        self._is_dragging = False
        self._pointer = QPointF()
        self._labels: list[Placed] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Schematic drawing of the keypoints"))

    # What it shows

    def sizeHint(self) -> QSize:
        """Return the size it likes to have."""
        return QSize(440, 440)

    def minimumSizeHint(self) -> QSize:
        """Return the least size it can be used at."""
        return QSize(240, 240)

    @property
    def places(self) -> Mapping[int, tuple[float, float]]:
        """Return where each dot is, by row key, in [0, 1]."""
        return self._places

    @property
    def picked(self) -> int | None:
        """Return the dot that waits for its counterpart, by row key."""
        return self._picked

    def set_places(self, places: Mapping[int, tuple[float, float]]) -> None:
        """Put dots where they are drawn, by row key, in [0, 1]."""
        self._places = dict(places)
        self._changed()

    def show_draft(self, draft: CategoryDraft) -> None:
        """Draw another version of the draft; new keypoints get a place that is free."""
        self._draft = draft
        keys = set(draft.index)
        for row in draft.rows:
            if row.key not in self._places:
                self._places[row.key] = self._free_place(keys)
        self._picked = self._picked if self._picked in keys else None
        self._hovered = self._hovered if self._hovered in keys else None
        self._current = self._current if self._current in keys else None
        self._changed()

    def set_mode(self, mode: PairMode) -> None:
        """Choose what two clicks make."""
        self._mode, self._picked = mode, None
        self.update()

    def set_current(self, key: int | None) -> None:
        """Mark a dot as the current one."""
        if key != self._current:
            self._current = key
            self.setAccessibleDescription(self._description())
            self.update()

    def position_of(self, key: int) -> QPointF:
        """Return where a dot is in the widget."""
        x, y = self._places[key]
        side, left, top = self._frame()
        return QPointF(left + x * side, top + y * side)

    # Hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a dot."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press_at = event.position()
            self._pressed = self._dot_at(event.position())
            self._is_dragging = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the dot that is held, or show which one is under the mouse."""
        self._pointer = event.position()
        if self._pressed is None:
            self._hovered = self._dot_at(event.position())
            is_dot = self._hovered is not None
            shape = Qt.CursorShape.PointingHandCursor if is_dot else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
        else:
            way = QLineF(self._press_at, event.position()).length()
            self._is_dragging |= way >= QApplication.startDragDistance()
            if self._is_dragging:
                self._drag_to(event.position())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or take a click."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        key, self._pressed = self._pressed, None
        if self._is_dragging:
            self._is_dragging = False
            return
        if key is None:
            self._picked = None
            self.update()
        else:
            self._make_current(key)
            self._pick(key)

    def leaveEvent(self, event: QEvent) -> None:
        """Forget what was under the mouse."""
        self._hovered = None
        self.update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk along the dots with arrows, pick with Space, drop the pick with Esc."""
        key, keys = event.key(), [row.key for row in self._draft.rows]
        if key == Qt.Key.Key_Escape and self._picked is not None:
            self._picked = None
            self.update()
        elif key in (*_PREVIOUS, *_NEXT) and keys:
            at = keys.index(self._current) if self._current in keys else -1
            self._make_current(keys[(at + (1 if key in _NEXT else -1)) % len(keys)])
        elif key in _PICK and self._current is not None:
            self._pick(self._current)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the names anew."""
        self._labels = None
        super().resizeEvent(event)

    def _make_current(self, key: int) -> None:
        """Make a dot the current one, and say so."""
        if key != self._current:
            self.set_current(key)
            self.currentChanged.emit(key)

    def _pick(self, key: int) -> None:
        """Take a dot as the first of a pair, or as the second."""
        first = self._picked
        if first is None:
            self._picked = key
        else:
            self._picked = None
            if first != key:
                self.pairPicked.emit(first, key)
        self.setAccessibleDescription(self._description())
        self.update()

    def _drag_to(self, at: QPointF) -> None:
        """Put the held dot under the mouse, inside the drawing."""
        assert self._pressed is not None
        side, left, top = self._frame()
        # Dots may use the margins beside a square drawing.
        dx, dy = (self.width() - side) / 2 - 8, (self.height() - side) / 2 - 8
        x = min(max(at.x() - left, -dx), side + dx) / side
        y = min(max(at.y() - top, -dy), side + dy) / side
        self._places[self._pressed] = (x, y)
        self._labels = None

    def _dot_at(self, at: QPointF) -> int | None:
        """Return the dot near a place, by row key; None if there is none."""
        if not self._draft.rows:
            return None
        keys = [row.key for row in self._draft.rows]
        off = self._positions() - np.array([at.x(), at.y()])
        distance = np.hypot(off[:, 0], off[:, 1])
        nearest = int(distance.argmin())
        return keys[nearest] if distance[nearest] <= _REACH else None

    # Geometry

    def _changed(self) -> None:
        """Draw anew, names too."""
        self._labels = None
        self.setAccessibleDescription(self._description())
        self.update()

    def _frame(self) -> tuple[float, float, float]:
        """Return the side of the drawing's square, and its left and top."""
        side = max(16.0, min(self.width(), self.height()) - 2.0 * _MARGIN)
        return side, (self.width() - side) / 2, (self.height() - side) / 2

    def _positions(self) -> NDArray[np.float64]:
        """Return where the dots are in the widget, (m, 2) in row order."""
        side, left, top = self._frame()
        xy = np.array([self._places[row.key] for row in self._draft.rows], dtype=np.float64)
        return np.asarray(xy.reshape(-1, 2) * side + [left, top])

    def _free_place(self, keys: set[int]) -> tuple[float, float]:
        """Return the place on the rim that is farthest from all dots."""
        taken = [place for key, place in self._places.items() if key in keys]
        angle = 2 * np.pi * np.arange(48) / 48 - np.pi / 2
        rim = 0.5 + 0.5 * np.column_stack([np.cos(angle), np.sin(angle)])
        if not taken:
            return 0.5, 0.0
        off = rim[:, None] - np.array(taken)[None]
        nearest = np.hypot(off[..., 0], off[..., 1]).min(axis=1)
        x, y = rim[int(nearest.argmax())].tolist()
        return x, y

    def _description(self) -> str:
        """Return in words what the current dot is joined with."""
        names = {row.key: row.name for row in self._draft.rows}
        if self._current not in names:
            return self.tr("{0} keypoints").format(len(names))
        pairs = self._draft.limbs if self._mode is PairMode.LIMBS else self._draft.flips
        others = [
            names[b if a == self._current else a] for a, b in pairs if self._current in (a, b)
        ]
        text = self.tr("{0}, paired with {1}").format(
            names[self._current], ", ".join(others) or self.tr("none")
        )
        if self._picked in names:
            text += self.tr("; waiting for the counterpart of {0}").format(names[self._picked])
        return text

    def _lines(self) -> NDArray[np.bool_]:
        """Return where the skeleton's lines are, (height, width): names should not cross them."""
        drawn = np.zeros((max(8, self.height()), max(8, self.width())), dtype=np.uint8)
        # Among many there is no way around them.
        for a, b in () if self._is_crowded else self._draft.limbs:
            ends = [self.position_of(key).toPoint().toTuple() for key in (a, b)]
            cv2.line(drawn, ends[0], ends[1], 1, 5)
        return drawn.astype(bool)

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        """Draw everything."""
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.accent if self.hasFocus() else colors.hairline, 1))
        painter.setBrush(colors.canvas)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if not self._draft.rows:
            painter.setPen(colors.muted)
            text = self.tr("Add keypoints on the left; then click two dots here to join them.")
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, text)
            return
        is_limbs = self._mode is PairMode.LIMBS
        self._draw_pairs(painter, self._draft.flips, colors.accent, not is_limbs, is_dashed=True)
        self._draw_pairs(painter, self._draft.limbs, colors.text, is_limbs, is_dashed=False)
        if self._picked is not None and self.underMouse():
            painter.setPen(QPen(colors.accent, 1.5, Qt.PenStyle.DotLine))
            painter.drawLine(self.position_of(self._picked), self._pointer)
        self._draw_dots(painter)
        self._draw_names(painter)

    def _draw_pairs(
        self,
        painter: QPainter,
        pairs: tuple[Pair, ...],
        color: QColor,
        is_active: bool,
        *,
        is_dashed: bool,
    ) -> None:
        """Draw lines between dots, faint unless clicks make such pairs now."""
        shade = QColor(color)
        shade.setAlphaF(0.75 if is_active else 0.18)
        style = Qt.PenStyle.DashLine if is_dashed else Qt.PenStyle.SolidLine
        width = 1.0 if self._is_crowded else 2.0 if is_active else 1.5
        if self._is_crowded:
            shade.setAlphaF(shade.alphaF() * 0.5)
        painter.setPen(QPen(shade, width, style))
        for a, b in pairs:
            painter.drawLine(self.position_of(a), self.position_of(b))

    @property
    def _is_crowded(self) -> bool:
        """Return whether there are too many dots to name them all."""
        return len(self._draft.rows) > _MOST_LABELS

    def _radius(self) -> float:
        """Return the dots' radius: smaller where there are many."""
        m = len(self._draft.rows)
        return 6.0 if m <= _MOST_LABELS else 4.5 if m <= 150 else 3.0

    def _draw_dots(self, painter: QPainter) -> None:
        """Draw the dots, with rings around the current, hovered and picked ones."""
        colors, r = theme.tokens(), self._radius()
        # Keeps the lightest and the darkest colours apart from what is behind them.
        rim = QColor(colors.text)
        rim.setAlphaF(0.5)
        for row, rgb in zip(self._draft.rows, self._draft.colors, strict=True):
            at = self.position_of(row.key)
            if row.key == self._picked:
                halo = QColor(colors.accent)
                halo.setAlphaF(0.35)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(halo)
                painter.drawEllipse(at, r + 7, r + 7)
            if row.key in (self._current, self._hovered):
                painter.setPen(QPen(colors.accent, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(at, r + 3.5, r + 3.5)
            painter.setPen(QPen(rim, 1))
            painter.setBrush(QColor(*rgb))
            painter.drawEllipse(at, r, r)

    def _draw_names(self, painter: QPainter) -> None:
        """Write the names beside the dots; of many only those that matter now."""
        font = caption_font(self.font())
        painter.setFont(font)
        metrics, colors = QFontMetricsF(font), theme.tokens()
        rows = self._draft.rows
        if self._is_crowded:
            wanted = (self._current, self._hovered, self._picked)
            rows = tuple(row for row in rows if row.key in wanted)
        elide = Qt.TextElideMode.ElideMiddle
        texts = [metrics.elidedText(row.name, elide, _LABEL_WIDTH) for row in rows]
        if self._labels is None or self._is_crowded:
            sizes = [(metrics.horizontalAdvance(text) + 2, metrics.height()) for text in texts]
            xy = np.array([self.position_of(row.key).toTuple() for row in rows]).reshape(-1, 2)
            clearance = self._radius() + 3
            self._labels = place_labels(xy, sizes, subject=self._lines(), clearance=clearance)
        for row, text, label in zip(rows, texts, self._labels, strict=True):
            at = self.position_of(row.key).toTuple()
            if label.is_far:
                painter.setPen(QPen(colors.muted, 0.8))
                painter.drawLine(QPointF(*at), QPointF(*label.nearest(at)))
            is_marked = row.key in (self._current, self._hovered, self._picked)
            painter.setPen(colors.text if is_marked else colors.muted)
            box = QRectF(label.left, label.top, label.width, label.height)
            if self._is_crowded:
                painter.fillRect(box.adjusted(-4, -1, 4, 1), colors.canvas)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
