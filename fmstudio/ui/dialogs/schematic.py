"""Where the keypoints of a schema stand in a schematic drawing."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.points import Keypoints
from fmstudio.project.model import Project, Status
from fmstudio.project.templates import Template

_LOOKED_AT = 400
_MIN_SPREAD = 1e-6


def example_points(project: Project, category_id: int) -> tuple[Keypoints, ...]:
    """Return annotated keypoints of a category: accepted first, then with most points placed.

    Of a large project only some annotations are looked at.
    """
    found: list[tuple[bool, int, Keypoints]] = []
    for annotation in project.annotations.values():
        points = annotation.keypoints
        if annotation.category_id == category_id and points is not None:
            is_accepted = annotation.status is Status.ACCEPTED
            found.append((is_accepted, int(points.labelled.sum()), points))
            if len(found) == _LOOKED_AT:
                break
    found.sort(key=lambda entry: entry[:2], reverse=True)
    return tuple(points for _, _, points in found)


def layout_from_points(examples: Sequence[Keypoints]) -> NDArray[np.float64]:
    """Return a place for each keypoint, (m, 2) in [0, 1], NaN for those that none has labelled.

    The first example with points gives the shape; what it lacks comes from the next ones, moved
    and scaled so that the points both have lie on each other as well as they can.
    """
    places: NDArray[np.float64] | None = None
    for points in examples:
        xy = np.where(points.labelled[:, None], points.xy, np.nan)
        if places is None:
            places = xy
            continue
        common = np.isfinite(places[:, 0]) & points.labelled
        missing = np.isnan(places[:, 0]) & points.labelled
        if missing.any() and common.sum() >= 2:
            places[missing] = _fitted(xy, common, places)[missing]
    return np.empty((0, 2)) if places is None else _in_unit_square(places)


def layout_from_templates(
    names: Sequence[str], templates: Iterable[Template]
) -> NDArray[np.float64]:
    """Return a place for each name that the best fitting template has, (m, 2), else NaN.

    No template fits that knows less than half of the names.
    """
    places = np.full((len(names), 2), np.nan)
    known = [
        (sum(name in template.category.keypoints for name in names), template)
        for template in templates
    ]
    n, best = max(known, key=lambda entry: entry[0], default=(0, None))
    if best is None or 2 * n < len(names):
        return places
    at = dict(zip(best.category.keypoints, best.layout, strict=True))
    for i, name in enumerate(names):
        places[i] = at.get(name, (np.nan, np.nan))
    return places


def completed(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places (m, 2) with the unknown ones put on a circle; around the others if any."""
    missing = np.flatnonzero(np.isnan(places[:, 0]))
    if not len(missing):
        return places
    angle = 2 * np.pi * (np.arange(len(missing)) / len(missing)) - np.pi / 2
    circle = 0.5 + 0.5 * np.column_stack([np.cos(angle), np.sin(angle)])
    # Known places draw together to leave the rim to the new ones.
    result = 0.5 + 0.68 * (places - 0.5)
    result[missing] = circle
    return result


def _fitted(
    xy: NDArray[np.float64], common: NDArray[np.bool_], onto: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return points moved and scaled so that the common ones lie on others', least squares."""
    a, b = xy[common], onto[common]
    centre_a, centre_b = a.mean(axis=0), b.mean(axis=0)
    spread = float(((a - centre_a) ** 2).sum())
    scale = float(np.sqrt(((b - centre_b) ** 2).sum() / spread)) if spread > _MIN_SPREAD else 1.0
    return np.asarray((xy - centre_a) * scale + centre_b)


def _in_unit_square(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places scaled into [0, 1] with their aspect kept, centred."""
    known = places[np.isfinite(places[:, 0])]
    if not len(known):
        return places
    low, high = known.min(axis=0), known.max(axis=0)
    side = float((high - low).max())
    return np.asarray(0.5 + (places - (low + high) / 2) / max(side, _MIN_SPREAD))
