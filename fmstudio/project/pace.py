"""How fast a person reviews: what was decided since the project was opened, and when."""

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Annotation, Drawn, Project, Review, Status

_PAUSE = 120.0
_LEAST = 60.0


class Pace:
    """Follows decisions as they are made.

    A label is an annotation that a person accepted, corrected, rejected or drew; what was accepted
    unseen or came from a file is none. One that is undone no longer counts. Two minutes without
    any decision are a pause, of which only two minutes count.

    Parameters
    ----------
    start : float
        Seconds of any clock that only goes forward.
    """

    def __init__(self, start: float) -> None:
        self._latest = start
        self._active = 0.0
        self._labels: set[int] = set()

    @property
    def labels(self) -> int:
        """Return how many labels were made."""
        return len(self._labels)

    @property
    def minutes(self) -> float:
        """Return how long that took, pauses left out."""
        return self._active / 60

    @property
    def per_hour(self) -> float | None:
        """Return labels per hour; None before there was a minute of work."""
        return self.labels / self._active * 3600 if self._active >= _LEAST else None

    def follow(
        self, before: Project, after: Project, diff: ProjectDiff, now: float, *, most: int = 64
    ) -> None:
        """Note what an edit decided.

        Parameters
        ----------
        before, after : Project
        diff : ProjectDiff
            From before to after.
        now : float
            Of the clock that ``start`` was taken from.
        most : int
            An edit of more annotations comes from a file or a run, not from a hand.
        """
        change = diff.annotations
        self._labels.difference_update(change.removed)
        if len(change.present) > most:
            return
        is_work = False
        for id_ in change.present:
            old, new = before.annotations.get(id_), after.annotations[id_]
            if not _is_label(new):
                self._labels.discard(id_)
            elif not _is_label(old) or _differs(old, new):
                self._labels.add(id_)
                is_work = True
        if is_work:
            self._active += min(now - self._latest, _PAUSE)
            self._latest = now


def _is_label(annotation: Annotation | None) -> bool:
    """Return whether a person has decided on an annotation."""
    if annotation is None or annotation.status is Status.PROPOSED:
        return False
    return isinstance(annotation.provenance, Drawn) or annotation.review is not Review.UNSEEN


def _differs(old: Annotation | None, new: Annotation) -> bool:
    """Return whether an edit changed what an annotation covers."""
    return old is None or (old.keypoints, old.mask) != (new.keypoints, new.mask)
