"""What the next visibility of a keypoint is, without losing where it was."""

import numpy as np

from fmstudio.geometry.points import HIDDEN, NOT_LABELLED, VISIBLE, Keypoints
from fmstudio.project.history import History
from fmstudio.project.model import Annotation

_NEXT = {VISIBLE: HIDDEN, HIDDEN: NOT_LABELLED, NOT_LABELLED: VISIBLE}


def cycled(annotation: Annotation, keypoint: int, history: History) -> Keypoints | None:
    """Return keypoints with the next visibility of one: visible, hidden, not labelled, visible.

    One that is not labelled comes back where the history last had it. None if it never had a
    place: a person has to give it one. The only mark of an annotation stays labelled.
    """
    points = annotation.keypoints
    if points is None:
        return None
    xy, visibility, score = points.xy.copy(), points.visibility.copy(), points.score.copy()
    value = _NEXT[int(visibility[keypoint])]
    if value == NOT_LABELLED and _is_only_mark(annotation, points):
        value = VISIBLE
    if visibility[keypoint] == NOT_LABELLED:
        place = _last_place(annotation, keypoint, history)
        if place is None:
            return None
        xy[keypoint] = place
    visibility[keypoint], score[keypoint] = value, 1.0
    return Keypoints(xy, visibility, score)


def _is_only_mark(annotation: Annotation, points: Keypoints) -> bool:
    """Return whether an annotation would be empty with one labelled keypoint less."""
    return points.labelled.sum() == 1 and annotation.mask is None


def _last_place(
    annotation: Annotation, keypoint: int, history: History
) -> tuple[float, float] | None:
    """Return where a keypoint was when it was last labelled under the same schema, or None."""
    category = history.present.categories[annotation.category_id]
    for step in reversed(history.past):
        old = step.project.annotations.get(annotation.id)
        if old is None or step.project.categories.get(old.category_id) is not category:
            return None
        if old.keypoints is not None and old.keypoints.labelled[keypoint]:
            x, y = np.asarray(old.keypoints.xy[keypoint]).tolist()
            return x, y
    return None
