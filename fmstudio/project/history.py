"""Undo and redo: the versions of a project, past and future."""

from dataclasses import dataclass

from fmstudio.errors import ProjectError
from fmstudio.project.model import Project


@dataclass(frozen=True, slots=True)
class Step:
    """A version, and the label of the edit that led away from it (past) or to it (future)."""

    project: Project
    label: str


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a project; every operation returns a new History.

    Attributes
    ----------
    present : Project
    past : tuple of Step
        Oldest first.
    future : tuple of Step
        What was undone, next first.
    limit : int
        Most steps kept in the past, at least 1.
    """

    present: Project
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()
    limit: int = 500

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"a history keeps at least one step, not {self.limit}")

    def push(self, project: Project, label: str) -> "History":
        """Return the history after an edit; what was undone before is forgotten."""
        past = (*self.past, Step(self.present, label))[-self.limit :]
        return History(project, past, (), self.limit)

    def undo(self) -> "History":
        """Return the history one step back; raises ProjectError at its beginning."""
        if not self.past:
            raise ProjectError("There is nothing to undo.")
        last = self.past[-1]
        future = (Step(self.present, last.label), *self.future)
        return History(last.project, self.past[:-1], future, self.limit)

    def redo(self) -> "History":
        """Return the history one step forward; raises ProjectError at its end."""
        if not self.future:
            raise ProjectError("There is nothing to redo.")
        step = self.future[0]
        past = (*self.past, Step(self.present, step.label))
        return History(step.project, past, self.future[1:], self.limit)

    @property
    def undo_label(self) -> str | None:
        """Return the label of the edit that undo takes back, or None."""
        return self.past[-1].label if self.past else None

    @property
    def redo_label(self) -> str | None:
        """Return the label of the edit that redo makes again, or None."""
        return self.future[0].label if self.future else None
