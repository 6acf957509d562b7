from pathlib import Path

import numpy as np
import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets import find_sets, read_coco_folder

BLANK = np.zeros((40, 60, 3), dtype=np.uint8)
POINTS = [(10, 20, 2), (30, 25, 1)]


def test_a_set_is_read_by_image_id(writer):
    made = writer()
    for image_id in (7, 2, 5):
        made.image(image_id, BLANK)
    made.annotation(1, 5, xyv=POINTS, bbox=(1, 2, 30, 20))
    made.annotation(2, 7, xyv=POINTS, bbox=(1, 2, 30, 20))
    made.annotation(3, 2, xyv=[(1, 1, 2), (0, 0, 0)], bbox=(1, 2, 3, 4))
    (found,) = find_sets(made.close())
    assert found.name == "thing"
    assert [image.id for image in found.images] == [2, 5, 7]
    first = found.images[0]
    assert first.path.is_file()
    assert (first.size.width, first.size.height) == (60, 40)
    assert first.keypoints.visibility.tolist() == [2, 0]
    assert first.box == (1, 2, 3, 4)
    assert first.mask is None


def test_images_without_an_annotation_are_left_out(writer):
    made = writer()
    for image_id in (1, 2, 3):
        made.image(image_id, BLANK)
    made.annotation(1, 1, xyv=POINTS)
    made.annotation(2, 3, xyv=POINTS)
    (found,) = find_sets(made.close())
    assert [image.id for image in found.images] == [1, 3]


def test_of_several_annotations_the_first_by_id_counts_and_crowds_do_not(writer):
    made = writer()
    made.image(1, BLANK)
    mask = np.ones((40, 60), dtype=bool)
    made.annotation(9, 1, xyv=POINTS, bbox=(9, 9, 9, 9))
    made.annotation(4, 1, xyv=POINTS, bbox=(4, 4, 4, 4))
    made.annotation(2, 1, mask=mask, bbox=(0, 0, 60, 40), iscrowd=1)
    (found,) = find_sets(made.close())
    (image,) = found.images
    assert image.box == (4, 4, 4, 4)


def test_ids_are_the_files_own_even_from_zero(writer):
    made = writer()
    for image_id in (2, 0, 1):
        made.image(image_id, BLANK)
    made.annotation(0, 2, xyv=POINTS, bbox=(0, 0, 9, 9))
    made.annotation(1, 2, xyv=POINTS, bbox=(1, 1, 9, 9))
    made.annotation(2, 0, xyv=POINTS)
    made.annotation(3, 1, xyv=POINTS)
    (found,) = find_sets(made.close())
    assert [image.id for image in found.images] == [0, 1, 2]
    assert [image.path.name for image in found.images] == ["photo0.png", "photo1.png", "photo2.png"]
    assert found.images[2].box == (0, 0, 9, 9)


def test_a_guess_is_no_truth(writer):
    made = writer()
    made.image(1, BLANK)
    guess = {"status": "proposed", "provenance": {"kind": "propagated", "sources": [], "key": "k"}}
    made.annotation(1, 1, xyv=POINTS, bbox=(1, 1, 9, 9), attributes=guess)
    made.annotation(2, 1, xyv=POINTS, bbox=(2, 2, 9, 9))
    (found,) = find_sets(made.close())
    assert found.images[0].box == (2, 2, 9, 9)


def test_the_box_falls_back_to_the_mask_then_to_the_points(writer):
    made = writer()
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:15, 20:50] = True
    for image_id in (1, 2, 3, 4):
        made.image(image_id, BLANK)
    made.annotation(1, 1, xyv=POINTS, mask=mask, bbox=(0, 0, 7, 8))
    made.annotation(2, 2, xyv=POINTS, mask=mask)
    made.annotation(3, 3, xyv=POINTS)
    made.annotation(4, 4, xyv=[(5, 5, 2), (0, 0, 0)])
    (found,) = find_sets(made.close())
    boxes = [image.box for image in found.images]
    assert boxes == [(0, 0, 7, 8), (20, 5, 30, 10), (10, 20, 20, 5), None]


def test_a_folder_of_sets_is_sorted_by_name_and_ignores_other_things(writer, tmp_path):
    for name in ("zebra", "ant"):
        made = writer(f"all/{name}", category=name)
        made.image(1, BLANK)
        made.annotation(1, 1, xyv=POINTS)
        made.close()
    (tmp_path / "all" / "notes").mkdir()
    (tmp_path / "all" / "SOURCES.md").write_text("where they come from")
    assert [s.name for s in find_sets(tmp_path / "all")] == ["ant", "zebra"]


def test_sets_that_share_a_category_are_told_apart_by_their_folders(writer, tmp_path):
    for name in ("one", "two"):
        made = writer(f"all/{name}", category="cat")
        made.image(1, BLANK)
        made.annotation(1, 1, xyv=POINTS)
        made.close()
    assert [s.name for s in find_sets(tmp_path / "all")] == ["one/cat", "two/cat"]


def test_each_category_of_a_folder_is_a_set(writer):
    made = writer()
    made.coco["categories"].append({"id": 2, "name": "other"})
    made.coco["categories"].append({"id": 3, "name": "never seen"})
    made.image(1, BLANK)
    made.annotation(1, 1, xyv=POINTS)
    made.annotation(2, 1, mask=np.ones((40, 60), dtype=bool))
    made.coco["annotations"][1]["category_id"] = 2
    found = find_sets(made.close())
    assert [(s.name, len(s.images)) for s in found] == [("other", 1), ("thing", 1)]
    assert found[0].images[0].mask.to_array().all()


def test_a_missing_folder(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere: there is no such folder; give one with"):
        find_sets(tmp_path / "nowhere")


def test_a_folder_without_sets(tmp_path):
    with pytest.raises(DatasetError, match="no labelled set is in it"):
        find_sets(tmp_path)


def test_a_set_without_its_annotations(tmp_path):
    (tmp_path / "images").mkdir()
    with pytest.raises(DatasetError, match=r"coco\.json is missing"):
        find_sets(tmp_path)


def test_a_set_without_its_images(tmp_path):
    (tmp_path / "coco.json").write_text("{}")
    with pytest.raises(DatasetError, match="the folder images is missing"):
        find_sets(tmp_path)


def test_a_photo_that_is_missing_is_named(writer):
    made = writer()
    made.image(1, BLANK)
    made.annotation(1, 1, xyv=POINTS)
    folder = made.close()
    (folder / "images" / "photo1.png").unlink()
    with pytest.raises(DatasetError, match=r"photo1\.png: this image is missing"):
        find_sets(folder)


def test_a_broken_file_is_named(writer):
    made = writer()
    made.image(1, BLANK)
    made.annotation(1, 99, xyv=POINTS)
    with pytest.raises(DatasetError, match=r"coco\.json"):
        find_sets(made.close())


def test_text_that_is_not_json_is_named(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "coco.json").write_text("{ not json")
    with pytest.raises(DatasetError, match=r"coco\.json"):
        read_coco_folder(tmp_path)


def test_a_file_without_annotations_is_no_set(writer):
    made = writer()
    made.image(1, BLANK)
    with pytest.raises(DatasetError, match="no image is annotated"):
        find_sets(made.close())


def test_the_development_collection_is_complete():
    folder = Path(__file__).parents[4] / "shared" / "data" / "dev"
    if not folder.is_dir():
        pytest.skip("the development photos (../shared/data/dev) are not here")
    sets = find_sets(folder)
    assert {s.name for s in sets} == {p.parent.name for p in folder.glob("*/coco.json")}
    assert all(image.box is not None for s in sets for image in s.images)
