"""The compute thread: order, cancelling, superseding, errors, shutdown."""

import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QThread, QTimer

from fmstudio.errors import Cancelled, MatchError
from fmstudio.worker.service import EngineService, Priority, Ticket


class Ear(QObject):
    """Hears everything that a service says, on the thread that it lives in."""

    def __init__(self, service: EngineService) -> None:
        super().__init__()
        self.items: list[tuple[str, object]] = []
        self.ends: list[tuple[str, str]] = []
        self.errors: list[Exception] = []
        self.threads: set[QThread] = set()
        service.itemReady.connect(self.on_item)
        service.finished.connect(self.on_finished)
        service.failed.connect(self.on_failed)
        service.cancelled.connect(self.on_cancelled)

    def on_item(self, ticket: Ticket, item: object) -> None:
        self.threads.add(QThread.currentThread())
        self.items.append((ticket.lane, item))

    def on_finished(self, ticket: Ticket) -> None:
        self.ends.append((ticket.lane, "finished"))

    def on_failed(self, ticket: Ticket, error: Exception) -> None:
        self.ends.append((ticket.lane, "failed"))
        self.errors.append(error)

    def on_cancelled(self, ticket: Ticket) -> None:
        self.ends.append((ticket.lane, "cancelled"))


class Gate:
    """A stream that yields 0, 1, ... and waits for a push before each."""

    def __init__(self) -> None:
        self.pushes = threading.Semaphore(0)
        self.began = threading.Event()
        self.closed = threading.Event()

    def __call__(self, token) -> Iterator[int]:
        try:
            number = 0
            while True:
                self.began.set()
                while not self.pushes.acquire(timeout=0.01):
                    token.check()
                yield number
                number += 1
        finally:
            self.closed.set()


@pytest.fixture
def service(qapp):
    service = EngineService()
    yield service
    assert service.shutdown(5000)


@pytest.fixture
def ear(service):
    return Ear(service)


def test_items_come_in_order_on_the_gui_thread_and_then_the_end(service, ear, qtbot):
    seen = []

    def make(token):
        seen.append(QThread.currentThread())
        yield from range(50)

    with qtbot.waitSignal(service.finished):
        service.submit("propagate", make)
    assert ear.items == [("propagate", n) for n in range(50)]
    assert ear.ends == [("propagate", "finished")]
    assert ear.threads == {QThread.currentThread()}
    assert len(seen) == 1
    assert seen[0] is not QThread.currentThread()
    assert not service.is_busy()


def test_cancel_answers_at_once_though_the_step_goes_on(service, ear, qtbot):
    begun, release = threading.Event(), threading.Event()

    def stubborn(token):
        begun.set()
        release.wait(10)  # one long step, deaf to its token
        yield "too late"

    service.submit("propagate", stubborn)
    assert begun.wait(5)
    started = time.monotonic()
    service.cancel("propagate")
    assert time.monotonic() - started < 0.5
    assert ear.ends == [("propagate", "cancelled")]
    assert not service.is_busy("propagate")
    release.set()
    with qtbot.waitSignal(service.finished):
        service.submit("export", lambda token: iter(["next"]))
    assert ear.items == [("export", "next")]
    assert ear.ends == [("propagate", "cancelled"), ("export", "finished")]


def test_a_cancelled_stream_is_closed_on_the_compute_thread_within_half_a_second(
    service, ear, qtbot
):
    gate = Gate()
    gate.pushes.release()
    with qtbot.waitSignal(service.itemReady):
        service.submit("propagate", gate)
    started = time.monotonic()
    service.cancel("propagate")
    assert gate.closed.wait(5)
    assert time.monotonic() - started < 0.5


def test_a_preview_overtakes_a_batch_at_the_next_item(service, ear, qtbot):
    gate = Gate()
    service.submit("propagate", gate, priority=Priority.BATCH)
    assert gate.began.wait(5)
    service.submit("view:target", lambda token: iter("ab"), priority=Priority.PREVIEW)
    gate.pushes.release()
    with qtbot.waitSignal(service.finished):
        pass
    assert ear.items == [("propagate", 0), ("view:target", "a"), ("view:target", "b")]
    gate.pushes.release()
    with qtbot.waitSignal(service.itemReady):
        pass
    assert ear.items[-1] == ("propagate", 1)
    service.cancel("propagate")


