"""The command propagate: carry what is accepted on some images to others, and land it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fmstudio.cli_output import note, progress, say, say_json, stop_on_interrupt, warn
from fmstudio.cli_settings import checked_settings
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.keys import request_key
from fmstudio.engine.ray_cluster import RayWish
from fmstudio.engine.requests import (
    Event,
    Failure,
    MatchSettings,
    Progress,
    PropagationRequest,
    Proposal,
)
from fmstudio.errors import Cancelled, MatchError, ProjectError
from fmstudio.project.model import ImageItem, InboxEntry, Propagated
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_jobs import events_over_ray
from fmstudio.session_requests import reviewed_targets

_SETS = ("all", "unlabelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asked for.

    Attributes
    ----------
    references, targets : tuple of str
        Names of images; targets also "all" or "unlabelled" alone.
    accept_above : float or None
        Confidence in [0, 1] from which proposals are accepted; None leaves all to review.
    settings : MatchSettings
    device : str
    ray : RayWish or None
        Where workers of Ray compute; None computes in this process.
    """

    references: tuple[str, ...]
    targets: tuple[str, ...]
    accept_above: float | None = None
    settings: MatchSettings = field(default_factory=MatchSettings)
    device: str = "auto"
    ray: RayWish | None = None


@dataclass(slots=True)
class Outcome:
    """What became of it.

    Attributes
    ----------
    landed, accepted : tuple of int
        Ids of new proposals, and of those among them that were accepted.
    recovered : tuple of int
        Ids of proposals that an earlier run left in the inbox and this one landed first.
    skipped : int
        Targets that were not done, because such a proposal, or accepted work, is theirs already.
    empty : tuple of str
        Names of targets on which nothing was found.
    failed : list of Failure
    left_out, notes : tuple of str, list of str
        Sentences: proposals that could not be landed, degradations taken on the way.
    is_stopped : bool
        Whether the person stopped it.
    """

    landed: tuple[int, ...] = ()
    accepted: tuple[int, ...] = ()
    recovered: tuple[int, ...] = ()
    skipped: int = 0
    empty: tuple[str, ...] = ()
    failed: list[Failure] = field(default_factory=list)
    left_out: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    is_stopped: bool = False
    seconds: float = 0.0


def propagate(path: Path, wish: Wish, *, as_json: bool) -> None:
    """Carry annotations to other images of a project and say what came of it.

    Raises
    ------
    Cancelled
        If the person stopped it; what had come is landed.
    MatchError
        If no target could be done.
    ProjectError
        If a name fits no image, or a reference has nothing accepted.
    """
    started = time.monotonic()
    with Session.open(path) as session:
        try:
            outcome = run(session, wish)
        except KeyboardInterrupt as error:
            raise Cancelled(_killed_sentence(session)) from error
    outcome.seconds = time.monotonic() - started
    if as_json:
        say_json(_as_json(outcome))
    else:
        _say(outcome, wish)
    if outcome.is_stopped:
        raise Cancelled(_stopped_sentence(outcome))
    if outcome.failed and not outcome.landed and not outcome.recovered:
        raise MatchError("Nothing was propagated: no target image could be read.")


def run(session: Session, wish: Wish) -> Outcome:
    """Land what an earlier run left, carry annotations to the targets that remain, and land those.

    Every proposal is in the project's file as soon as it has come, so a killed run loses none.
    """
    outcome = Outcome()
    kept = session.inbox
    outcome.recovered = recover(session)
    request = _request(session, wish)
    if request is not None:
        done = _done_already(session, request, kept)
        idle = done | reviewed_targets(session.project, request)
        rest = tuple(target for target in request.targets if target.id not in idle)
        outcome.skipped = len(request.targets) - len(rest)
        if rest:
            _stream(session, replace(request, targets=rest), wish, outcome)
            report = session.land()
            outcome.landed, outcome.left_out = report.landed, report.left_out
        if wish.accept_above is not None and not outcome.is_stopped:
            ids = outcome.landed + tuple(i for i in outcome.recovered if _is_of(session, i, done))
            outcome.accepted = session.accept_above(wish.accept_above, ids)
    return outcome


def names_in_project(session: Session, names: Sequence[str]) -> list[str]:
    """Return the project's names for images of which some may be named as files.

    What a shell completes or expands is a path from where it stands, not from the project.

    Raises
    ------
    ProjectError
        If a file is named that is not in the project.
    """
    project = session.project
    named: dict[str, list[ImageItem]] = {}
    for image in project.images.values():
        named.setdefault(image.file_name, []).append(image)
    found = []
    for name in names:
        path = Path(name)
        if name in project.of_path or not path.is_file():
            found.append(name)
            continue
        real = path.resolve()
        same = [i for i in named.get(path.name, []) if session.path_of(i).resolve() == real]
        if not same:
            raise ProjectError(
                f"The image {name} is not in the project {session.path}: add it first."
            )
        found.append(same[0].path)
    return found


def recover(session: Session) -> tuple[int, ...]:
    """Land the inbox of a run that ended early, and say so; return the ids of its proposals."""
    if not session.inbox:
        return ()
    note(
        f"An earlier run ended before its {counted(len(session.inbox), 'image')} could be landed: "
        "landing what it left."
    )
    report = session.land("Land what an earlier propagation left")
    warn(report.left_out)
    return report.landed


