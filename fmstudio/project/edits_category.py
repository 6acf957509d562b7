"""The edit that makes annotations objects of another category."""

from dataclasses import dataclass, replace

import numpy as np

from fmstudio.errors import ProjectError
from fmstudio.geometry.points import Keypoints
from fmstudio.project.changes import Changes
from fmstudio.project.model import Annotation, Category, Corrected, Propagated, Status
from fmstudio.project.wording import counted


@dataclass(frozen=True, slots=True)
class SetCategory:
    """Make annotations objects of another category; keypoints go by their names.

    Those that the new category does not name are dropped: `dropped_names` says which. As with
    `ChangeAnnotation`, what a person changed is ACCEPTED, and what was carried becomes Corrected.
    """

    ids: tuple[int, ...]
    category_id: int

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Change the category of {counted(len(self.ids), 'annotation')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        new = changes.category(self.category_id)
        for id_ in self.ids:
            old = changes.annotation(id_)
            if old.category_id == new.id:
                continue
            keypoints = _renamed(old.keypoints, changes.category(old.category_id), new)
            if keypoints is None and old.mask is None and old.bbox is None:
                raise ProjectError(
                    f"Annotation {id_} would be empty: category '{new.name}' has none of the "
                    "keypoints that it has labelled."
                )
            provenance = old.provenance
            if isinstance(provenance, Propagated):
                provenance = Corrected(provenance)
            changes.put_annotation(
                replace(
                    old,
                    category_id=new.id,
                    keypoints=keypoints,
                    status=Status.ACCEPTED,
                    provenance=provenance,
                    # What was measured was measured of the other category's points.
                    doubt=None,
                    votes=(),
                    alternative=None,
                )
            )


def dropped_names(annotation: Annotation, old: Category, new: Category) -> tuple[str, ...]:
    """Return the labelled keypoints that an annotation loses by becoming another category."""
    if annotation.keypoints is None:
        return ()
    labelled = annotation.keypoints.labelled
    return tuple(
        name
        for name, is_labelled in zip(old.keypoints, labelled, strict=True)
        if is_labelled and name not in new.keypoints
    )


def _renamed(keypoints: Keypoints | None, old: Category, new: Category) -> Keypoints | None:
    """Return keypoints in the order of another category, None if none is labelled there."""
    if keypoints is None:
        return None
    m = len(new.keypoints)
    xy, visibility, score = np.zeros((m, 2)), np.zeros(m, dtype=np.int8), np.ones(m)
    for i, name in enumerate(old.keypoints):
        if name in new.keypoints:
            j = new.keypoints.index(name)
            xy[j], visibility[j] = keypoints.xy[i], keypoints.visibility[i]
            score[j] = keypoints.score[i]
    return Keypoints(xy, visibility, score) if visibility.any() else None
