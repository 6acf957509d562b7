import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fmstudio.errors import MatchError
from fmstudio.ui.tasks import (
    State,
    Task,
    Tasks,
    count_text,
    duration_text,
    pace_text,
    sentence_of,
)
from fmstudio.worker.service import EngineService


@dataclass(frozen=True)
class Step:
    done: int
    total: int
    phase: str = "features"


@pytest.fixture
def service(qapp) -> Iterator[EngineService]:
    service = EngineService()
    yield service
    assert service.shutdown(5000)


def paced(*marks: tuple[float, int], total: int = 300, unit: str = "img") -> Task:
    task = Task("Propagating", unit=unit, phase="features")
    for now, done in marks:
        task.mark(done, total, now)
    return task


def test_the_rate_leaves_the_first_step_out():
    task = paced((0, 0), (60, 1), (61, 2), (62, 3))
    assert task.rate() == pytest.approx(1.0)
    assert paced((0, 0), (4, 2)).rate() == pytest.approx(0.5)
    assert paced((0, 0)).rate() is None


def test_the_rate_follows_a_change():
    task = paced(*((float(i), i) for i in range(20)), *((19 + i / 4, 19 + i) for i in range(1, 20)))
    assert task.rate() == pytest.approx(4.0)


def test_the_time_that_is_left_runs_down_between_two_steps():
    task = paced((0, 1), (1, 2), (2, 3), total=103)
    assert task.seconds_left(2) == pytest.approx(100)
    assert task.seconds_left(5) == pytest.approx(97)
    assert task.seconds_left(5000) == 0
    assert paced((0, 0)).seconds_left(1) is None


def test_how_a_task_reads():
    task = paced(*((i / 3.1, i) for i in range(200, 215)))
    assert count_text(task) == "features 214/300"
    assert pace_text(task, 214 / 3.1) == "3.1 img/s, 28 s left"
    assert count_text(Task("Adding images")) == "Adding images"
    assert pace_text(Task("Adding images"), 0) == ""
    slow = paced((0, 1), (30, 2), total=3)
    assert pace_text(slow, 30) == "30 s/img, 30 s left"
    load = paced((0, 0), (1, 2_000_000), (2, 4_000_000), total=38_000_000, unit="B")
    assert count_text(load) == "Propagating 4.0/38.0 MB"
    assert pace_text(load, 2) == "2.0 MB/s, 17 s left"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (99, "99 s"), (200, "3 min"), (4800, "1 h 20 min")]
)
def test_durations(seconds, text):
    assert duration_text(seconds) == text


def test_a_sentence_for_any_error():
    assert sentence_of(MatchError("There is nothing to carry.")) == "There is nothing to carry."
    assert "(KeyError: 3)" in sentence_of(KeyError(3))
    assert "(ValueError)" in sentence_of(ValueError())


def test_a_task_counts_and_hands_its_items_on(tasks, qtbot):
    items, done, states = [], [], []
    tasks.taskChanged.connect(lambda task: states.append(task.state))
    with qtbot.waitSignal(tasks.taskAdded) as added:
        task = tasks.start(
            "Propagating",
            "propagate",
            lambda token: iter([Step(0, 2), "first", Step(1, 2), "second", Step(2, 2)]),
            on_item=items.append,
            on_done=lambda: done.append(task.state),
        )
    assert added.args == [task]
    assert task.state is State.WAITING
    assert tasks.current is task
    qtbot.waitUntil(lambda: bool(done))
    assert items == [Step(0, 2), "first", Step(1, 2), "second", Step(2, 2)]
    assert done == [State.DONE]
    assert (task.done, task.total, task.phase) == (2, 2, "features")
    assert states[0] is State.RUNNING
    assert states[-1] is State.DONE
    assert tasks.current is None
    assert tasks.tasks == (task,)


def test_a_failure_has_its_sentence_and_reaches_who_asked(tasks, qtbot):
    errors = []

    def broken(token):
        yield 1
        raise MatchError("Two images cannot be matched.")

    task = tasks.start("Propagating", "propagate", broken, on_error=errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], MatchError)
    assert task.state is State.FAILED
    assert task.error == "Two images cannot be matched."


def test_a_failure_that_nobody_waits_for_goes_to_the_log(tasks, qtbot, caplog):
    def broken(token):
        raise MatchError("Two images cannot be matched.")

    task = tasks.start("Propagating", "propagate", broken)
    qtbot.waitUntil(lambda: task.state is State.FAILED)
    assert caplog.messages == ["Propagating: Two images cannot be matched."]


def test_cancel_ends_a_task_at_once(tasks, qtbot):
    begun, said = threading.Event(), []

    def endless(token):
        while not token.is_cancelled:
            begun.set()
            yield Step(0, 9)

    task = tasks.start("Exporting", "export", endless, on_cancelled=lambda: said.append(1))
    assert begun.wait(5)
    tasks.cancel(task)
    assert task.state is State.CANCELLED
    assert said == [1]
    tasks.cancel(task)
    assert said == [1]


def test_a_later_task_in_the_lane_ends_the_one_before(tasks, qtbot):
    first = tasks.start("Old", "import", lambda token: iter(range(10**9)))
    second = tasks.start("New", "import", lambda token: iter([1]))
    assert first.state is State.CANCELLED
    qtbot.waitUntil(lambda: second.state is State.DONE)


def test_what_is_not_a_task_is_left_alone(tasks, service, qtbot):
    with qtbot.waitSignal(service.finished):
        service.submit("thumbnails", lambda token: iter([Step(1, 2)]))
    assert tasks.tasks == ()


def test_ended_tasks_are_listed_for_a_while_and_can_be_dismissed(tasks, qtbot):
    all_tasks = []
    for number in range(23):
        task = tasks.start(f"Task {number}", "export", lambda token: iter([1]))
        qtbot.waitUntil(lambda task=task: task.state is State.DONE)
        all_tasks.append(task)
    assert tasks.tasks == tuple(all_tasks[3:])
    with qtbot.waitSignal(tasks.taskRemoved) as removed:
        tasks.dismiss(all_tasks[5])
    assert removed.args == [all_tasks[5]]
    running = tasks.start("Runs", "import", lambda token: iter(range(10**9)))
    tasks.dismiss(running)
    tasks.clear_ended()
    assert tasks.tasks == (running,)
    tasks.cancel(running)


def test_a_fast_task_speaks_ten_times_a_second_and_ends_with_its_last_word(service, qtbot):
    """Five hundred items by a clock that stands still are one change, then the end."""
    tasks = Tasks(service, clock=lambda: 0.0)
    seen = []
    tasks.taskChanged.connect(lambda task: seen.append((task.state, task.done)))
    steps = [Step(i, 500) for i in range(501)]
    task = tasks.start("Adding images", "import", lambda token: iter(steps))
    qtbot.waitUntil(lambda: not task.is_active)
    assert seen[0] == (State.RUNNING, 0)
    assert seen[-1] == (State.DONE, 500)
    assert len(seen) < 50