def _request(session: Session, wish: Wish) -> PropagationRequest | None:
    """Return the request, or None if every unlabelled image is done already."""
    project = session.project
    names = names_in_project(session, wish.references)
    references = [image.id for image in project.find_images(names)]
    if len(wish.targets) == 1 and wish.targets[0] in _SETS:
        targets = session.targets(wish.targets[0])
        if not set(targets) - set(references) and wish.targets[0] == "unlabelled":
            return None
    else:
        targets = session.targets(names_in_project(session, wish.targets))
    return session.request(references, targets, wish.settings)


def _done_already(
    session: Session, request: PropagationRequest, kept: Sequence[InboxEntry]
) -> frozenset[int]:
    """Return the targets whose kept proposals are what this request would bring.

    The key stands for the references' images and all settings; what is outdated by a change of
    the annotations was not landed.
    """
    key = request_key(tuple(r.image.key for r in request.references), request.settings)
    now = {
        (a.image_id, a.provenance.key)
        for entry in kept
        for a in session.project.annotations_of(entry.image_id)
        if isinstance(a.provenance, Propagated)
    }
    fresh = {entry.image_id for entry in kept if session.outdated_reason(entry) is None}
    return frozenset(id_ for id_ in fresh if (id_, key) in now)


def _is_of(session: Session, annotation_id: int, images: frozenset[int]) -> bool:
    """Return whether an annotation is on one of these images."""
    annotation = session.project.annotations.get(annotation_id)
    return annotation is not None and annotation.image_id in images


def _stream(session: Session, request: PropagationRequest, wish: Wish, outcome: Outcome) -> None:
    """Pull the engine's stream into the inbox until it ends or the person stops it."""
    token = CancelToken()
    total = len(request.targets)
    title = f"Propagating from {counted(len(request.references), 'image')}"
    empty, notes = [], dict.fromkeys(outcome.notes)
    # A default that does not work is a fault of the program, and not of what was typed.
    is_default = wish.settings == MatchSettings() and wish.device == "auto"
    with progress(title, "images", total) as report:
        events = _events(session, request, token, wish)
        with stop_on_interrupt(token), nullcontext() if is_default else checked_settings():
            try:
                for event in events:
                    if isinstance(event, Progress):
                        report(event.done, event.total)
                    elif isinstance(event, Proposal):
                        notes.update(dict.fromkeys(event.notes))
                        if session.receive(event, request) is None:
                            empty.append(event.target.name)
                    else:
                        outcome.failed.append(event)
            except Cancelled:
                outcome.is_stopped = True
    outcome.empty, outcome.notes = tuple(empty), list(notes)


def _events(
    session: Session, request: PropagationRequest, token: CancelToken, wish: Wish
) -> Iterator[Event]:
    """Return the engine's stream, from this process or from workers of Ray."""
    if wish.ray is None:
        return session.job(request, token, wish.device)
    return events_over_ray(request, session.load, token, session.cache_dir, wish.device, wish.ray)


def _say(outcome: Outcome, wish: Wish) -> None:
    """Say what came of it."""
    warn(outcome.notes)
    warn(failure.message for failure in outcome.failed)
    warn(outcome.left_out)
    warn(f"Nothing of the references was found on '{name}'." for name in outcome.empty)
    landed = len(outcome.landed) + len(outcome.recovered)
    if outcome.skipped:
        note(
            f"{counted(outcome.skipped, 'image')} left as they are: what would come is there "
            "already, or was reviewed."
        )
    if not landed and not outcome.failed:
        say("Nothing new: there was no image left to propagate to.")
        return
    review = f"{landed - len(outcome.accepted):,} to review"
    above = f" ({len(outcome.accepted):,} accepted at {wish.accept_above} or above, {review})"
    split = f" ({review})" if wish.accept_above is None or outcome.is_stopped else above
    say(f"Landed {counted(landed, 'proposal')}{split}.")


def _stopped_sentence(outcome: Outcome) -> str:
    """Return what became of the work that had been done when the person stopped it."""
    if not outcome.landed:
        return "Stopped before the first image was done: the project is as it was."
    return (
        f"Stopped: the {counted(len(outcome.landed), 'proposal')} that had come are landed in the "
        "project; run the same command with '--to unlabelled' to go on."
    )


def _killed_sentence(session: Session) -> str:
    """Return where the work is that had been done when the person would not wait."""
    if not session.inbox:
        return "Stopped at once: the project holds every step that was finished."
    return (
        f"Stopped at once: what had come for {counted(len(session.inbox), 'image')} is kept in "
        "the project's inbox, and the next propagate lands it."
    )


def _as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as JSON values."""
    return {
        "landed": len(outcome.landed),
        "recovered": len(outcome.recovered),
        "accepted": len(outcome.accepted),
        "skipped": outcome.skipped,
        "empty": list(outcome.empty),
        "failed": [{"image": f.target.name, "message": f.message} for f in outcome.failed],
        "left_out": list(outcome.left_out),
        "notes": outcome.notes,
        "stopped": outcome.is_stopped,
        "seconds": round(outcome.seconds, 3),
    }
