"""Workers of Ray, for real: what they bring is what one process brings, whatever ends meanwhile."""

import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.ray_cluster import RayCluster, RayWish
from fmstudio.engine.requests import (
    Event,
    Failure,
    MatchSettings,
    Progress,
    PropagationRequest,
    Proposal,
)
from fmstudio.errors import Cancelled, MatchError
from fmstudio.io.coco import CocoOptions
from fmstudio.project.edits import RenameProject
from fmstudio.project.model import Status
from fmstudio.session import Session
from fmstudio.session_jobs import events_over_ray

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SMALL = MatchSettings(long_side=256, fine_side=0)
WISH = RayWish("local", 2)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A small cluster on this machine, which all tests of this module use."""
    try:
        wish = RayCluster(WISH)
    except MatchError:
        pytest.skip("Ray is not installed: pip install 'fmstudio[distributed]'")
    ray = wish.ray
    token = tmp_path_factory.mktemp("ray") / "token"
    token.write_text(secrets.token_hex(32))
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=200 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield ray
    ray.shutdown()
    del os.environ["RAY_AUTH_TOKEN_PATH"]


@pytest.fixture
def make_project(
    tmp_path: Path, sample: Path, command: Callable[..., Any]
) -> Callable[[str], Path]:
    """Return a function that makes projects of the same photos, of which one is annotated."""
    photos = tmp_path / "photos"
    for name in ("cats", "views"):
        shutil.copytree(sample / name / "images", photos / name)
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    document["images"] = document["images"][:1]
    document["annotations"] = document["annotations"][:1]
    labels = tmp_path / "one.json"
    labels.write_text(json.dumps(document), encoding="utf-8")

    def make(name: str) -> Path:
        path = tmp_path / f"{name}.fmstudio"
        assert command("new", path, photos).code == 0
        assert command("import-coco", path, labels, "--images", photos / "cats").code == 0
        with Session.open(path) as session:
            session.perform(RenameProject("cats"))
        return path

    return make


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as each worker does: more would sum in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def workers() -> list[int]:
    """Return the process ids of this machine's workers; none where there is no /proc."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at.
        with suppress(OSError):
            if (place / "cmdline").read_bytes().startswith(b"ray::RayWorker"):
                found.append(int(place.name))
    return found


def kill_a_worker() -> int:
    """End the process of one worker at once; return its id."""
    one = workers()[0]
    os.kill(one, signal.SIGKILL)
    return one


def request_of(session: Session, settings: MatchSettings = SMALL) -> PropagationRequest:
    (annotation,) = session.project.annotations.values()
    return session.request([annotation.image_id], session.targets("all"), settings)


def over_ray(session: Session, request: PropagationRequest, token: CancelToken) -> Iterator[Event]:
    return events_over_ray(request, session.load, token, session.cache_dir, "cpu", WISH)


def landed(session: Session, events: Iterable[Event]) -> tuple[bytes, list[Failure]]:
    """Land what comes; return the project with its proposals as COCO, and what failed."""
    failed = []
    for event in events:
        if isinstance(event, Proposal):
            session.receive(event)
        elif isinstance(event, Failure):
            failed.append(event)
    session.land()
    path = session.path.with_suffix(".json")
    statuses = (Status.ACCEPTED, Status.PROPOSED)
    session.export_coco(path, CocoOptions(statuses=statuses))
    return path.read_bytes(), failed


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds the worker in /proc")
def test_a_killed_worker_and_a_bad_image_leave_the_bytes_as_they_are(
    cluster: Any, make_project: Callable[[str], Path]
) -> None:
    here, there = make_project("here"), make_project("there")
    with Session.open(here) as session, one_thread():
        request = request_of(session)
        bad = session.project.images[request.targets[3].id]
        session.path_of(bad).unlink()
        expected, failed = landed(session, session.job(request, CancelToken(), "cpu"))
    assert [failure.target.name for failure in failed] == [bad.path]

    killed: list[int] = []

    def killing(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            yield event
            if isinstance(event, Proposal) and not killed:
                killed.append(kill_a_worker())

    with Session.open(there) as session:
        request = request_of(session)
        events = list(killing(over_ray(session, request, CancelToken())))
        outcomes = [event for event in events if isinstance(event, Proposal | Failure)]
        assert [event.target for event in outcomes] == list(request.targets)
        assert landed(session, events) == (expected, failed)
    assert killed
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == len(request.targets)


def test_the_command_and_maps_that_agree(
    cluster: Any, make_project: Callable[[str], Path], command: Callable[..., Any]
) -> None:
    files = []
    for name, more in (("here", ()), ("there", ("--ray", "local", "--ray-workers", "2"))):
        project = make_project(name)
        args = ["propagate", project, "--from", "siamese.jpg", "--to", "all", "--device", "cpu"]
        args += ["--set", "long_side=256", "--set", "fine_side=0", "--set", "consistency=0.1"]
        with one_thread():
            ran = command(*args, *more, "--json")
        assert ran.code == 0, ran.err
        assert ran.json()["landed"] == 12
        files.append(project.with_suffix(".json"))
        assert command("export", project, files[-1], "--proposals").code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_cancel_is_answered_at_once_and_keeps_what_was_finished(
    cluster: Any, make_project: Callable[[str], Path]
) -> None:
    with Session.open(make_project("cats")) as session:
        request, token = request_of(session), CancelToken()
        events = over_ray(session, request, token)
        came = [next(event for event in events if isinstance(event, Proposal))]
        token.cancel()
        asked = time.monotonic()
        with pytest.raises(Cancelled):
            came.extend(event for event in events if isinstance(event, Proposal))
        assert time.monotonic() - asked < 0.5
        assert 1 <= len(came) < len(request.targets)
    deadline = time.monotonic() + 30
    while workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not workers()
