import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.points import Keypoints


def test_an_unlabelled_point_has_no_place() -> None:
    points = Keypoints.drawn([[3.5, 4.5], [9.0, np.nan]], [2, 0])
    assert points.xy.tolist() == [[3.5, 4.5], [0.0, 0.0]]
    assert points.labelled.tolist() == [True, False]


def test_equality_and_hash_follow_the_values() -> None:
    a = Keypoints(np.array([[1.0, 2.0]]), np.array([1]), np.array([0.5]))
    b = Keypoints(np.array([[1.0, 2.0]]), np.array([1]), np.array([0.5]))
    assert a == b
    assert hash(a) == hash(b)
    for other in (
        Keypoints(np.array([[1.0, 2.1]]), np.array([1]), np.array([0.5])),
        Keypoints(np.array([[1.0, 2.0]]), np.array([2]), np.array([0.5])),
        Keypoints(np.array([[1.0, 2.0]]), np.array([1]), np.array([0.6])),
    ):
        assert a != other
    assert a != "points"


def test_arrays_are_read_only_copies() -> None:
    xy = np.array([[1.0, 2.0]])
    points = Keypoints.drawn(xy, [2])
    xy[0, 0] = 9.0
    assert points.xy[0, 0] == 1.0
    for array in (points.xy, points.visibility, points.score):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("xy", "visibility", "score", "message"),
    [
        ([[np.nan, 1.0]], [2], [1.0], "finite"),
        ([[np.inf, 1.0]], [1], [1.0], "finite"),
        ([[1.0, 1.0]], [3], [1.0], "visibility"),
        ([[1.0, 1.0]], [2], [1.5], "between 0 and 1"),
        ([[1.0, 1.0]], [2], [np.nan], "between 0 and 1"),
        ([[1.0, 1.0]], [2, 2], [1.0, 1.0], "reshape"),
        ([[1.0, 1.0]], [2], [1.0, 1.0], "reshape"),
    ],
)
def test_impossible_values_are_refused(
    xy: list, visibility: list, score: list, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Keypoints(np.array(xy), np.array(visibility), np.array(score))


def test_bbox_is_of_the_labelled_points() -> None:
    points = Keypoints.drawn([[2.0, 8.0], [5.0, 3.0], [0.0, 0.0]], [1, 2, 0])
    assert points.bbox() == (2.0, 3.0, 3.0, 5.0)
    assert points.bbox(margin=1.0) == (1.0, 2.0, 5.0, 7.0)
    assert Keypoints.drawn([[1.0, 1.0]], [0]).bbox() is None


def test_no_points_at_all() -> None:
    points = Keypoints.drawn(np.empty((0, 2)), [])
    assert len(points) == 0
    assert points.bbox() is None


objects = st.lists(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 2), st.floats(0, 1)),
        max_size=4,
    ),
    max_size=5,
)


@given(objects)
def test_many_objects_at_once_are_those_one_by_one(rows: list[list[tuple[float, ...]]]) -> None:
    table = np.array([row for part in rows for row in part]).reshape(-1, 4)
    lengths = [len(part) for part in rows]
    columns = (table[:, :2], table[:, 2].astype(np.int8), table[:, 3])
    many = Keypoints.many(*columns, lengths)
    ends = np.cumsum([0, *lengths])
    places = [slice(*ends[i : i + 2]) for i in range(len(rows))]
    assert many == [Keypoints(*(column[place] for column in columns)) for place in places]
    for points in many:
        assert not points.xy.flags.writeable


def test_one_wrong_point_among_many_objects_is_found() -> None:
    with pytest.raises(ValueError, match="finite"):
        Keypoints.many(np.array([[1.0, 1.0], [np.inf, 1.0]]), np.array([2, 2]), np.ones(2), [1, 1])
