"""The panel of the correspondence inspector: which layers, how strong, and what they say."""

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.drawing.colors import cividis
from fmstudio.session_inspect import ImageRef, PointAnswer
from fmstudio.ui.actions import ActionTable
from fmstudio.ui.canvas.layers import picture_image
from fmstudio.ui.controller import Controller
from fmstudio.ui.inspector import Inspector
from fmstudio.ui.panels.controls import CalmSlider, caption
from fmstudio.ui.panels.glyphs import caption_font, tabular
from fmstudio.ui.panels.rows import MARGIN
from fmstudio.ui.panels.switch import SHEET, Switch, follow_eye
from fmstudio.ui.plain import PlainLabel, plain_tip

_HIGH, _GAP = 28, 8
_TOGGLES = (
    "inspect-colour",
    "inspect-checker",
    "inspect-contour",
    "inspect-grid",
    "inspect-lines",
)


class InspectorPanel(QWidget):
    """Says what the inspector draws, and what it has found.

    Parameters
    ----------
    controller : Controller
    inspector : Inspector
    actions : ActionTable
        Its commands; who makes the panel connects them.
    parent : QWidget or None
    """

    def __init__(
        self,
        controller: Controller,
        inspector: Inspector,
        actions: ActionTable,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._inspector = controller, inspector
        self.buttons = {id_: _action_button(actions, id_) for id_ in ("inspect", *_TOGGLES)}
        self.save = _action_button(actions, "save-view")
        self.heat = Switch(
            {
                "off": (self.tr("off"), self.tr("Draw no heat map")),
                "map": (self.tr("map"), self.tr("What the pair's map says of all places")),
                "features": (
                    self.tr("features"),
                    self.tr("What the features alone say: their similarity, without any map"),
                ),
                "both": (self.tr("both"), self.tr("Where the map and the features agree")),
            },
            self,
        )
        self.wipe = _Share(self.tr("Wipe"), self.tr("Take the carried picture away from the right"))
        self.opacity = _Share(self.tr("Opacity"), self.tr("Of the carried picture"))
        self.state = PlainLabel(self)
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.point = PlainLabel(self)
        self.point.setFont(tabular(self.point.font()))
        self.point.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._lay_out()
        self.heat.chosen.connect(self._choose_heat)
        self.wipe.valueChanged.connect(self._choose_wipe)
        self.opacity.valueChanged.connect(self._choose_opacity)
        inspector.changed.connect(self.refresh)
        inspector.answered.connect(self._show_point)
        controller.projectChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the choices and the state."""
        choices, is_on = self._inspector.choices, self._inspector.is_on
        self.heat.show_choice(choices.heat)
        self.wipe.show_share(choices.wipe)
        self.opacity.show_share(choices.opacity)
        has_picture = is_on and choices.picture != "off"
        self.wipe.setEnabled(has_picture)
        self.opacity.setEnabled(has_picture)
        self.heat.setEnabled(is_on)
        self.state.setText(self._sentence())
        self.state.setToolTip(plain_tip(self.state.text()))
        self._show_point()

    # Private

    def _lay_out(self) -> None:
        """Put everything in its place."""
        first = _row(
            self.buttons["inspect"],
            caption(self.tr("Heat map")),
            self.heat,
            caption(self.tr("Layers")),
            *(self.buttons[id_] for id_ in _TOGGLES),
            None,
            self.save,
        )
        second = _row(
            caption(self.tr("Wipe")),
            self.wipe,
            caption(self.tr("Opacity")),
            self.opacity,
            None,
            caption(self.tr("Confidence")),
            _Ramp(self),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, 4, MARGIN, 4)
        column.setSpacing(4)
        column.addLayout(first)
        column.addLayout(second)
        words = QHBoxLayout()
        words.setSpacing(2 * _GAP)
        words.addWidget(self.state, 3)
        words.addWidget(self.point, 2)
        column.addLayout(words)
        column.addStretch(1)
        follow_eye(
            self.buttons["inspect"],
            *self.heat.buttons.values(),
            *(self.buttons[id_] for id_ in _TOGGLES),
            self.save,
            self.wipe,
            self.opacity,
        )

    def _sentence(self) -> str:
        """Return how things stand, in a sentence."""
        inspector, project = self._inspector, self._controller.project
        question, found = inspector.question, inspector.found
        if not inspector.is_on:
            return self.tr(
                "Off. Press I to see where each place of the one image lies on the other."
            )
        if inspector.error:
            return inspector.error
        if question is None or project is None:
            return self.tr(
                "Show two different images: the reference on the left, the target right."
            )
        category = project.categories.get(question.mark.category)
        what = self.tr("the whole image") if category is None else category.name
        if found is None:
            return self.tr("Matching {0}: {1} with {2}…").format(
                what, _file_name(question.s), _file_name(question.t)
            )
        words = [self.tr("{0}: {1:.0f} % of it fits together").format(what, 100 * found.support)]
        if found.turn:
            words.append(self.tr("turned by {0}°").format(found.turn))
        words += self._faults()
        return ", ".join(words) + "."

    def _faults(self) -> list[str]:
        """Return what the grid shows to be wrong."""
        layers = self._inspector.layers
        if layers is None:
            return []
        words, folded = [], int(layers.grid.is_folded.sum())
        if layers.grid.is_flipped:
            words.append(self.tr("mirrored from left to right"))
        if folded:
            share = 100 * folded / len(layers.grid.orientation)
            words.append(self.tr("{0:.0f} % folded over").format(max(share, 1)))
        return words

    def _show_point(self) -> None:
        """Say what was answered about the point."""
        answer = self._inspector.answer
        self.point.setText("" if answer is None else self._point_text(answer))

    def _point_text(self, answer: PointAnswer) -> str:
        """Return where a point lies, how sure that is, and how far off it comes back."""
        (x, y), (there_x, there_y) = answer.question.xy, answer.there
        text = self.tr("{0:.0f}, {1:.0f} → {2:.0f}, {3:.0f} px · back within {4:.1f} px").format(
            x, y, there_x, there_y, answer.cycle
        )
        if not answer.is_on_object:
            text += self.tr(" · beside the object")
        if self._inspector.is_pinned:
            text += self.tr(" · pinned, Esc lets go")
        return text

    def _choose_heat(self, name: str) -> None:
        """Draw another distribution."""
        self._inspector.choose(replace(self._inspector.choices, heat=name))

    def _choose_wipe(self, value: int) -> None:
        """Show more or less of the carried picture."""
        self._inspector.choose(replace(self._inspector.choices, wipe=value / 100))

    def _choose_opacity(self, value: int) -> None:
        """Draw the carried picture stronger or fainter."""
        self._inspector.choose(replace(self._inspector.choices, opacity=value / 100))


class _Share(CalmSlider):
    """A share in percent that the wheel does not change."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, 100)
        self.setPageStep(10)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFixedWidth(160)
        self.setFixedHeight(24)

    def show_share(self, share: float) -> None:
        """Show a share, without a signal."""
        was_blocked = self.blockSignals(True)
        self.setValue(round(100 * share))
        self.blockSignals(was_blocked)


class _Ramp(QWidget):
    """The colours of confidences from 0 to 1."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(QSize(112, 16))
        self.setToolTip(self.tr("Colours of confidences, from 0 to 1"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the ramp between its ends' numbers."""
        painter = QPainter(self)
        painter.setFont(caption_font(self.font()))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        area = self.rect()
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "0")
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "1")
        colors = cividis(np.linspace(0, 1, 64))[None]
        opaque = np.full((1, 64, 1), 255, dtype=np.uint8)
        painter.drawImage(area.adjusted(12, 4, -12, -4), picture_image(np.dstack([colors, opaque])))


def _file_name(image: ImageRef) -> str:
    """Return an image's name without its folders."""
    return PurePosixPath(image.name).name


def _action_button(actions: ActionTable, id_: str) -> QToolButton:
    """Return the button of a command, with its text."""
    button = QToolButton()
    button.setDefaultAction(actions[id_])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setFixedHeight(_HIGH)
    button.setStyleSheet(SHEET)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Return widgets in a row; None is a stretch."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(_GAP)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
