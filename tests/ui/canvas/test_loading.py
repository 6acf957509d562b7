import numpy as np
import pytest

from fmstudio.errors import Cancelled, ImageError
from fmstudio.geometry.grid import ImageSize
from fmstudio.project.model import ImageItem
from fmstudio.session import CancelToken
from fmstudio.ui.canvas.loading import Shelf, load_pyramid
from fmstudio.ui.canvas.pyramid import Pyramid


def image(number, sha256=None):
    return ImageItem(number, f"{number}.png", ImageSize(30, 20), sha256 or f"hash {number}")


def pyramid():
    return Pyramid(np.zeros((20, 30, 3), np.uint8))


def test_a_job_yields_the_pixels_of_the_file(qapp, make_session):
    session = make_session(annotated=False)
    first = session.project.sorted_images()[0]
    (found,) = load_pyramid(session, first)(CancelToken())
    assert (found.width, found.height) == (first.size.width, first.size.height)


def test_a_cancelled_job_decodes_nothing(qapp, make_session):
    session = make_session(annotated=False)
    first = session.project.sorted_images()[0]
    session.path_of(first).unlink()
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        next(load_pyramid(session, first)(token))
    with pytest.raises(ImageError):
        next(load_pyramid(session, first)(CancelToken()))


def test_the_shelf_keeps_what_was_shown_last(qapp):
    shelf = Shelf(budget=2 * pyramid().n_bytes)
    kept = [pyramid() for _ in range(3)]
    shelf.put(image(0), kept[0])
    shelf.put(image(1), kept[1])
    assert shelf.get(image(0)) is kept[0]
    shelf.put(image(2), kept[2])
    assert [shelf.get(image(i)) for i in range(3)] == [kept[0], None, kept[2]]


def test_an_image_larger_than_the_budget_is_kept_alone(qapp):
    shelf = Shelf(budget=1)
    large = pyramid()
    shelf.put(image(0), pyramid())
    shelf.put(image(1), large)
    assert (shelf.get(image(0)), shelf.get(image(1))) == (None, large)


def test_an_image_without_a_hash_is_not_kept(qapp):
    shelf = Shelf()
    unknown = ImageItem(1, "1.png", ImageSize(30, 20), "")
    shelf.put(unknown, pyramid())
    assert shelf.get(unknown) is None
