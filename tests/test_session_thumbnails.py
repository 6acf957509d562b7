import numpy as np
import pytest
from PIL import Image

from fmstudio.errors import ImageError
from fmstudio.geometry.grid import ImageSize
from fmstudio.io.images import probe
from fmstudio.project.model import ImageItem
from fmstudio.session_thumbnails import SIDE, thumbnail_of


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    rows = np.linspace(0, 255, 300, dtype=np.uint8)[:, None, None]
    Image.fromarray(np.broadcast_to(rows, (300, 400, 3)).copy()).save(path)
    return path


@pytest.fixture
def image(photo):
    return ImageItem(1, "photo.jpg", ImageSize(400, 300), probe(photo).sha256)


def kept(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_the_second_time_it_comes_from_the_cache(image, photo, tmp_path):
    cache = tmp_path / "project.cache"
    first = thumbnail_of(image, photo, cache)
    assert first.shape == (SIDE * 3 // 4, SIDE, 3)
    photo.unlink()
    again = thumbnail_of(image, photo, cache)
    assert np.abs(first.astype(int) - again).mean() < 3
    assert len(kept(cache)) == 1


def test_a_damaged_one_is_made_again(image, photo, tmp_path):
    cache = tmp_path / "project.cache"
    first = thumbnail_of(image, photo, cache)
    (path,) = kept(cache)
    for damaged in (b"", path.read_bytes()[:200], b"no picture"):
        path.write_bytes(damaged)
        assert np.array_equal(thumbnail_of(image, photo, cache), first)
    assert np.abs(thumbnail_of(image, tmp_path / "gone", cache).astype(int) - first).mean() < 3


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(image, photo, tmp_path):
    in_the_way = tmp_path / "project.cache"
    in_the_way.write_text("a file where the folder should be")
    assert thumbnail_of(image, photo, in_the_way).shape[1] == SIDE
    assert in_the_way.read_text() == "a file where the folder should be"


def test_an_image_of_unknown_content_is_not_kept(photo, tmp_path):
    image = ImageItem(1, "photo.jpg", ImageSize(400, 300), "")
    thumbnail_of(image, photo, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_what_cannot_be_read_is_said(image, tmp_path):
    with pytest.raises(ImageError, match="There is no file"):
        thumbnail_of(image, tmp_path / "gone.jpg", tmp_path / "cache")


def test_a_cache_that_came_with_a_project_is_no_bomb(image, photo, tmp_path):
    """What lies under a thumbnail's name may be any file: only one of its size is taken."""
    cache = tmp_path / "project.cache"
    first = thumbnail_of(image, photo, cache)
    (path,) = kept(cache)
    Image.new("1", (16_000, 12_000)).save(path, "PNG")
    assert np.array_equal(thumbnail_of(image, photo, cache), first)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert np.array_equal(thumbnail_of(image, photo, cache), first)