def test_a_batch_waits_for_the_batch_before_it(service, ear, qtbot):
    service.submit("thumbnails", lambda token: iter("ab"))
    with qtbot.waitSignals([service.finished, service.finished]):
        service.submit("export", lambda token: iter("c"))
    assert [item for _, item in ear.items] == ["a", "b", "c"]


def test_a_later_job_in_the_lane_supersedes_and_its_forerunner_is_not_heard(service, ear, qtbot):
    gate = Gate()
    old = service.submit("view:target", gate)
    assert gate.began.wait(5)
    gate.pushes.release(3)
    assert gate.began.wait(5)
    with qtbot.waitSignal(service.finished) as done:
        new = service.submit("view:target", lambda token: iter(["new"]))
    assert done.args == [new]
    assert not service.is_live(old)
    assert ear.items == [("view:target", "new")]
    assert ear.ends == [("view:target", "cancelled"), ("view:target", "finished")]


def test_what_waits_is_cancelled_without_ever_beginning(service, ear, qtbot):
    gate, begun = Gate(), []
    service.submit("propagate", gate)
    assert gate.began.wait(5)
    service.submit("export", lambda token: begun.append(1) or iter(()))
    assert service.is_busy("export")
    service.cancel("export")
    service.cancel("propagate")
    with qtbot.waitSignal(service.finished):
        service.submit("import", lambda token: iter(()))
    assert begun == []
    assert ear.ends[:2] == [("export", "cancelled"), ("propagate", "cancelled")]


def test_an_error_is_delivered_and_the_thread_survives(service, ear, qtbot, caplog):
    def broken(token):
        yield 1
        raise ZeroDivisionError("by nought")

    with qtbot.waitSignal(service.failed):
        service.submit("propagate", broken)
    assert isinstance(ear.errors[0], ZeroDivisionError)
    assert "ZeroDivisionError: by nought" in caplog.text
    with qtbot.waitSignal(service.finished):
        service.submit("propagate", lambda token: iter([2]))
    assert ear.items == [("propagate", 1), ("propagate", 2)]


def test_an_error_before_the_first_item_is_delivered_too(service, ear, qtbot, caplog):
    def refuses(token):
        raise MatchError("There is nothing to carry.")

    with qtbot.waitSignal(service.failed):
        service.submit("propagate", refuses)
    assert str(ear.errors[0]) == "There is nothing to carry."
    assert caplog.text == ""  # a sentence for the person, no fault of the program


def test_a_job_may_give_up_itself(service, ear, qtbot):
    def gives_up(token):
        raise Cancelled("Cancelled.")

    with qtbot.waitSignal(service.cancelled):
        service.submit("models", gives_up)
    assert ear.ends == [("models", "cancelled")]


def test_a_fast_job_leaves_the_window_its_turns(service, ear, qtbot):
    """Without a bound on what is in flight, a timer would wait until the last item."""
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(len(ear.items)))
    timer.start(0)
    with qtbot.waitSignal(service.finished):
        service.submit("thumbnails", lambda token: iter(range(400)))
    timer.stop()
    assert len(ear.items) == 400
    gaps = [b - a for a, b in zip([0, *ticks], [*ticks, 400], strict=True)]
    assert max(gaps) <= 8


def test_shutdown_in_mid_run_ends_within_a_second(qapp):
    service, gate = EngineService(), Gate()
    ear = Ear(service)
    service.submit("propagate", gate)
    assert gate.began.wait(5)
    started = time.monotonic()
    assert service.shutdown()
    assert time.monotonic() - started < 1
    assert ear.ends == [("propagate", "cancelled")]
    with pytest.raises(RuntimeError, match="shut down"):
        service.submit("propagate", gate)
    assert service.shutdown()


def test_shutdown_does_not_wait_for_a_deaf_step(qapp):
    service = EngineService()
    begun, release = threading.Event(), threading.Event()

    def stubborn(token):
        begun.set()
        release.wait(10)
        yield 1

    service.submit("propagate", stubborn)
    assert begun.wait(5)
    started = time.monotonic()
    assert not service.shutdown(100)
    assert time.monotonic() - started < 1
    release.set()
    assert service.shutdown(5000)
