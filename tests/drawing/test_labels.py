import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fmstudio.drawing.labels import Placed, place_labels


def _overlap(a: Placed, b: Placed) -> bool:
    return (
        a.left < b.left + b.width
        and b.left < a.left + a.width
        and a.top < b.top + b.height
        and b.top < a.top + a.height
    )


def _disc(height: int, width: int, radius: float) -> np.ndarray:
    ys, xs = np.mgrid[0:height, 0:width]
    return np.hypot(xs - width / 2, ys - height / 2) < radius


def test_labels_keep_off_the_subject_each_other_and_the_points() -> None:
    subject = _disc(300, 400, 70)
    xy = np.array([[180, 140], [220, 140], [200, 160], [200, 180]], dtype=float)
    places = place_labels(xy, [(60.0, 14.0)] * 4, subject=subject, clearance=8)
    for index, place in enumerate(places):
        rows = slice(int(place.top), int(place.top + place.height))
        cols = slice(int(place.left), int(place.left + place.width))
        assert subject[rows, cols].mean() < 0.03
        assert not any(_overlap(place, other) for other in places[:index])
        assert place.is_far


def test_a_lone_point_has_its_label_beside_it() -> None:
    (place,) = place_labels(
        np.array([[100.0, 50.0]]),
        [(40.0, 12.0)],
        subject=np.zeros((100, 200), dtype=bool),
        clearance=6,
    )
    end = place.nearest((100.0, 50.0))
    assert not place.is_far
    assert np.hypot(end[0] - 100, end[1] - 50) < 10


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 399), st.floats(0, 299)), min_size=1, max_size=6))
def test_labels_stay_inside_the_picture(points: list[tuple[float, float]]) -> None:
    sizes = [(50.0, 14.0)] * len(points)
    places = place_labels(
        np.array(points), sizes, subject=np.zeros((300, 400), dtype=bool), clearance=6
    )
    for place in places:
        assert place.left >= 0
        assert place.top >= 0
        assert place.left + place.width <= 400
        assert place.top + place.height <= 300


def test_no_points_no_labels() -> None:
    subject = np.zeros((10, 10), dtype=bool)
    assert place_labels(np.zeros((0, 2)), [], subject=subject, clearance=3) == []
