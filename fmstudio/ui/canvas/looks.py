"""Which annotations a canvas draws, and how."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QTransform

from fmstudio.geometry.points import Keypoints
from fmstudio.project.doubt import Reason, goodness
from fmstudio.project.model import Annotation, Category, Corrected, Project, Status
from fmstudio.ui.canvas.draft import DraftView
from fmstudio.ui.controller import Controller

# Screen pixels between a keypoint and a pointer that is over it.
_REACH = 9.0
_GHOST = 0.55
_DIMMED = 0.45

Counterpart = tuple[int, int]
"""A category and a keypoint of it: what the pointer is over, whatever the annotation."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one annotation is drawn.

    Attributes
    ----------
    annotation : Annotation
    category : Category
    is_ghost : bool
        It is still in the inbox.
    is_selected : bool
    keypoint : int or None
        The one that is selected.
    hovered : int or None
        The one under the pointer, here or on the other canvas.
    is_dimmed : bool
        Another annotation is selected.
    coloring : Reason or None
        What its points are coloured by if it is proposed; None by confidence.
    """

    annotation: Annotation
    category: Category
    is_ghost: bool = False
    is_selected: bool = False
    keypoint: int | None = None
    hovered: int | None = None
    is_dimmed: bool = False
    coloring: Reason | None = None

    @property
    def is_proposed(self) -> bool:
        """Return whether nobody has reviewed it."""
        return self.annotation.status is Status.PROPOSED

    @property
    def is_corrected(self) -> bool:
        """Return whether a person has changed what the engine proposed."""
        return isinstance(self.annotation.provenance, Corrected) and not self.is_proposed

    def scores(self) -> NDArray[np.float64] | None:
        """Return each point's place on the ramp, (m,) in [0, 1], NaN where it is not known.

        None where the colours are the points' own: of what is no proposal.
        """
        points = self.annotation.keypoints
        if points is None or not self.is_proposed:
            return None
        if self.coloring is None:
            return points.score
        return goodness(self.annotation.doubt, self.coloring, len(points))

    @property
    def opacity(self) -> float:
        """Return how strongly it is drawn."""
        return _GHOST if self.is_ghost else _DIMMED if self.is_dimmed else 1.0


def looks_of(
    controller: Controller,
    image_id: int,
    draft: DraftView | None = None,
    hovered: Counterpart | None = None,
) -> list[Look]:
    """Return what to draw on an image, bottom first.

    Parameters
    ----------
    controller : Controller
    image_id : int
    draft : DraftView or None
        Its annotation takes the place of the stored one.
    hovered : tuple of int, or None
        Category and keypoint under the pointer.
    """
    project = controller.project
    if project is None or image_id not in project.images:
        return []
    ghosts = [a for a in controller.ghosts(image_id) if a.category_id in project.categories]
    looks = [Look(a, project.categories[a.category_id], is_ghost=True) for a in ghosts]
    shown = _shown(project, image_id, draft)
    chosen = controller.selection.annotation_id
    is_any_here = any(a.id == chosen for a in shown)
    for annotation in shown:
        # What is being drawn anew has no id yet, and all attention.
        is_selected = annotation.id in (chosen, 0)
        looks.append(
            Look(
                annotation,
                project.categories[annotation.category_id],
                is_selected=is_selected,
                keypoint=controller.selection.keypoint if annotation.id == chosen else None,
                is_dimmed=is_any_here and not is_selected,
            )
        )
    pointed = hovered or (None if is_any_here else _selected_keypoint(controller))
    if pointed is not None:
        looks = [_pointed_at(look, *pointed) for look in looks]
    if controller.coloring is not None:
        looks = [replace(look, coloring=controller.coloring) for look in looks]
    return sorted(looks, key=lambda look: look.is_selected)


def other_maps(looks: list[Look]) -> list[Look]:
    """Return how the competing maps of proposals are drawn: lightly, below all else, unnamed.

    Of the selected annotation alone, if there is one.
    """
    chosen = [look for look in looks if look.is_selected] or looks
    found = []
    for look in chosen:
        other = look.annotation.alternative
        if other is not None and look.is_proposed and not look.is_ghost:
            seen = replace(look.annotation, keypoints=other.keypoints, mask=other.mask)
            found.append(Look(seen, look.category, is_ghost=True, is_dimmed=True))
    return found


def hovered_keypoint(
    looks: list[Look], place: QPointF, to_screen: QTransform
) -> Counterpart | None:
    """Return the category and the number of the keypoint under a place of the screen, or None."""
    best: tuple[float, Counterpart] | None = None
    for look in looks:
        points = look.annotation.keypoints
        if look.is_ghost or points is None or not points.labelled.any():
            continue
        gaps = np.hypot(*(screen_xy(points, to_screen) - [place.x(), place.y()]).T)
        gaps[~points.labelled] = np.inf
        index = int(np.argmin(gaps))
        if gaps[index] <= _REACH and (best is None or gaps[index] < best[0]):
            best = float(gaps[index]), (look.category.id, index)
    return None if best is None else best[1]


def screen_xy(points: Keypoints, to_screen: QTransform) -> NDArray[np.float64]:
    """Return keypoints in screen pixels, (m, 2); the canvas neither turns nor shears."""
    scale, shift = [to_screen.m11(), to_screen.m22()], [to_screen.dx(), to_screen.dy()]
    return np.asarray(points.xy * scale + shift, dtype=np.float64)


def _shown(project: Project, image_id: int, draft: DraftView | None) -> list[Annotation]:
    """Return an image's annotations but the rejected ones, with the draft's in its place."""
    drafted = None if draft is None else draft.annotation
    stored = [a for a in project.annotations_of(image_id) if a.status is not Status.REJECTED]
    if drafted is None:
        return stored
    shown = [drafted if a.id == drafted.id else a for a in stored]
    return [*shown, drafted] if drafted.id == 0 else shown


def _selected_keypoint(controller: Controller) -> Counterpart | None:
    """Return the category and the number of the selected keypoint, or None."""
    index, annotation = controller.selection.keypoint, controller.selected
    return None if index is None or annotation is None else (annotation.category_id, index)


def _pointed_at(look: Look, category_id: int, index: int) -> Look:
    """Return a look with a keypoint hovered if it has that one."""
    return replace(look, hovered=index) if look.category.id == category_id else look
