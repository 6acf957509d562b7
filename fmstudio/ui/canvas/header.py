"""The line above a canvas: its role, the file, where the image stands, the zoom."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSizePolicy, QWidget

from fmstudio.drawing.colors import confidence_color
from fmstudio.project.doubt import Reason
from fmstudio.project.model import ImageItem, ImageState
from fmstudio.ui import theme
from fmstudio.ui.canvas.text import small_font
from fmstudio.ui.plain import PlainLabel, plain_tip
from fmstudio.ui.reasons import reason_name, reason_tip

_HEIGHT = 28
_NARROWEST = 160
# Narrower than this, the file name needs the room that these would take.
_LEGEND_FROM, _WORD_FROM, _ROLE_FROM = 440, 320, 240


class ElidedLabel(PlainLabel):
    """A label that leaves out the middle of a text that is too long."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Return room for a few letters."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint what fits."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideMiddle, self.width()
        )
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)


class StateMark(QWidget):
    """Where an image stands, as a shape: a ring, half a disc, a disc, a cross."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = ImageState.NONE
        self.setFixedSize(12, 12)

    def set_state(self, state: ImageState) -> None:
        """Show another state."""
        self._state = state
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the shape."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        color, state = state_color(self._state), self._state
        painter.setPen(QPen(color, 1.5))
        if state is ImageState.ACCEPTED:
            painter.setBrush(color)
        painter.drawEllipse(box)
        if state is ImageState.PARTLY_REVIEWED:
            painter.setBrush(color)
            painter.drawPie(box, 90 * 16, 180 * 16)
        elif state is ImageState.REJECTED:
            inner = box.adjusted(2.5, 2.5, -2.5, -2.5)
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())


class ConfidenceLegend(QWidget):
    """What the colours of proposed points mean: a ramp between two ends."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(small_font(self.font()))
        self.show_meaning(None)

    def show_meaning(self, coloring: Reason | None) -> None:
        """Say what the colours stand for: a reason of doubt, or confidence."""
        if coloring is None:
            self._text, self._ends = self.tr("confidence"), ("0", "1")
            tip = self.tr("Confidence of proposed points, from 0 to 1")
        else:
            self._text, self._ends = (
                reason_name(coloring).lower(),
                (self.tr("bad"), self.tr("good")),
            )
            tip = reason_tip(coloring)
        width = self.fontMetrics().horizontalAdvance
        self._left = width(self._text) + 8
        self._insets = width(self._ends[0]) + 5, width(self._ends[1]) + 5
        self.setFixedSize(self._left + 64 + sum(self._insets), _HEIGHT)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ramp between its ends."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.tokens().muted)
        box = QRectF(self.rect())
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(box, left, self._text)
        painter.drawText(box.adjusted(self._left, 0, 0, 0), left, self._ends[0])
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(box, right, self._ends[1])
        bar = QRectF(self._left + self._insets[0], box.center().y() - 3, 64, 6)
        ramp = QLinearGradient(bar.topLeft(), QPointF(bar.right(), bar.top()))
        for step in range(9):
            ramp.setColorAt(step / 8, QColor(*confidence_color(step / 8)))
        painter.setPen(QPen(theme.tokens().hairline, 1))
        painter.setBrush(ramp)
        painter.drawRoundedRect(bar, 3, 3)


