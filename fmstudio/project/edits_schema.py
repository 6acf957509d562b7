"""Edits of categories and of their keypoint schemas."""

from dataclasses import dataclass, replace

import numpy as np

from fmstudio.errors import ProjectError
from fmstudio.geometry.points import Keypoints
from fmstudio.project.changes import Changes
from fmstudio.project.model import Annotation, Category
from fmstudio.project.wording import counted

KeypointMapping = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class AddCategory:
    """Add a category; its id is given, whatever it says."""

    category: Category

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Add category '{self.category.name}'"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        changes.add_category(self.category)


@dataclass(frozen=True, slots=True)
class ChangeCategory:
    """Replace the category of the same id, and bring its annotations along.

    Attributes
    ----------
    category : Category
    mapping : tuple of int or None, or None
        For each new keypoint, the index of the old one it continues, or None for a new one. May be
        left out while no annotation has keypoints, and where it goes without saying: points
        renamed in place, or new ones at the end.
    """

    category: Category
    mapping: KeypointMapping | None = None

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Change category '{self.category.name}'"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        old = changes.category(self.category.id)
        users = [
            annotation
            for annotation in changes.before.annotations.values()
            if annotation.category_id == old.id and annotation.keypoints is not None
        ]
        mapping = self.mapping
        if mapping is None:
            mapping = _evident_mapping(old.keypoints, self.category.keypoints)
        if users and mapping is None:
            raise ProjectError(
                f"{counted(len(users), 'annotation')} of category '{old.name}' would lose track "
                "of their keypoints: say which old keypoint each new one continues."
            )
        if old != self.category:
            changes.put_category(self.category)
        if mapping is None or mapping == tuple(range(len(old.keypoints))):
            return
        _check_mapping(mapping, old, self.category)
        for annotation in users:
            _put_mapped(changes, annotation, mapping)


@dataclass(frozen=True, slots=True)
class RemoveCategory:
    """Remove a category; with annotations of it only if these may go too."""

    id: int
    with_annotations: bool = False

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return "Remove a category"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        category = changes.category(self.id)
        users = [a.id for a in changes.before.annotations.values() if a.category_id == self.id]
        if users and not self.with_annotations:
            raise ProjectError(
                f"Category '{category.name}' has {counted(len(users), 'annotation')}: remove "
                "these first, or remove both together."
            )
        for id_ in users:
            changes.remove_annotation(id_)
        changes.remove_category(self.id)


def _evident_mapping(old: tuple[str, ...], new: tuple[str, ...]) -> KeypointMapping | None:
    """Return the mapping between keypoint names where there is one reading only."""
    if len(new) < len(old):
        return None
    for i, name in enumerate(new):
        if name in old and old.index(name) != i:
            return None
    return (*range(len(old)), *[None] * (len(new) - len(old)))


def _check_mapping(mapping: KeypointMapping, old: Category, new: Category) -> None:
    """Raise ProjectError unless a mapping says where each new keypoint comes from."""
    known = [i for i in mapping if i is not None]
    is_sound = len(set(known)) == len(known) and all(0 <= i < len(old.keypoints) for i in known)
    if len(mapping) != len(new.keypoints) or not is_sound:
        raise ProjectError(
            f"The keypoint mapping {mapping} does not fit category '{old.name}': it needs one "
            f"entry for each of {len(new.keypoints)} new keypoints, each of the "
            f"{len(old.keypoints)} old ones at most once."
        )


def _put_mapped(changes: Changes, annotation: Annotation, mapping: KeypointMapping) -> None:
    """Rearrange an annotation's keypoints; drop them, or all of it, if nothing is left."""
    keypoints = annotation.keypoints
    if keypoints is None:
        return
    m = len(mapping)
    xy, visibility, score = np.zeros((m, 2)), np.zeros(m, dtype=np.int8), np.ones(m)
    for i, old in enumerate(mapping):
        if old is not None:
            xy[i], visibility[i] = keypoints.xy[old], keypoints.visibility[old]
            score[i] = keypoints.score[old]
    kept = Keypoints(xy, visibility, score) if m else None
    has_rest = annotation.mask is not None or annotation.bbox is not None
    if not visibility.any() and not has_rest:
        changes.remove_annotation(annotation.id)
    else:
        doubt = None if annotation.doubt is None else annotation.doubt.reordered(mapping)
        changes.put_annotation(
            replace(annotation, keypoints=kept, doubt=doubt, votes=(), alternative=None)
        )
