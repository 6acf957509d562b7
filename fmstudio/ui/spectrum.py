"""The spectral side of the pair that is inspected: what is asked, and what is drawn of it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from fmstudio.session_live import Live
from fmstudio.session_spectrum import (
    BandAnswer,
    BandQuestion,
    HeatMap,
    PairQuestion,
    Spectrum,
    band_job,
    spectrum_job,
)
from fmstudio.ui.inspector import Inspector
from fmstudio.ui.tasks import sentence_of
from fmstudio.worker.service import EngineService, Priority, Ticket

SPECTRUM_LANE, BAND_LANE = "inspect:spectrum", "inspect:band"

Shown = tuple[bool, int]
"""Whether an eigenfunction is the source's, and its number from 0."""


class SpectrumViewer(QObject):
    """Asks for the spectrum of the inspected pair while somebody looks at it.

    Parameters
    ----------
    inspector : Inspector
        Whose pair it is.
    service : EngineService
    live : callable
        Returns the engine for the open project, or None.
    parent : QObject or None
    """

    changed = Signal()
    """There is another spectrum, or none, or another reason for that."""
    drawn = Signal()
    """Other things are to be drawn on the canvases."""

    def __init__(
        self,
        inspector: Inspector,
        service: EngineService,
        live: Callable[[], Live | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._inspector, self._service, self._live = inspector, service, live
        self._is_wanted = False
        self._question: PairQuestion | None = None
        self._asking: Ticket | None = None
        self._moving: Ticket | None = None
        self.spectrum: Spectrum | None = None
        self.band: BandAnswer | None = None
        self.k = 0
        self.shown: Shown | None = None
        self.error = ""
        service.itemReady.connect(self._on_item)
        service.finished.connect(self._on_ended)
        service.cancelled.connect(self._on_ended)
        service.failed.connect(self._on_failed)
        inspector.changed.connect(self._look_anew)

    @property
    def most(self) -> int:
        """Return how many functions the pair's map has, 0 without one."""
        spectrum = self.spectrum
        return 0 if spectrum is None else min(len(spectrum.evals_s), len(spectrum.evals_t))

    @property
    def function(self) -> HeatMap | None:
        """Return the eigenfunction that is drawn over its image."""
        if self.spectrum is None or self.shown is None:
            return None
        is_s, index = self.shown
        return (self.spectrum.functions_s if is_s else self.spectrum.functions_t)[index]

    def set_wanted(self, is_wanted: bool) -> None:
        """Ask, or draw nothing more."""
        self._is_wanted = is_wanted
        if is_wanted:
            self._look_anew()
        else:
            self.shown = None
            self.set_k(self.most)

    def show_function(self, shown: Shown | None) -> None:
        """Draw an eigenfunction over its image; the one that is drawn is taken away."""
        self.shown = None if shown == self.shown else shown
        self.changed.emit()
        self.drawn.emit()

    def set_k(self, k: int) -> None:
        """Show where the keypoints lie by the first k functions; by all of them as they are."""
        self.k = k
        if k >= self.most:
            self.band = None
            self.drawn.emit()
        self.changed.emit()
        self._move()

    # Private

    def _look_anew(self) -> None:
        """Ask about the pair that is matched now, if it is another one."""
        question = None if self._inspector.found is None else self._inspector.question
        if question is not self._question:
            for lane in (SPECTRUM_LANE, BAND_LANE):
                self._service.cancel(lane)
            self._question = question
            self._asking = self._moving = self.spectrum = self.band = self.shown = None
            self.k, self.error = 0, ""
            self.changed.emit()
            self.drawn.emit()
        live = self._live()
        is_known = self.spectrum is not None or self._asking is not None or bool(self.error)
        if self._is_wanted and question is not None and live is not None and not is_known:
            self._asking = self._service.submit(
                SPECTRUM_LANE,
                lambda token: spectrum_job(live, question, token),
                priority=Priority.INTERACTIVE,
            )

    def _move(self) -> None:
        """Ask for the keypoints by k functions, unless an answer is on its way."""
        live, question = self._live(), self._question
        if live is None or question is None or self._moving is not None or self.k >= self.most:
            return
        if self.band is not None and self.band.question.k == self.k:
            return
        asked = BandQuestion(question, self.k)
        self._moving = self._service.submit(
            BAND_LANE, lambda token: band_job(live, asked, token), priority=Priority.PREVIEW
        )

    def _on_item(self, ticket: Ticket, item: object) -> None:
        """Keep what has come."""
        if ticket == self._asking and isinstance(item, Spectrum):
            self.spectrum = item
            self.k = self.most
            self.changed.emit()
        elif ticket == self._moving and isinstance(item, BandAnswer) and self.k < self.most:
            self.band, self.error = item, ""
            self.changed.emit()
            self.drawn.emit()

    def _on_ended(self, ticket: Ticket) -> None:
        """Ask what has been wished for meanwhile."""
        if ticket == self._asking:
            self._asking = None
        elif ticket == self._moving:
            self._moving = None
            self._move()

    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """Keep the reason."""
        if ticket in (self._asking, self._moving):
            self._asking = self._moving = None
            self.error = sentence_of(error)
            self.changed.emit()
