"""A functional map as a matrix, beside the mask that keeps it near its diagonal."""

import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.canvas import elide
from fmstudio.drawing.colors import INK, INK_DIM, RULE, cividis, diverging
from fmstudio.drawing.figure import Element, Figure, Label, Picture, Segment
from fmstudio.drawing.page import BODY, MARGIN, ROOM, SLACK, SMALL, Box, Page, border, ramp_elements
from fmstudio.figures.photos import PhotoPair

# Left of a matrix: its axis' name, eigenvalues and numbers.
_AXIS = 82.0
_APART = 44.0
_TICKS = 5


def map_figure(pair: PhotoPair) -> Figure:
    """Return a page with C_st and, beside it, the Laplacian mask of its two spectra.

    The mask is ``(evals_s[i] - evals_t[j])**2``, by which the Laplacian term weighs the square of
    ``C_st[j, i]``: where it is large, the map is kept small.
    """
    evals_s, evals_t = (
        photo.analysis.basis.evals.cpu().double().numpy() for photo in (pair.a, pair.b)
    )
    C_st = pair.map.C_st.cpu().double().numpy()
    mask = (evals_s[None, :] - evals_t[:, None]) ** 2
    reach = max(float(np.abs(C_st).max()), 1e-12)
    most = float(mask.max())
    page = Page(
        f"Functional map from {pair.a.name} to {pair.b.name}",
        f"{C_st.shape[0]} x {C_st.shape[1]}: rows and columns are eigenfunctions, with their "
        "numbers and eigenvalues.",
    )
    bottom = page.bottom
    views = (
        ("C_st", diverging(C_st / reach), diverging(np.linspace(-1, 1, 120)), -reach, reach),
        (
            "Laplacian mask",
            cividis(mask / max(most, 1e-12)),
            cividis(np.linspace(0, 1, 120)),
            0.0,
            most,
        ),
    )
    side = (ROOM - 2 * _AXIS - _APART) / 2
    for index, (name, rgb, ramp, low, high) in enumerate(views):
        left = MARGIN + _AXIS + index * (side + _AXIS + _APART)
        box = Box(left, bottom + BODY + 10, side, side * C_st.shape[0] / C_st.shape[1])
        page.add(Label((left, bottom + BODY), name, BODY, INK))
        page.add(Picture(box.left, box.top, box.width, box.height, rgb, is_cells=True))
        page.add(*border(box, RULE))
        page.add(*_across(box, evals_s, pair.a.name), *_down(box, evals_t, pair.b.name))
        at = (left, box.top + box.height + 88)
        elements, _ = ramp_elements(at, "value", ramp, f"{low:.3g}", f"{high:.3g}")
        page.add(*elements)
        page.reach(box.left + box.width, at[1] + 18)
    return page.figure()


def _chosen(count: int) -> list[int]:
    """Return the indices that are named on an axis: the first and every full step."""
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if count / s <= _TICKS or s == 500)
    return sorted({0, *range(step - 1, count, step)})


def _across(box: Box, evals: NDArray[np.float64], name: str) -> list[Element]:
    """Return the axis below a matrix."""
    y, elements = box.top + box.height, list[Element]()
    for index in _chosen(len(evals)):
        x = box.left + (index + 0.5) * box.width / len(evals)
        elements.append(Segment((x, y + 1), (x, y + 5), 1, INK_DIM))
        elements.append(Label((x, y + 19), str(index + 1), SMALL, INK, "ms"))
        elements.append(Label((x, y + 35), _number(evals[index]), SMALL, INK_DIM, "ms"))
    middle = box.left + box.width / 2
    elements.append(
        Label((middle, y + 56), _axis_name("columns", name, box.width), SMALL, INK, "ms")
    )
    return elements


def _down(box: Box, evals: NDArray[np.float64], name: str) -> list[Element]:
    """Return the axis left of a matrix; its name stands above, where it needs no turned text."""
    elements = list[Element]()
    for index in _chosen(len(evals)):
        y = box.top + (index + 0.5) * box.height / len(evals)
        elements.append(Segment((box.left - 5, y), (box.left - 1, y), 1, INK_DIM))
        elements.append(Label((box.left - 9, y), str(index + 1), SMALL, INK, "rm"))
        elements.append(Label((box.left - 38, y), _number(evals[index]), SMALL, INK_DIM, "rm"))
    above = (box.left + box.width, box.top - 10)
    elements.append(Label(above, _axis_name("rows", name, 0.7 * box.width), SMALL, INK, "rs"))
    return elements


def _axis_name(lines: str, name: str, room: float) -> str:
    """Return what the rows or columns stand for, no wider than there is room."""
    return elide(f"{lines}: eigenvalues of {name}", SMALL, room / SLACK)


def _number(value: float) -> str:
    """Return an eigenvalue in few digits."""
    return f"{max(value, 0.0):.3f}"
