"""What differs between two versions of a project, by identity of their parts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from immutables import Map

from fmstudio.project.model import Project

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class IdChange:
    """Ids of one kind that were added, changed or removed, each ascending."""

    added: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def present(self) -> tuple[int, ...]:
        """Return the ids to look at afterwards: added and changed."""
        return self.added + self.changed


@dataclass(frozen=True, slots=True)
class ProjectDiff:
    """What differs between two versions of a project.

    Attributes
    ----------
    images, categories, annotations : IdChange
    name_changed : bool
    ids_changed : bool
        The counters for new ids differ.
    """

    images: IdChange = IdChange()
    categories: IdChange = IdChange()
    annotations: IdChange = IdChange()
    name_changed: bool = False
    ids_changed: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.images
            or self.categories
            or self.annotations
            or self.name_changed
            or self.ids_changed
        )

    @classmethod
    def between(cls, before: Project, after: Project) -> "ProjectDiff":
        """Return what differs; takes time only for what was touched if one was made of the other.

        Parts count as changed when they are not the same object, so two projects loaded apart
        differ everywhere even when they are equal.
        """
        if after.parent is before.stamp:
            touched = after.touched
        else:
            touched = before.touched if before.parent is after.stamp else None
        return cls(
            _change(before.images, after.images, touched.images if touched else None),
            _change(before.categories, after.categories, touched.categories if touched else None),
            _change(
                before.annotations, after.annotations, touched.annotations if touched else None
            ),
            before.name != after.name,
            before.next_ids != after.next_ids,
        )


def _change(
    before: Map[int, Part], after: Map[int, Part], touched: Iterable[int] | None
) -> IdChange:
    """Return what differs between two maps, looking only at the touched ids if these are known."""
    if before is after:
        return IdChange()
    candidates = sorted(set(before) | set(after) if touched is None else touched)
    added, changed, removed = [], [], []
    for id_ in candidates:
        if id_ not in before:
            if id_ in after:
                added.append(id_)
        elif id_ not in after:
            removed.append(id_)
        elif before[id_] is not after[id_]:
            changed.append(id_)
    return IdChange(tuple(added), tuple(changed), tuple(removed))
