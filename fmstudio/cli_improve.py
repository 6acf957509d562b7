"""The command improve: what was accepted meanwhile becomes a reference for the rest."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmstudio.cli_output import progress, say, say_json, stop_on_interrupt, warn
from fmstudio.cli_propagate import recover
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings, Progress, PropagationRequest, Proposal
from fmstudio.errors import Cancelled, MatchError
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_improve import (
    Improvement,
    improve_request,
    improvement,
    land_improvement,
)


@dataclass(slots=True)
class Outcome:
    """What became of it.

    Attributes
    ----------
    references, targets : int
        Images that were carried from, and that were asked for.
    proposals : list of Proposal
    failed : list of str
        Sentences: images that could not be done.
    notes : dict of str to None
        Sentences, each once: degradations taken on the way.
    is_stopped : bool
        Whether the person stopped it.
    change : Improvement or None
        What landing changes.
    landed : int
        New proposals; 0 of a preview.
    left_out : tuple of str
        A sentence per proposal that was not landed.
    """

    references: int = 0
    targets: int = 0
    proposals: list[Proposal] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    is_stopped: bool = False
    change: Improvement | None = None
    landed: int = 0
    left_out: tuple[str, ...] = ()


def improve(
    path: Path,
    settings: MatchSettings,
    nearest: int,
    *,
    device: str = "auto",
    is_preview: bool = False,
    as_json: bool = False,
) -> None:
    """Carry what is accepted to all that waits for review, and say what that changes.

    Parameters
    ----------
    path : Path
        Of the project.
    settings : MatchSettings
    nearest : int
        See `improve_request`.
    device : str
    is_preview : bool
        Whether nothing is landed.
    as_json : bool

    Raises
    ------
    Cancelled
        If the person stopped it; what had come is landed, unless it was a preview.
    MatchError
        If no image could be done.
    ProjectError
        If nothing is accepted, or nothing waits for review.
    """
    with Session.open(path) as session:
        if not is_preview:
            recover(session)
        request = improve_request(session, settings, nearest)
        outcome = Outcome(len(request.references), len(request.targets))
        _stream(session, request, device, outcome)
        outcome.change = improvement(session.project, outcome.proposals)
        if not is_preview and outcome.proposals:
            report = land_improvement(session, request, outcome.proposals)
            outcome.landed, outcome.left_out = len(report.landed), report.left_out
    if as_json:
        say_json(_as_json(outcome))
    else:
        _say(outcome, is_preview=is_preview)
    if outcome.is_stopped:
        raise Cancelled("Stopped: the images that were not done yet are as they were.")
    if outcome.failed and not outcome.proposals:
        raise MatchError("Nothing was improved: no image could be read.")


def _stream(session: Session, request: PropagationRequest, device: str, outcome: Outcome) -> None:
    """Pull the engine's stream until it ends or the person stops it."""
    token = CancelToken()
    title = f"Improving by {counted(outcome.references, 'accepted image')}"
    with progress(title, "images", outcome.targets) as report, stop_on_interrupt(token):
        try:
            for event in session.job(request, token, device):
                if isinstance(event, Progress):
                    report(event.done, event.total)
                elif isinstance(event, Proposal):
                    outcome.proposals.append(event)
                    outcome.notes.update(dict.fromkeys(event.notes))
                else:
                    outcome.failed.append(event.message)
        except Cancelled:
            outcome.is_stopped = True


def _say(outcome: Outcome, *, is_preview: bool) -> None:
    """Say what came of it."""
    warn(outcome.notes)
    warn(outcome.failed)
    warn(outcome.left_out)
    change = outcome.change
    if change is None or not change.images:
        say("Nothing was found that could replace a proposal.")
        return
    verb = "would change" if is_preview else "changed"
    say(
        f"{counted(change.images, 'image')} {verb}: {change.moved:,} of "
        f"{counted(change.points, 'keypoint')} by more than a tenth of the object; mean "
        f"confidence {change.before:.2f} before, {change.after:.2f} after."
    )


def _as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as JSON values."""
    change = outcome.change or Improvement(0, 0, 0, 0.0, 0.0)
    return {
        "references": outcome.references,
        "targets": outcome.targets,
        "images": change.images,
        "points": change.points,
        "moved": change.moved,
        "confidence_before": round(change.before, 4),
        "confidence_after": round(change.after, 4),
        "landed": outcome.landed,
        "failed": outcome.failed,
        "left_out": list(outcome.left_out),
        "notes": list(outcome.notes),
        "stopped": outcome.is_stopped,
    }