class CanvasHeader(QWidget):
    """Says what a canvas shows; a line below it in the accent colour says that it has the focus."""

    def __init__(self, role: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._has_focus = self._has_proposals = False
        self._role = PlainLabel(self.tr("REFERENCE") if role == "reference" else self.tr("TARGET"))
        self._name = ElidedLabel(self)
        self._legend = ConfidenceLegend(self)
        self._mark = StateMark(self)
        self._state = PlainLabel(self)
        self._zoom = PlainLabel(self)
        self._zoom.setAccessibleName(self.tr("Zoom"))
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        small = small_font(self.font())
        for label in (self._role, self._state, self._zoom):
            label.setFont(small)
        self._zoom.setMinimumWidth(self._zoom.fontMetrics().horizontalAdvance("6400 %"))
        self.setFixedHeight(_HEIGHT)
        row = QHBoxLayout(self)
        # What there is no room for is left out, so it must not ask for room.
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self._role)
        row.addWidget(self._name, 1)
        row.addWidget(self._legend)
        row.addSpacing(4)
        row.addWidget(self._mark)
        row.addWidget(self._state)
        row.addWidget(self._zoom)
        self.show_image(None, ImageState.NONE, has_proposals=False)

    def show_image(
        self, image: ImageItem | None, state: ImageState, *, has_proposals: bool
    ) -> None:
        """Say which image is shown and where it stands; the legend is for proposals only."""
        self._name.setText("" if image is None else image.file_name)
        self._name.setToolTip("" if image is None else plain_tip(image.path))
        self._mark.setVisible(image is not None)
        self._mark.set_state(state)
        self._state.setText("" if image is None else self._word(state))
        self._mark.setToolTip(self._state.text())
        self._has_proposals = has_proposals
        self._make_room()
        self._color()

    def show_zoom(self, scale: float | None) -> None:
        """Say how many screen pixels an image pixel has, in percent; None without an image."""
        self._zoom.setText("" if scale is None else f"{100 * scale:.0f}\u202f%")

    def set_focused(self, has_focus: bool) -> None:
        """Say whether the keys go to this canvas."""
        self._has_focus = has_focus
        self.update()

    @property
    def text(self) -> str:
        """Return all that it says."""
        labels = (self._role, self._name, self._state, self._zoom)
        return "  ".join(label.text() for label in labels if label.text())

    def show_coloring(self, coloring: Reason | None) -> None:
        """Say what the colours of proposed points stand for."""
        self._legend.show_meaning(coloring)

    @property
    def legend(self) -> QWidget:
        """Return the legend of confidences."""
        return self._legend

    def minimumSizeHint(self) -> QSize:
        """Return room for a short name and the zoom."""
        return QSize(_NARROWEST, _HEIGHT)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the line of the focus."""
        if self._has_focus:
            line = QRectF(0, self.height() - 2, self.width(), 2)
            QPainter(self).fillRect(line, theme.tokens().accent)

    def resizeEvent(self, _event: QEvent) -> None:
        """Leave out what there is no room for."""
        self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of the scheme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._color()
        super().changeEvent(event)

    def _make_room(self) -> None:
        """Show what says something and has room; the name and the zoom always stay."""
        self._legend.setVisible(self._has_proposals and self.width() >= _LEGEND_FROM)
        self._state.setVisible(self.width() >= _WORD_FROM)
        self._role.setVisible(self.width() >= _ROLE_FROM)

    def _color(self) -> None:
        """Let all but the name recede."""
        muted = theme.tokens().muted
        for label in (self._role, self._state, self._zoom):
            palette = label.palette()
            if palette.color(QPalette.ColorRole.WindowText) != muted:
                palette.setColor(QPalette.ColorRole.WindowText, muted)
                label.setPalette(palette)

    def _word(self, state: ImageState) -> str:
        """Return what a state is called."""
        words = {
            ImageState.NONE: self.tr("nothing marked"),
            ImageState.PROPOSED: self.tr("proposed"),
            ImageState.PARTLY_REVIEWED: self.tr("partly reviewed"),
            ImageState.ACCEPTED: self.tr("accepted"),
            ImageState.REJECTED: self.tr("rejected"),
        }
        return words[state]


def state_color(state: ImageState) -> QColor:
    """Return the colour that repeats what a state's shape says."""
    tokens = theme.tokens()
    colors = {
        ImageState.ACCEPTED: tokens.ok,
        ImageState.PROPOSED: tokens.warn,
        ImageState.PARTLY_REVIEWED: tokens.warn,
        ImageState.REJECTED: tokens.error,
    }
    return colors.get(state, tokens.muted)
