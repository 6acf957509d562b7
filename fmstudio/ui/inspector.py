"""The correspondence inspector: what a pair's map says, live, while the person looks at it.

It asks one thing at a time and always the latest: while an answer is on its way, only the newest
place of the pointer is kept. Off, it computes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from fmstudio.session_inspect import (
    Layers,
    PairFound,
    PairQuestion,
    PointAnswer,
    PointQuestion,
    answer_job,
    find_job,
    pair_question,
)
from fmstudio.ui.controller import Controller
from fmstudio.ui.inspector_choices import InspectorChoices
from fmstudio.ui.preferences import Preferences
from fmstudio.ui.tasks import sentence_of
from fmstudio.worker.service import EngineService, Priority, Ticket

if TYPE_CHECKING:
    from fmstudio.session_live import Live

LANE, POINT_LANE = "inspect", "inspect:point"
Xy = tuple[float, float]


class Inspector(QObject):
    """Asks about the pair that is shown, and keeps what was answered.

    Parameters
    ----------
    controller : Controller
    service : EngineService
        Matches in the lane "inspect", answers points in "inspect:point".
    preferences : Preferences
        Where the choice of layers is remembered.
    live : callable
        Returns the engine for the open project, or None; see `LiveSource.live`.
    parent : QObject or None
    """

    changed = Signal()
    """Another pair, choice, state or set of layers."""
    answered = Signal()
    """Another answer about a point, or none any more."""

    def __init__(
        self,
        controller: Controller,
        service: EngineService,
        preferences: Preferences,
        live: "Callable[[], Live | None]",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._service = controller, service
        self._preferences, self._source = preferences, live
        self._is_on = False
        self._choices = preferences.inspector
        self._live: Live | None = None
        self._question: PairQuestion | None = None
        self._found: PairFound | None = None
        self._layers: Layers | None = None
        self._error = ""
        self._finding: Ticket | None = None
        self._asking: Ticket | None = None
        self._wish: PointQuestion | None = None
        self._asked: PointQuestion | None = None
        self._answer: PointAnswer | None = None
        self._is_pinned = False
        service.itemReady.connect(self._on_item)
        service.finished.connect(self._on_finished)
        service.failed.connect(self._on_failed)
        service.cancelled.connect(self._on_cancelled)
        for signal in (
            controller.sessionChanged,
            controller.projectChanged,
            controller.shownChanged,
            controller.selectionChanged,
            controller.categoryChanged,
            preferences.changed,
        ):
            signal.connect(self._look_anew)

    # What there is

    @property
    def is_on(self) -> bool:
        """Return whether anything is asked at all."""
        return self._is_on

    @property
    def choices(self) -> InspectorChoices:
        """Return which layers are drawn."""
        return self._choices

    @property
    def question(self) -> PairQuestion | None:
        """Return the pair that is looked at; None while off, or without two images."""
        return self._question

    @property
    def found(self) -> PairFound | None:
        """Return what is said of the pair as a whole, once it is matched."""
        return self._found

    @property
    def layers(self) -> Layers | None:
        """Return what can be drawn of the pair, once it is computed."""
        return self._layers

    @property
    def answer(self) -> PointAnswer | None:
        """Return what was answered about the point under the pointer, or the pinned one."""
        return self._answer

    @property
    def is_pinned(self) -> bool:
        """Return whether the answer stays wherever the pointer goes."""
        return self._is_pinned

    @property
    def error(self) -> str:
        """Return why the pair could not be matched, as a sentence; empty if it could."""
        return self._error

    # Wishes

    def set_on(self, is_on: bool) -> None:
        """Begin or end to ask."""
        if is_on != self._is_on:
            self._is_on = is_on
            self._look_anew()
            self.changed.emit()

    def choose(self, choices: InspectorChoices) -> None:
        """Draw other layers; remembered for good."""
        if choices == self._choices:
            return
        self._choices = choices
        self._preferences.inspector = choices
        if self._answer is not None:
            self._wish = self._wish or self._answer.question
        if self._wish is not None:
            self._wish = replace(self._wish, heat=self._heat())
        self.changed.emit()
        self._ask()

    def hover(self, xy: Xy | None, *, is_back: bool) -> None:
        """Ask about the place under the pointer; None forgets it. A pinned point stays.

        Parameters
        ----------
        xy : tuple of float, or None
            Image pixels of the reference; of the target if ``is_back``.
        is_back : bool
        """
        if self._question is None or self._is_pinned:
            return
        if xy is None:
            # The other canvas may have the pointer already.
            if self._wish is None or self._wish.is_back == is_back:
                self._forget_point()
            return
        self._wish = PointQuestion(self._question, xy, is_back, self._heat())
        self._ask()

    def pin(self, xy: Xy, *, is_back: bool) -> bool:
        """Ask about a place and keep the answer; return whether there is a pair to ask about."""
        if self._question is None:
            return False
        self._is_pinned = False
        self.hover(xy, is_back=is_back)
        self._is_pinned = True
        self.answered.emit()
        return True

    def toggle_pin(self) -> None:
        """Keep the point under the pointer, or let the pinned one go."""
        if not self.unpin() and self._wish is not None:
            self._is_pinned = True
            self.answered.emit()

    def unpin(self) -> bool:
        """Let the pinned point go; return whether there was one."""
        was_pinned = self._is_pinned
        if was_pinned:
            self._forget_point()
        return was_pinned

    # Private

    def _look_anew(self, *_: object) -> None:
        """Ask about the pair that is shown now, if it is another one."""
        live = self._source() if self._is_on else None
        question = None if live is None else self._shown_pair()
        if question == self._question and live is self._live:
            return
        for lane in (LANE, POINT_LANE):
            self._service.cancel(lane)
        self._live, self._question = live, question
        self._found = self._layers = self._finding = self._asking = None
        self._error = ""
        self._forget_point()
        if live is not None and question is not None:
            self._finding = self._service.submit(
                LANE,
                lambda token: find_job(live, question, token),
                priority=Priority.INTERACTIVE,
            )
        self.changed.emit()

    def _shown_pair(self) -> PairQuestion | None:
        """Return what is looked for in the images that are shown."""
        controller, project = self._controller, self._controller.project
        if project is None:
            return None
        return pair_question(
            project,
            controller.reference_id,
            controller.target_id,
            controller.category_id,
            controller.selection.annotation_id,
        )

    def _heat(self) -> str:
        """Return which distribution to ask for; one comes along even where none is drawn."""
        return "map" if self._choices.heat == "off" else self._choices.heat

    def _ask(self) -> None:
        """Ask about the latest wish, unless an answer is on its way."""
        live, wish = self._live, self._wish
        if live is None or wish is None or self._found is None or self._asking is not None:
            return
        if wish == self._asked and self._answer is not None:
            return
        self._asked = wish
        self._asking = self._service.submit(
            POINT_LANE, lambda token: answer_job(live, wish, token), priority=Priority.PREVIEW
        )

    def _forget_point(self) -> None:
        """Show nothing of any point."""
        self._wish = self._asked = None
        self._is_pinned = False
        self._answer = None
        self.answered.emit()

    # What the compute thread sends

    def _on_item(self, ticket: Ticket, item: object) -> None:
        """Keep what has come."""
        if ticket == self._asking and isinstance(item, PointAnswer) and self._wish is not None:
            self._answer = item
            self.answered.emit()
        elif ticket == self._finding:
            if isinstance(item, PairFound):
                self._found = item
                self._ask()
            elif isinstance(item, Layers):
                self._layers = item
            self.changed.emit()

    def _on_finished(self, ticket: Ticket) -> None:
        """Ask what has been wished for meanwhile."""
        if ticket == self._asking:
            self._asking = None
            self._ask()
        elif ticket == self._finding:
            self._finding = None

    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """Keep the reason."""
        if ticket in (self._asking, self._finding):
            self._asking = self._finding = None
            self._error = sentence_of(error)
            self._found = self._layers = None
            self._forget_point()
            self.changed.emit()

    def _on_cancelled(self, ticket: Ticket) -> None:
        """Nothing more comes of it."""
        if ticket == self._asking:
            self._asking = None
        elif ticket == self._finding:
            self._finding = None
