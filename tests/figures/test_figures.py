"""Each kind of figure, on pairs whose maps are known."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.drawing.canvas import text_width
from fmstudio.drawing.figure import Circle, Dot, Figure, Label, Picture, Segment, render
from fmstudio.evaluation.heat import gaussian_heat
from fmstudio.figures.basis import basis_figure
from fmstudio.figures.colours import colours_figure
from fmstudio.figures.fmaps import map_figure
from fmstudio.figures.heat import carried_heat, heat_figure
from fmstudio.figures.matches import find_matches, make_query, matches_figure, surest
from fmstudio.figures.photos import PhotoPair
from fmstudio.geometry.grid import ImageSize


def pictures(figure: Figure) -> list[Picture]:
    return [element for element in figure.elements if isinstance(element, Picture)]


def texts(figure: Figure) -> list[str]:
    return [element.text for element in figure.elements if isinstance(element, Label)]


def assert_marks_lie_on_the_page(figure: Figure) -> None:
    for element in figure.elements:
        if isinstance(element, Picture):
            assert element.left >= 0
            assert element.top >= 0
            assert element.left + element.width <= figure.width
            assert element.top + element.height <= figure.height
        elif isinstance(element, Label | Dot | Circle):
            assert 0 <= element.at[0] <= figure.width
            assert 0 <= element.at[1] <= figure.height - 4


# colours


def test_the_identity_repaints_a_photo_with_its_own_colours(identity: PhotoPair) -> None:
    figure = colours_figure(identity)
    shown = pictures(figure)
    assert len(shown) == 8
    own = shown[0].rgb.astype(int)
    for carried in shown[1:4]:
        assert np.abs(carried.rgb - own).max() <= 2
    assert_marks_lie_on_the_page(figure)


def test_colours_of_photos_of_other_shapes_stand_in_rows_of_one_height(uneven: PhotoPair) -> None:
    figure = colours_figure(uneven)
    assert len({round(picture.height, 6) for picture in pictures(figure)}) == 1
    assert {"wide.jpg", "tall.jpg", "nearest neighbours alone"} <= set(texts(figure))
    assert_marks_lie_on_the_page(figure)


# basis


def test_every_function_is_named_by_its_eigenvalue(uneven: PhotoPair) -> None:
    figure = basis_figure([uneven.a, uneven.b], count=5)
    expected = [
        f"{index + 1}: eigenvalue {float(photo.analysis.basis.evals[index]):.4f}"
        for photo in (uneven.a, uneven.b)
        for index in range(5)
    ]
    assert [text for text in texts(figure) if "eigenvalue " in text] == expected
    assert_marks_lie_on_the_page(figure)


def test_no_more_functions_are_shown_than_there_are(uneven: PhotoPair) -> None:
    figure = basis_figure([uneven.b], count=50)
    assert len(pictures(figure)) == 1 + 12 + 1  # photo, functions, ramp


def test_a_function_is_red_where_it_is_positive_and_blue_where_negative(
    identity: PhotoPair,
) -> None:
    function = pictures(basis_figure([identity.a], count=2))[2].rgb.astype(int)
    values = identity.a.analysis.basis.evecs[:, 1].reshape(12, 16).numpy()
    height, width = function.shape[:2]
    for row, col in ((6, 1), (6, 14)):
        red, _, blue = function[
            int((row + 0.5) * height / 12), int((col + 0.5) * width / 16)
        ].tolist()
        assert (red > blue) == (values[row, col] > 0)


# map


def test_the_matrix_shows_c_as_it_is(uneven: PhotoPair) -> None:
    figure = map_figure(uneven)
    C_st, ramp, mask, _ = (picture for picture in pictures(figure) if picture.is_cells)
    assert C_st.rgb.shape == mask.rgb.shape == (12, 20, 3)
    is_red = C_st.rgb[..., 0].astype(int) - C_st.rgb[..., 2] > 60
    assert np.array_equal(is_red, np.eye(12, 20, dtype=bool))
    assert np.array_equal(ramp.rgb[0, 0], [0x05, 0x30, 0x61])
    assert_marks_lie_on_the_page(figure)


def test_the_axes_name_eigenvalues(uneven: PhotoPair) -> None:
    found = texts(map_figure(uneven))
    assert f"{float(uneven.a.analysis.basis.evals[4]):.3f}" in found
    assert f"{float(uneven.b.analysis.basis.evals[9]):.3f}" in found
    assert {"1", "5", "10", "rows: eigenvalues of tall.jpg"} <= set(found)


def test_long_names_stay_beside_the_matrix(uneven: PhotoPair) -> None:
    long = replace(uneven, b=replace(uneven.b, name="a-very-long-file-name" * 5 + ".jpg"))
    figure = map_figure(long)
    matrix = next(picture for picture in pictures(figure) if picture.is_cells)
    (name, _) = (e for e in figure.elements if isinstance(e, Label) and "rows:" in e.text[:5])
    assert name.at[0] - text_width(name.text, name.size) > matrix.left + 40


# matches


def test_matches_of_the_identity_join_the_same_places(identity: PhotoPair) -> None:
    matches = find_matches(identity.map)
    assert np.abs(matches.xy_s - matches.xy_t).max() < 6
    figure = matches_figure(identity, count=7)
    lines = [element for element in figure.elements if isinstance(element, Segment)]
    box_a, box_b = pictures(figure)[:2]
    assert len(lines) == 14  # each with its outline
    for line in lines:
        assert line.b[0] - line.a[0] == pytest.approx(box_b.left - box_a.left, abs=24)
        assert line.b[1] == pytest.approx(line.a[1], abs=24)
    assert_marks_lie_on_the_page(figure)


def test_the_surest_point_is_decoded_where_it_is(identity: PhotoPair) -> None:
    point = surest(find_matches(identity.map), identity.map)
    query = make_query(identity.map, point)
    assert query.xy_t == pytest.approx(point, abs=6)
    assert query.heat.shape == (12, 16)
    assert query.heat.sum() == pytest.approx(1, abs=1e-4)


# heat


def test_the_heat_of_a_point_has_its_maximum_there(identity: PhotoPair) -> None:
    heat = gaussian_heat(ImageSize(160, 120), [(105.0, 45.0)], 12.0)
    for carried in carried_heat(identity, heat).values():
        assert carried.shape == (120, 160)
        y, x = np.unravel_index(np.argmax(carried), carried.shape)
        assert abs(x + 0.5 - 105) <= 5
        assert abs(y + 0.5 - 45) <= 5
        assert np.abs(carried - heat).max() < 0.3


def test_heat_goes_to_every_shape_and_its_peak_is_marked(uneven: PhotoPair) -> None:
    heat = gaussian_heat(ImageSize(160, 120), [(40.0, 60.0)], 20.0)
    carried = carried_heat(uneven, heat)
    truth = gaussian_heat(ImageSize(90, 180), [(45.0, 90.0)], 20.0)
    figure = heat_figure(
        uneven, heat, carried, truth=truth, notes={"functional map": "MSE 0.5"}, subtitle="a point"
    )
    assert len(pictures(figure)) == 6  # source, truth, three ways, ramp
    assert {"MSE 0.5", "a point", "tall.jpg: truth"} <= set(texts(figure))
    rings = [element for element in figure.elements if isinstance(element, Circle)]
    source = pictures(figure)[0]
    scale = source.width / 160
    assert rings[0].at == pytest.approx((source.left + 40 * scale, source.top + 60 * scale), abs=3)
    assert_marks_lie_on_the_page(figure)
    plain = heat_figure(uneven, heat, carried, has_peaks=False)
    assert not [element for element in plain.elements if isinstance(element, Circle)]


def test_heat_of_another_size_is_refused(identity: PhotoPair) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        carried_heat(identity, np.zeros((160, 120), dtype=np.float32))


def test_a_figure_is_rendered_at_the_width_that_is_asked_for(identity: PhotoPair) -> None:
    figure = matches_figure(identity, count=3)
    assert render(figure, 500).shape[1] == 500
    assert render(figure).shape == (figure.height, figure.width, 3)
