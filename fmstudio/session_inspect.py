"""Questions about the pair that is shown, as jobs: which object, where a point lies, what to draw.

Importing this module does not import torch; a job does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.colors import position_colors
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.questions import (
    HEATS,
    Contours,
    DenseField,
    HeatMap,
    MatchLines,
    PairFound,
    PairLayers,
    PairQuestion,
    PointAnswer,
    PointQuestion,
    WarpedGrid,
)
from fmstudio.engine.requests import ImageRef, Mark, covers_something
from fmstudio.geometry.boxes import PartBox
from fmstudio.project.model import Annotation, Project, Status
from fmstudio.session_live import Live
from fmstudio.session_requests import image_ref

__all__ = [
    "HEATS",
    "Contours",
    "HeatMap",
    "ImageRef",
    "Layers",
    "Mark",
    "MatchLines",
    "PairFound",
    "PairQuestion",
    "Picture",
    "PointAnswer",
    "PointQuestion",
    "WarpedGrid",
    "answer_job",
    "find_job",
    "pair_question",
]

# The longer side of a carried picture, in pixels: more would only magnify what is decoded.
_SIDE = 512


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that lies over a part of an image.

    Attributes
    ----------
    box : PartBox
        Pixels of the image.
    rgba : ndarray, (h, w, 4) uint8
        Alpha not multiplied in.
    """

    box: PartBox
    rgba: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What can be drawn over the two images of a pair.

    Attributes
    ----------
    question : PairQuestion
    colour, checker : Picture
        The source's colours, and a coloured checkerboard over the source, where they come to lie
        on the target.
    checker_s : Picture
        The same checkerboard on the source.
    contours : Contours
    grid : WarpedGrid
    matches : MatchLines
    """

    question: PairQuestion
    colour: Picture
    checker: Picture
    checker_s: Picture
    contours: Contours
    grid: WarpedGrid
    matches: MatchLines


def pair_question(
    project: Project,
    reference_id: int | None,
    target_id: int | None,
    category_id: int | None,
    selected_id: int | None = None,
) -> PairQuestion | None:
    """Return what is looked for: the object that is marked on the reference, on the target.

    That is the selected annotation of the reference; without one an accepted annotation of the
    category, else one of any category; without any, all of the reference.

    Parameters
    ----------
    project : Project
    reference_id, target_id : int or None
    category_id : int or None
        The one that the person works in.
    selected_id : int or None
        The selected annotation, whatever image it is on.

    Returns
    -------
    question : PairQuestion or None
        None without two different images.

    Raises
    ------
    ProjectError
        If there is no such image.
    """
    if reference_id is None or target_id is None or reference_id == target_id:
        return None
    s, t = image_ref(project, reference_id), image_ref(project, target_id)
    chosen = _marked(project, reference_id, category_id, selected_id)
    if chosen is None:
        return PairQuestion(s, t, Mark(0, 0))
    mark = Mark(chosen.id, chosen.category_id, chosen.keypoints, chosen.mask)
    return PairQuestion(s, t, mark, project.categories[chosen.category_id].skeleton)


def find_job(live: Live, question: PairQuestion, token: CancelToken) -> Iterator[object]:
    """Yield a `PairFound` as soon as the pair is matched, then its `Layers`; None in between.

    Raises
    ------
    ImageError
        If one of the images cannot be opened.
    MatchError, WeightsError
        As `Live.pairs`.
    """
    pairs = live.pairs()
    from fmstudio.engine.inspect import describe, pair_layers

    for image in (question.s, question.t):
        token.check()
        pairs.view(image)
        # Others get a turn in between: an image that is opened is not to wait for two analyses.
        yield None
    token.check()
    found = pairs.find(question.s, question.t, question.mark, token.check)
    yield describe(question, found)
    token.check()
    layers = pair_layers(question, found)
    yield _pictured(layers, pairs.view(question.s).open())


def answer_job(live: Live, question: PointQuestion, token: CancelToken) -> Iterator[PointAnswer]:
    """Yield the answer to a question about one point; errors as in `find_job`."""
    pairs = live.pairs()
    from fmstudio.engine.inspect import answer_point

    pair = question.pair
    yield answer_point(question, pairs.find(pair.s, pair.t, pair.mark, token.check))


def _marked(
    project: Project, image_id: int, category_id: int | None, selected_id: int | None
) -> Annotation | None:
    """Return the annotation of an image that is looked for elsewhere, or None."""
    usable = [
        a
        for a in project.annotations_of(image_id)
        if not a.is_crowd and a.status is not Status.REJECTED and covers_something(a)
    ]
    for annotation in usable:
        if annotation.id == selected_id:
            return annotation
    accepted = [a for a in usable if a.status is Status.ACCEPTED]
    of_category = [a for a in accepted if a.category_id == category_id]
    return next(iter(of_category or accepted), None)


def _pictured(layers: PairLayers, rgb: NDArray[np.uint8]) -> Layers:
    """Return the layers of a pair with pictures made of the source's pixels (H, W, 3)."""
    height, width = rgb.shape[:2]
    xy, share = _fine(layers.dense)
    # OpenCV counts from pixel centres.
    x, y = np.ascontiguousarray((xy - 0.5).astype(np.float32).transpose(2, 0, 1))
    colour = cv2.remap(rgb, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    corner, far = _corners(layers)
    checker = position_colors(xy - corner, *(far - corner))
    x0, y0, x1, y1 = (int(v) for v in (*np.floor(corner), *np.ceil(far)))
    box_s = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    places = _centres(box_s)
    checker_s = position_colors(places - corner, *(far - corner))
    opaque = np.ones(places.shape[:2], dtype=np.float32)
    return Layers(
        layers.question,
        Picture(layers.dense.box, _with_alpha(np.asarray(colour, dtype=np.uint8), share)),
        Picture(layers.dense.box, _with_alpha(checker, share)),
        Picture(box_s, _with_alpha(checker_s, opaque)),
        layers.contours,
        layers.grid,
        layers.matches,
    )


def _corners(layers: PairLayers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of the source's object: what the checkerboard spans."""
    places = np.concatenate(layers.grid.lines_s)
    low = places.min(axis=0)
    return low, np.maximum(places.max(axis=0), low + 1)


def _fine(dense: DenseField) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return a field's source pixels (h, w, 2) and shares (h, w) on a fine raster."""
    shape = _raster(dense.box)
    xy = cv2.resize(dense.xy_s, shape, interpolation=cv2.INTER_LINEAR)
    share = cv2.resize(dense.share, shape, interpolation=cv2.INTER_LINEAR)
    return np.asarray(xy, dtype=np.float64), np.asarray(share, dtype=np.float32)


def _raster(box: PartBox) -> tuple[int, int]:
    """Return columns and rows of the raster of a carried picture."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = min(1.0, _SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _centres(box: PartBox) -> NDArray[np.float64]:
    """Return the image pixels (h, w, 2) of the centres of a box's raster."""
    cols, rows = _raster(box)
    x = box[0] + (np.arange(cols) + 0.5) * (box[2] - box[0]) / cols
    y = box[1] + (np.arange(rows) + 0.5) * (box[3] - box[1]) / rows
    return np.stack(np.meshgrid(x, y), axis=-1)


def _with_alpha(rgb: NDArray[np.uint8], share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return colours (h, w, 3) with the share (h, w) of the object as alpha."""
    alpha = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return np.dstack([rgb, alpha])
