"""Exports with upright copies of the images that carry an orientation."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import Cancelled, FormatError, ImageError
from fmstudio.geometry.points import Keypoints
from fmstudio.io.images import read_rgb
from fmstudio.project.edits import AddAnnotation, AddCategory
from fmstudio.project.model import Annotation, Category
from fmstudio.session import CocoOptions, Session
from fmstudio.session_oriented import export_oriented, export_steps, upright_folder


def photo(path, orientation):
    """Write a photo whose first stored corner is red, turned by its EXIF data."""
    pixels = np.zeros((40, 60, 3), dtype=np.uint8)
    pixels[:8, :8, 0] = 240
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels + orientation).save(path, exif=exif)


@pytest.fixture
def session(tmp_path):
    folder = tmp_path / "work" / "photos"
    folder.mkdir(parents=True)
    for orientation in (1, 6, 8):
        photo(folder / f"turned {orientation}.png", orientation)
    with Session.create(tmp_path / "work" / "cats") as session:
        session.add_images([folder])
        session.perform(AddCategory(Category(0, "cat", "animal", ("nose",))))
        points = Keypoints(np.array([[36.0, 4.0]]), np.array([2]), np.array([1.0]))
        session.perform(AddAnnotation(Annotation(0, 2, 1, points, None)))
        yield session


def steps_to(session, path, token, *, upright=True):
    return export_steps(session.project, session.path.parent, path, None, token, upright=upright)


def files_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_turned_images_are_written_upright_beside_the_file(session, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    report = export_oriented(session, out / "labels.coco.json")
    assert files_in(out) == [
        "labels-upright/000002-turned 6.png",
        "labels-upright/000003-turned 8.png",
        "labels.coco.json",
    ]
    assert not any("orientation" in warning for warning in report.warnings)
    loaded = COCO(str(out / "labels.coco.json"))
    for entry in loaded.imgs.values():
        assert "exif_orientation" not in entry
        with Image.open(out / entry["file_name"]) as image:
            assert image.getexif().get(0x0112, 1) == 1
            assert image.size == (entry["width"], entry["height"])
            upright = np.asarray(image)
        original = session.project.images[entry["id"]]
        assert (upright == read_rgb(session.path_of(original))).all()
    # The point lies on the red corner, which has moved to the right.
    (annotation,) = loaded.anns.values()
    x, y, _ = annotation["keypoints"]
    with Image.open(out / loaded.imgs[2]["file_name"]) as image:
        assert image.getpixel((int(x), int(y)))[0] > 200
    assert session.project.images[2].orientation == 6


def test_without_copies_the_file_is_that_of_a_plain_export(session, tmp_path):
    *_, report = steps_to(session, tmp_path / "a.json", CancelToken(), upright=False)
    session.export_coco(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert report.n_annotations == 1


def test_another_root_names_the_copies_too(session, tmp_path):
    options = CocoOptions(image_root=tmp_path)
    export_oriented(session, tmp_path / "work" / "labels.json", options)
    entries = json.loads((tmp_path / "work" / "labels.json").read_text())["images"]
    assert [entry["file_name"] for entry in entries] == [
        "work/photos/turned 1.png",
        "work/labels-upright/000002-turned 6.png",
        "work/labels-upright/000003-turned 8.png",
    ]


def test_a_stopped_export_leaves_nothing(session, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    token = CancelToken()
    steps = steps_to(session, out / "labels.json", token)
    assert (next(steps).done, next(steps).done) == (0, 1)
    assert len(files_in(out)) == 1
    token.cancel()
    with pytest.raises(Cancelled):
        list(steps)
    assert list(out.iterdir()) == []


def test_a_stream_that_is_dropped_leaves_nothing(session, tmp_path):
    steps = steps_to(session, tmp_path / "labels.json", CancelToken())
    next(steps), next(steps)
    steps.close()
    assert not upright_folder(tmp_path / "labels.json").exists()


def test_a_missing_image_stops_the_export_and_is_named(session, tmp_path):
    (session.path.parent / "photos" / "turned 8.png").unlink()
    (tmp_path / "labels.json").write_text("as it was")
    with pytest.raises(ImageError, match=r"turned 8\.png"):
        export_oriented(session, tmp_path / "labels.json")
    assert not upright_folder(tmp_path / "labels.json").exists()
    assert (tmp_path / "labels.json").read_text() == "as it was"


def test_copies_of_an_earlier_export_stay_when_the_next_one_fails(session, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    export_oriented(session, out / "labels.json")
    before = files_in(out)
    (session.path.parent / "photos" / "turned 8.png").unlink()
    with pytest.raises(ImageError):
        export_oriented(session, out / "labels.json")
    assert files_in(out) == before


def test_a_file_that_cannot_be_written_is_explained(session, tmp_path):
    path = tmp_path / "folder.json"
    path.mkdir()
    with pytest.raises(FormatError, match="cannot be written"):
        export_oriented(session, path)
    assert not upright_folder(path).exists()


def test_an_image_of_the_project_is_never_written_over(session, tmp_path):
    folder = upright_folder(session.path.parent / "labels.json")
    folder.mkdir()
    photo(folder / "000002-turned 6.png", 3)
    session.add_images([folder])
    with pytest.raises(ImageError, match="is an image of the project"):
        export_oriented(session, session.path.parent / "labels.json")
