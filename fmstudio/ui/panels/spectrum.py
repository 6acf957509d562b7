"""The panel of the spectrum: eigenvalues, eigenfunctions, the map, and how many are enough."""

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fmstudio.session_spectrum import Spectrum
from fmstudio.ui import theme
from fmstudio.ui.inspector import Inspector
from fmstudio.ui.panels.controls import CalmSlider, caption
from fmstudio.ui.panels.empty_page import EmptyPage, pages_of
from fmstudio.ui.panels.glyphs import caption_font, tabular
from fmstudio.ui.panels.rows import MARGIN
from fmstudio.ui.panels.spectrum_views import FunctionStrip, MatrixView
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.spectrum import SpectrumViewer

_FEWEST = 3
_PLOT = 176


class SpectrumPanel(QWidget):
    """Shows the spectrum of the inspected pair.

    Parameters
    ----------
    inspector : Inspector
    viewer : SpectrumViewer
    parent : QWidget or None
    """

    def __init__(
        self, inspector: Inspector, viewer: SpectrumViewer, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._inspector, self._viewer = inspector, viewer
        self._listed: Spectrum | None = None
        self.empty = EmptyPage()
        self.evals = _plot(self.tr("Eigenvalues"))
        self.bands = _plot(
            self.tr("Share of the map's energy in each band of functions, low to high")
        )
        self.matrix = MatrixView()
        self.figures = PlainLabel()
        self.figures.setFont(tabular(caption_font(self.figures.font())))
        self.functions = FunctionStrip()
        self.slider = CalmSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Basis functions"))
        self.slider.setToolTip(self.tr("Move the keypoints by a map of fewer functions"))
        self.said = PlainLabel()
        self.said.setFont(tabular(self.said.font()))
        self.said.setMinimumWidth(300)
        self.all = QPushButton(self.tr("All"))
        self.all.setToolTip(self.tr("Take all functions again"))
        self._pages = self._lay_out()
        self.empty.pressed.connect(lambda: inspector.set_on(True))
        self.functions.chosen.connect(viewer.show_function)
        self.slider.valueChanged.connect(viewer.set_k)
        self.all.clicked.connect(lambda: self.slider.setValue(viewer.most))
        viewer.changed.connect(self.refresh)
        inspector.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is."""
        spectrum, viewer = self._viewer.spectrum, self._viewer
        if spectrum is None:
            self._listed = None
            self.empty.say(*self._words())
            self._pages.setCurrentWidget(self.empty)
            return
        if spectrum is not self._listed:
            self._listed = spectrum
            self._list(spectrum)
        self.functions.mark(viewer.shown)
        self.all.setEnabled(viewer.k < viewer.most)
        self.said.setText(self._sentence())
        self._pages.setCurrentIndex(1)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to ask."""
        super().showEvent(event)
        self._viewer.set_wanted(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """End to ask, and to draw."""
        super().hideEvent(event)
        self._viewer.set_wanted(False)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the plots in the colours of another scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._listed is not None:
            self._plot(self._listed)

    # Private

    def _lay_out(self) -> QStackedWidget:
        """Put everything in its place; return the pages."""
        strip = QScrollArea()
        strip.setWidget(self.functions)
        strip.setFrameShape(QFrame.Shape.NoFrame)
        strip.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        pictures = QHBoxLayout()
        pictures.setSpacing(2 * MARGIN)
        for title, widget, stretch in (
            (self.tr("Reference above, target below"), strip, 1),
            (self.tr("Functional map"), self.matrix, 0),
            ("", self.figures, 0),
            (self.tr("Energy per band, %"), self.bands, 0),
            (self.tr("Eigenvalues (target dashed)"), self.evals, 0),
        ):
            pictures.addLayout(_titled(title, widget), stretch)
        row = QHBoxLayout()
        row.setSpacing(MARGIN)
        row.addWidget(caption(self.tr("Basis functions")))
        row.addWidget(self.slider, 1)
        row.addWidget(self.said)
        row.addWidget(self.all)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(MARGIN, 4, MARGIN, 4)
        column.setSpacing(4)
        column.addLayout(row)
        column.addLayout(pictures, 1)
        pages = pages_of(self.empty, page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pages)
        self.setFocusProxy(self.slider)
        return pages

    def _words(self) -> tuple[str, str]:
        """Return why there is nothing, and what can be done."""
        inspector = self._inspector
        if not inspector.is_on:
            text = self.tr("The bases and the functional map of the pair that is inspected.")
            return text, self.tr("Inspect the pair")
        if inspector.error or self._viewer.error:
            return inspector.error or self._viewer.error, ""
        if inspector.question is None:
            return self.tr("Show two different images to see the spectrum of the pair."), ""
        return self.tr("Matching…"), ""

    def _list(self, spectrum: Spectrum) -> None:
        """Show another spectrum."""
        self.functions.show_spectrum(spectrum)
        self.matrix.show_map(spectrum.C_st)
        was_blocked = self.slider.blockSignals(True)
        self.slider.setRange(min(_FEWEST, self._viewer.most), self._viewer.most)
        self.slider.setValue(self._viewer.k)
        self.slider.blockSignals(was_blocked)
        self.figures.setText(
            self.tr(
                "diagonal energy {0:.0f} %\northogonality error {1:.2f}\nbijectivity error {2:.2f}"
            ).format(100 * spectrum.diagonal, spectrum.orthogonality, spectrum.bijectivity)
        )
        self._plot(spectrum)

    def _plot(self, spectrum: Spectrum) -> None:
        """Draw the curves and the bars."""
        colors = theme.tokens()
        for plot in (self.evals, self.bands):
            plot.clear()
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(colors.hairline)
                plot.getAxis(side).setTextPen(colors.muted)
        self.evals.plot(spectrum.evals_s, pen=pg.mkPen(colors.accent, width=2))
        dashed = pg.mkPen(colors.warn, width=2, style=Qt.PenStyle.DashLine)
        self.evals.plot(spectrum.evals_t, pen=dashed)
        bars = pg.BarGraphItem(
            x=list(range(1, len(spectrum.bands) + 1)),
            height=(100 * spectrum.bands).tolist(),
            width=0.7,
            brush=colors.accent,
            pen=None,
        )
        self.bands.addItem(bars)

    def _sentence(self) -> str:
        """Return how many functions are taken, and what that changes."""
        viewer, spectrum = self._viewer, self._viewer.spectrum
        taken = self.tr("{0} of {1}").format(viewer.k, viewer.most)
        if viewer.k >= viewer.most:
            return taken
        if spectrum is not None and spectrum.question.mark.keypoints is None:
            return self.tr("{0}: there are no keypoints to move").format(taken)
        if viewer.error:
            return self.tr("{0}: {1}").format(taken, viewer.error)
        if viewer.band is None or viewer.band.question.k != viewer.k:
            return self.tr("{0}: …").format(taken)
        return self.tr("{0}: keypoints move by {1:.1f} px (median)").format(
            taken, viewer.band.shift
        )


def _plot(name: str) -> pg.PlotWidget:
    """Return an empty plot that nothing moves."""
    plot = pg.PlotWidget(background=None)
    plot.setAccessibleName(name)
    plot.setToolTip(name)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setFixedWidth(_PLOT)
    plot.setMinimumHeight(48)
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return plot


def _titled(title: str, widget: QWidget) -> QVBoxLayout:
    """Return a widget under its caption."""
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(caption(title))
    column.addWidget(widget, 1)
    return column
