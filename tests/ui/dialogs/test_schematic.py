import numpy as np

from fmstudio.geometry.points import Keypoints
from fmstudio.ui.dialogs.schema_sources import load_templates, names_in
from fmstudio.ui.dialogs.schematic import (
    completed,
    example_points,
    layout_from_points,
    layout_from_templates,
)

SHAPE = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 50.0], [0.0, 50.0]])


def test_annotated_points_keep_their_shape():
    layout = layout_from_points([Keypoints.drawn(SHAPE + 30, [2, 2, 1, 2])])
    assert layout.min() == 0.0
    assert layout.max() == 1.0
    np.testing.assert_allclose(np.ptp(layout, axis=0), [1.0, 0.5])


def test_what_one_annotation_lacks_comes_from_another():
    first = Keypoints.drawn(SHAPE, [2, 2, 2, 0])
    moved = Keypoints.drawn(3 * SHAPE + [7, 9], [2, 2, 0, 2])
    np.testing.assert_allclose(
        layout_from_points([first, moved]),
        layout_from_points([Keypoints.drawn(SHAPE, [2, 2, 2, 2])]),
    )


def test_points_that_none_has_labelled_are_put_around_the_others():
    layout = layout_from_points([Keypoints.drawn(SHAPE, [2, 2, 2, 0])])
    assert np.isnan(layout[3]).all()
    places = completed(layout)
    assert np.isfinite(places).all()
    assert np.hypot(*(places[3] - 0.5)) > np.hypot(*(places[:3] - 0.5).T).max()


def test_without_anything_the_places_are_a_circle():
    places = completed(np.full((7, 2), np.nan))
    np.testing.assert_allclose(np.hypot(*(places - 0.5).T), 0.5)
    assert len(np.unique(places.round(6), axis=0)) == 7
    assert completed(np.empty((0, 2))).shape == (0, 2)


def test_one_point_on_all_examples_is_no_division_by_zero():
    layout = layout_from_points([Keypoints.drawn([[5, 5]], [2])])
    np.testing.assert_allclose(layout, [[0.5, 0.5]])


def test_names_of_a_template_get_its_places():
    human = next(t for t in load_templates() if len(t.layout) == 17)
    layout = layout_from_templates(("nose", "left_hip", "antenna"), load_templates())
    assert tuple(layout[1]) == human.layout[human.category.keypoints.index("left_hip")]
    assert np.isnan(layout[2]).all()
    assert np.isnan(layout_from_templates(("nose", "x", "y"), load_templates())).all()


def test_examples_begin_with_the_fullest_accepted_one(qapp, make_session):
    project = make_session().project
    category = project.sorted_categories()[0]
    first, *_ = example_points(project, category.id)
    assert first is next(iter(project.annotations.values())).keypoints
    assert example_points(project, 99) == ()


def test_pasted_names_are_cleaned():
    assert names_in("nose\n left eye \r\n\n\nnose\n") == ("nose", "left eye")
    assert names_in('["nose", "left_eye"]') == ("nose", "left_eye")
    assert names_in("a,b\tc;d") == ("a", "b", "c", "d")
    assert names_in(" \n ") == ()
