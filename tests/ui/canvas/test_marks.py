import itertools
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.geometry.points import HIDDEN, VISIBLE, Keypoints
from fmstudio.project.model import Annotation, Category, Corrected, Propagated, Status
from fmstudio.ui.canvas.looks import Look
from fmstudio.ui.canvas.marks import MarkPainter, clipped, name_of, names_of
from fmstudio.ui.canvas.sprites import Shape, Sprites

SIDE = 200
AREA = QRectF(0, 0, SIDE, SIDE)
ONCE = QTransform()
CATEGORY = Category(1, "cat", keypoints=("nose", "tail"), skeleton=((0, 1),))


def picture(draw):
    """Return what is drawn on grey, (SIDE, SIDE, 3)."""
    image = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    image.fill(QColor(128, 128, 128))
    painter = QPainter(image)
    draw(painter)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(SIDE, SIDE, 4)
    return rows[..., 2::-1].astype(int)


def marked(look, to_screen=ONCE):
    return picture(lambda painter: MarkPainter().draw(painter, [look], to_screen, AREA))


def annotation(**more):
    points = Keypoints.drawn([[60, 100], [140, 100]], [VISIBLE, VISIBLE])
    return replace(Annotation(1, 1, 1, points, None), **more)


def proposal(score=0.5, **more):
    points = Keypoints(np.array([[60, 100], [140, 100]]), np.array([2, 2]), np.full(2, score))
    given = {"keypoints": points, "provenance": Propagated((1,), "k"), "confidence": score}
    return annotation(status=Status.PROPOSED, **(given | more))


def sprite(**more):
    shape = replace(Shape((200, 30, 30), VISIBLE), **more)
    return picture(lambda painter: Sprites().draw(painter, (100, 100), shape))


LOOKS = {
    "visible": {},
    "hidden": {"visibility": HIDDEN},
    "proposed": {"score": 0.5},
    "proposed and hidden": {"score": 0.5, "visibility": HIDDEN},
    "corrected": {"is_corrected": True},
    "hovered": {"is_hovered": True},
    "selected": {"is_selected": True},
    "one of many": {"is_small": True},
}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(LOOKS, 2)))
def test_every_meaning_has_its_own_shape(qapp, one, other):
    pictures = [sprite(**LOOKS[name]).sum(axis=2) for name in (one, other)]
    assert (np.abs(pictures[0] - pictures[1]) > 60).sum() >= 10


def test_a_visible_point_is_filled_and_a_hidden_or_proposed_one_is_not(qapp):
    def filled(**more):
        return (sprite(**more) == [200, 30, 30]).all(axis=2).sum()

    assert filled() > 45
    assert np.abs(sprite(visibility=HIDDEN)[101, 101] - 128).max() < 60
    assert filled(score=0.5) < 20


def test_the_ring_of_a_proposal_says_its_confidence(qapp):
    low, high = (sprite(score=score)[100, 94:97].mean(axis=0) for score in (0.0, 1.0))
    assert low[2] > low[0]
    assert high[0] > high[2] + 60


def test_a_corrected_point_lacks_a_piece_on_the_upper_right(qapp):
    whole, cut = sprite(), sprite(is_corrected=True)
    differs = np.abs(whole - cut).sum(axis=2) > 90
    rows, cols = np.nonzero(differs)
    assert rows.mean() < 100 < cols.mean()


def test_a_proposals_contour_is_dashed_and_an_accepted_one_is_solid(qapp):
    square = Polygon([[20, 20], [180, 20], [180, 180], [20, 180]])
    mask = Mask.from_polygons(ImageSize(SIDE, SIDE), [square])
    plain = Category(1, "cat")
    edges = []
    for given in (annotation(keypoints=None, mask=mask), proposal(keypoints=None, mask=mask)):
        column = marked(Look(given, plain))[40:160, 20]
        edges.append((np.abs(column - column[0]).sum(axis=1) > 60).sum())
    assert edges[0] == 0
    assert 20 < edges[1] < 100


def test_a_box_is_drawn_where_there_is_nothing_else(qapp):
    given = annotation(keypoints=None, bbox=(30.0, 40.0, 100.0, 80.0))
    found = marked(Look(given, Category(1, "cat")))
    assert (found[80, 29:32] != 128).any()
    assert (found[80, 60] == 128).all()


def test_marks_keep_their_size_at_every_zoom(qapp):
    counts = []
    for scale in (0.5, 1.0, 2.0):
        middle = QTransform.fromTranslate(100 - 60 * scale, 100 - 100 * scale).scale(scale, scale)
        found = marked(Look(annotation(), Category(1, "cat", keypoints=("", ""))), middle)
        counts.append((found[90:111, 90:111] != 128).any(axis=2).sum())
    assert max(counts) - min(counts) <= 4


def test_ghosts_and_what_is_not_selected_are_fainter(qapp):
    def strength(**more):
        return np.abs(marked(Look(annotation(), CATEGORY, **more))[80:121, 50:71] - 128).sum()

    assert strength(is_ghost=True) < 0.7 * strength()
    assert strength(is_dimmed=True) < 0.7 * strength()


def test_names_are_written_unless_there_are_too_many(qapp):
    names, marks = names_of([Look(annotation(), CATEGORY)], ONCE, AREA)
    assert [name.text for name in names] == ["nose", "tail"]
    assert marks.tolist() == [[60, 100], [140, 100]]
    far = QTransform.fromScale(0.01, 0.01)
    assert names_of([Look(annotation(), CATEGORY)], far, AREA)[0] == []
    (only,), _ = names_of([Look(annotation(), CATEGORY, hovered=1)], far, AREA)
    assert (only.text, only.must) == ("tail", True)


def test_points_outside_the_screen_have_no_name(qapp):
    shifted = QTransform.fromTranslate(-100, 0)
    names, _ = names_of([Look(annotation(), CATEGORY)], shifted, AREA)
    assert [name.text for name in names] == ["tail"]


def test_a_proposed_point_is_named_with_its_confidence():
    assert name_of(Look(proposal(0.314), CATEGORY), 0) == "nose 0.31"
    corrected = annotation(provenance=Corrected(Propagated((1,), "k")))
    assert name_of(Look(corrected, CATEGORY), 0) == "nose"


def test_a_mask_alone_is_named_by_its_category(qapp):
    mask = Mask.from_array(np.eye(SIDE, dtype=bool))
    look = Look(proposal(0.4, keypoints=None, mask=mask), Category(1, "cat"))
    (tag,), _ = names_of([look], ONCE, AREA)
    assert tag.text == "cat 0.40"
    assert names_of([replace(look, is_dimmed=True)], ONCE, AREA)[0] == []


def test_lines_are_cut_at_the_screen():
    lines = np.array([
        [-1000.0, 100, 1000, 100], [50, 60, 70, 80], [300, 300, 400, 900], [100, -500, 100, 500],
    ])  # fmt: skip
    found = clipped(lines, AREA)
    assert len(found) == 3
    assert np.abs(found).max() < 2 * SIDE
    assert found[0, [1, 3]] == pytest.approx([100, 100])
    assert found[1] == pytest.approx(lines[1])
    assert found[2, [0, 2]] == pytest.approx([100, 100])
