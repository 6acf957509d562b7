"""What is left to review, and how much of it is wrong."""

from pathlib import Path

from fmstudio.cli_output import note, say, say_json
from fmstudio.project.estimate import LEVEL, Estimate
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_review import ReviewSummary, draw_audit, summarise_review


def review(path: Path, *, audit: int | None, seed: int | None, as_json: bool) -> None:
    """Say where the review of a project stands; with ``audit``, draw a sample first."""
    with Session.open(path) as session:
        drawn = () if audit is None else draw_audit(session, audit, seed)
        summary = summarise_review(session.project)
    if as_json:
        say_json({"drawn": list(drawn), **_values(summary)})
        return
    if drawn:
        note(f"{counted(len(drawn), 'annotation')} drawn into the queue to audit.")
    for line in _lines(summary):
        say(line)


def _values(summary: ReviewSummary) -> dict[str, object]:
    """Return a summary as JSON values."""

    def of(estimate: Estimate, annotations: int) -> dict[str, object]:
        low, high = estimate.rates
        return {
            "annotations": annotations,
            "points": estimate.points,
            "expected_wrong": round(estimate.wrong, 2),
            "wrong_interval": [estimate.low, estimate.high],
            "error_rate": round(estimate.rate, 4),
            "error_rate_interval": [round(low, 4), round(high, 4)],
        }

    audit = summary.audit
    per_image = summary.corrections_per_image
    return {
        "level": LEVEL,
        "waiting": of(summary.waiting, summary.waiting_annotations),
        "accepted_unseen": of(summary.unseen, summary.unseen_annotations),
        "reviewed_points": summary.seen,
        "reviewed_wrong": summary.seen_wrong,
        "log_odds_shift": round(summary.shift, 3),
        "corrections_per_image": None if per_image is None else round(per_image, 3),
        "audit": {
            "annotations": audit.annotations,
            "waiting": summary.audit_waiting,
            "points": audit.points,
            "wrong": audit.wrong,
            "error_rate": round(audit.rate, 4) if audit.points else None,
            "error_rate_interval": [round(audit.low, 4), round(audit.high, 4)],
        },
    }


def _lines(summary: ReviewSummary) -> list[str]:
    """Return a summary as lines for a person."""
    lines = [
        _line("waiting", summary.waiting, summary.waiting_annotations),
        _line("accepted unseen", summary.unseen, summary.unseen_annotations),
        f"reviewed          {counted(summary.seen, 'point')}, {summary.seen_wrong:,} of them wrong",
    ]
    per_image = summary.corrections_per_image
    if per_image is not None:
        lines.append(f"corrections       {per_image:.1f} points per image")
    audit = summary.audit
    if audit.points:
        lines.append(
            f"audit sample      {audit.wrong:,} of {counted(audit.points, 'point')} wrong: "
            f"{audit.rate:.1%} ({audit.low:.1%} to {audit.high:.1%})"
        )
    if summary.audit_waiting:
        waits = counted(summary.audit_waiting, "annotation")
        lines.append(f"                  {waits} of the sample still to look at")
    return lines


def _line(name: str, estimate: Estimate, annotations: int) -> str:
    """Return what is expected of some annotations, as a line."""
    if not estimate.points:
        return f"{name:<18}none"
    low, high = estimate.rates
    return (
        f"{name:<18}{counted(annotations, 'annotation')}, {counted(estimate.points, 'point')}; "
        f"about {estimate.wrong:,.0f} wrong ({estimate.low:,} to {estimate.high:,}), "
        f"{estimate.rate:.1%} ({low:.1%} to {high:.1%})"
    )
