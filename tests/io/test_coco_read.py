"""Reading what other tools write: as it stands, with a note, or not at all."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from fmstudio.errors import FormatError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.io.coco import CocoData, read_coco, validate_coco
from fmstudio.io.coco_read import Reader
from fmstudio.project.model import Category, Drawn, ImageItem, Project, Status
from fmstudio.project.validate import check

WIDTH, HEIGHT = 40, 30
SQUARE = [10.0, 5.0, 20.0, 5.0, 20.0, 15.0, 10.0, 15.0]
DEV = Path(__file__).parents[3] / "shared" / "data" / "dev"


def record(**changes: Any) -> dict[str, Any]:
    entry = {"id": 7, "image_id": 3, "category_id": 1, "iscrowd": 0, "bbox": [1, 2, 3, 4]}
    return {**entry, **changes}


def document(*annotations: dict[str, Any]) -> dict[str, Any]:
    return {
        "images": [{"id": 3, "file_name": "a/b.jpg", "width": WIDTH, "height": HEIGHT}],
        "categories": [
            {"id": 1, "name": "cat", "supercategory": "animal", "keypoints": ["nose", "tail"],
             "skeleton": [[1, 2]]},
            {"id": 2, "name": "stone", "supercategory": ""},
        ],
        "annotations": list(annotations),
    }  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], CocoData]:
    def read_document(content: Any) -> CocoData:
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(content))
        data = read_coco(path)
        # Whatever is read makes a sound project.
        check(Project.build("p", data.images, data.categories, data.annotations))
        return data

    return read_document


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[Any], str]:
    def text_of(content: Any) -> str:
        path = tmp_path / "labels.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        with pytest.raises(FormatError) as caught:
            read_coco(path)
        text = str(caught.value)
        assert str(path) in text
        assert "\n" not in text
        assert text.endswith(".")
        return text

    return text_of


Read = Callable[[Any], CocoData]
Refusal = Callable[[Any], str]


def test_a_plain_file(read: Read) -> None:
    data = read(document(record(keypoints=[1.25, 2.5, 2, 9, 9, 0], segmentation=[SQUARE])))
    assert data.images == (ImageItem(3, "a/b.jpg", ImageSize(WIDTH, HEIGHT), ""),)
    assert data.categories == (
        Category(1, "cat", "animal", ("nose", "tail"), ((0, 1),)),
        Category(2, "stone"),
    )
    (annotation,) = data.annotations
    assert annotation.id == 7
    assert (annotation.status, annotation.provenance) == (Status.ACCEPTED, Drawn())
    assert annotation.confidence is None
    assert annotation.keypoints is not None
    assert annotation.keypoints.xy.tolist() == [[1.25, 2.5], [0, 0]]
    assert annotation.mask is not None
    assert annotation.mask.area == 100
    assert annotation.bbox is None
    assert data.notes == ()


@pytest.mark.parametrize(
    ("given_value", "is_crowd"),
    [(0, False), (1, True), (False, False), (True, True), (None, False)],
)
def test_iscrowd_in_all_its_forms(read: Read, given_value: object, is_crowd: bool) -> None:
    assert read(document(record(iscrowd=given_value))).annotations[0].is_crowd == is_crowd
    missing = record()
    del missing["iscrowd"]
    assert not read(document(missing)).annotations[0].is_crowd


def test_run_lengths_compressed_or_not(read: Read) -> None:
    covered = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3
    packed = coco_mask.encode(np.asfortranarray(covered.astype(np.uint8)))
    compressed = {"size": [HEIGHT, WIDTH], "counts": packed["counts"].decode()}
    plain = {"size": [HEIGHT, WIDTH], "counts": Mask.from_array(covered).counts.tolist()}
    for segmentation in (compressed, plain):
        mask = read(document(record(segmentation=segmentation))).annotations[0].mask
        assert mask is not None
        assert np.array_equal(mask.to_array(), covered)


def test_several_rings_are_a_union(read: Read) -> None:
    inside = [12.0, 7.0, 18.0, 7.0, 18.0, 13.0, 12.0, 13.0]
    apart = [25.0, 5.0, 30.0, 5.0, 30.0, 10.0, 25.0, 10.0]
    mask = read(document(record(segmentation=[SQUARE, inside, apart]))).annotations[0].mask
    assert mask is not None
    assert mask.area == 125
    rle = coco_mask.merge(coco_mask.frPyObjects([SQUARE, inside, apart], HEIGHT, WIDTH))
    assert mask.area == coco_mask.area(rle)


@pytest.mark.parametrize("segmentation", [[], None, [[]], [[1, 2, 3, 4]]])
def test_no_polygon_leaves_the_box(read: Read, segmentation: object) -> None:
    data = read(document(record(segmentation=segmentation)))
    assert data.annotations[0].mask is None
    assert data.annotations[0].bbox == (1, 2, 3, 4)
    assert len(data.notes) == (1 if segmentation else 0)


def test_a_flat_polygon_is_one_ring(read: Read) -> None:
    data = read(document(record(segmentation=SQUARE)))
    assert data.annotations[0].mask is not None
    assert data.annotations[0].mask.area == 100
    assert "flat list" in data.notes[0]


def test_an_empty_mask_is_none(read: Read) -> None:
    tiny = [1.1, 1.1, 1.2, 1.1, 1.2, 1.2]
    nothing = {"size": [HEIGHT, WIDTH], "counts": [WIDTH * HEIGHT]}
    data = read(document(record(segmentation=[tiny]), record(id=8, segmentation=nothing)))
    assert [annotation.mask for annotation in data.annotations] == [None, None]
    assert data.annotations[1].bbox == (1, 2, 3, 4)
    assert "no pixel" in data.notes[0]


def test_ids_of_any_kind(read: Read) -> None:
    content = document()
    content["images"] = [
        {"id": key, "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT}
        for i, key in enumerate([0, "abc", 5, -1, 2.0, 10**30])
    ]
    content["categories"][1]["id"] = 0
    content["annotations"] = [
        record(id=0, image_id="abc"),
        record(id=9, image_id=0, category_id=0),
        record(id=9, image_id=5),
        record(id="x", image_id=-1),
        {key: value for key, value in record(image_id=2).items() if key != "id"},
        record(id=3, image_id=10**30),
    ]
    data = read(content)
    assert [image.id for image in data.images] == [6, 7, 5, 8, 2, 9]
    assert [category.id for category in data.categories] == [1, 2]
    assert [a.id for a in data.annotations] == [10, 9, 11, 12, 13, 3]
    assert [a.image_id for a in data.annotations] == [7, 6, 5, 8, 2, 9]
    assert [a.category_id for a in data.annotations] == [1, 2, 1, 1, 1, 1]
    assert len(data.notes) == 3
    assert any("annotations[0], annotations[2], annotations[3] and 1 more" in n for n in data.notes)


def test_windows_paths_and_dots(read: Read) -> None:
    content = document()
    content["images"][0]["file_name"] = ".\\a\\..\\b c.jpg"
    data = read(content)
    assert data.images[0].path == "b c.jpg"
    assert "Backslashes" in data.notes[0]


@pytest.mark.parametrize("name", [r"\\\\server\share\x.jpg", "//server/share/x.jpg"])
def test_no_server_is_asked_for_an_image(read: Read, name: str) -> None:
    content = document()
    content["images"][0]["file_name"] = name
    data = read(content)
    assert data.images[0].path == "server/share/x.jpg"
    assert any("network shares" in note for note in data.notes)


def test_categories_of_one_name(read: Read) -> None:
    content = document()
    content["categories"][1]["name"] = "cat"
    data = read(content)
    assert [category.name for category in data.categories] == ["cat", "cat (2)"]
    assert len(data.notes) == 1


def test_a_skeleton_from_0(read: Read) -> None:
    content = document()
    content["categories"][0] |= {"skeleton": [[0, 1], [1, 1]], "flip_pairs": [[2, 1]]}
    data = read(content)
    assert data.categories[0].skeleton == ((0, 1),)
    assert data.categories[0].flip_pairs == ((1, 0),)
    assert len(data.notes) == 2


def test_sigmas_and_colours(read: Read) -> None:
    content = document()
    content["categories"][0] |= {"sigmas": [0.1, 1], "colors": ["#aabbcc"], "color": [1, 2, 3]}
    content["categories"][1] |= {"colors": ["red"], "sigmas": []}
    data = read(content)
    assert data.categories[0].sigmas == (0.1, 1.0)
    assert data.categories[0].colors == ("#aabbcc",)
    assert data.categories[1].colors == ()


def test_keypoints_outside_are_kept_with_a_note(read: Read) -> None:
    data = read(document(record(keypoints=[-3, 2, 2, 99.5, 2, 1])))
    assert data.annotations[0].keypoints is not None
    assert data.annotations[0].keypoints.xy[:, 0].tolist() == [-3, 99.5]
    assert "outside" in data.notes[0]


@pytest.mark.parametrize("values", [[], None, [0] * 6, [5, 6, 0, 7, 8, 0]])
def test_keypoints_that_label_nothing_are_none(read: Read, values: object) -> None:
    annotation = read(document(record(keypoints=values))).annotations[0]
    assert annotation.keypoints is None
    assert annotation.bbox == (1, 2, 3, 4)


def test_nan_may_stand_for_a_point_that_is_not_labelled(read: Read) -> None:
    annotation = read(document(record(keypoints=[float("nan"), None, 0, 1, 2, 2]))).annotations[0]
    assert annotation.keypoints is not None
    assert annotation.keypoints.xy.tolist() == [[0, 0], [1, 2]]


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        ([-5, -5, 10, 10], (0, 0, 5, 5)),
        ([35, 25, 10.5, 10], (35, 25, 5, 5)),
        ([0, 0, 40, 30], (0, 0, 40, 30)),
    ],
)
def test_boxes_are_clipped(read: Read, box: list[float], clipped: tuple[float, ...]) -> None:
    data = read(document(record(bbox=box)))
    assert data.annotations[0].bbox == clipped
    assert len(data.notes) == (0 if tuple(box) == clipped else 1)


def test_a_box_beside_a_mask_does_not_matter(read: Read) -> None:
    for box in ([900, 900, 1, 1], [1, 2, 0, 0], None, []):
        annotation = read(document(record(bbox=box, segmentation=[SQUARE]))).annotations[0]
        assert annotation.bbox is None


def test_attributes_of_other_tools_are_ignored(read: Read) -> None:
    for attributes in ({"occluded": False, "status": "rejected"}, [], "x", {"provenance": {}}):
        annotation = read(document(record(attributes=attributes))).annotations[0]
        assert (annotation.status, annotation.provenance) == (Status.ACCEPTED, Drawn())


def test_sources_follow_their_new_ids(read: Read) -> None:
    carried = {
        "status": "proposed",
        "score": 0.5,
        "provenance": {"kind": "propagated", "sources": [0, 99], "key": "k"},
    }
    data = read(document(record(id=0), record(id=4, attributes=carried)))
    assert data.annotations[0].id == 5
    assert data.annotations[1].provenance.sources == (5,)  # type: ignore[union-attr]
    assert data.annotations[1].status is Status.PROPOSED
    assert data.annotations[1].confidence == 0.5


def test_files_without_annotations_and_with_a_mark_of_order(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    content = document()
    del content["annotations"], content["categories"]
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    data = read_coco(path)
    assert (len(data.images), data.categories, data.annotations) == (1, (), ())


# --- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"image_id": 99}, "refers to image 99, which is not listed"),
        ({"image_id": None}, "refers to image None"),
        ({"image_id": [1]}, "refers to image [1]"),
        ({"image_id": True}, "refers to image True"),
        ({"category_id": "cat"}, "refers to category 'cat'"),
        ({"iscrowd": "no"}, "iscrowd 'no'"),
        ({"iscrowd": 2}, "iscrowd 2"),
        ({"keypoints": [1, 2, 2]}, "category 'cat' names 2 keypoints, which takes 6"),
        ({"keypoints": [0, 0, 0]}, "3 keypoint numbers"),
        ({"keypoints": [1, 2, 2], "category_id": 2}, "names 0 keypoints"),
        ({"keypoints": [1, 2, 3, 0, 0, 0]}, "visibility"),
        ({"keypoints": [1, 2, 1.5, 0, 0, 0]}, "visibility"),
        ({"keypoints": [1, 2, "2", 0, 0, 0]}, "visibility"),
        ({"keypoints": [1, float("nan"), 2, 0, 0, 0]}, "no finite numbers for keypoint 'nose'"),
        ({"keypoints": [0, 0, 0, None, 1, 2]}, "keypoint 'tail'"),
        ({"keypoints": [0, 0, 0, "1", 1, 2]}, "keypoint 'tail'"),
        ({"keypoints": [0, 0, 0, 10**400, 1, 2]}, "keypoint 'tail'"),
        ({"keypoints": {"nose": [1, 2]}}, "not a list"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "x, y pairs"),
        ({"segmentation": [[1, 2, 3, 4, 5, float("inf")]]}, "finite"),
        ({"segmentation": [["1", "2", "3", "4", "5", "6"]]}, "finite"),
        ({"segmentation": [[0, 0, 1e12, 0, 1e12, 1e12]]}, "far outside"),
        ({"segmentation": [[[1, 2], [3, 4], [5, 6]]]}, "finite numbers"),
        ({"segmentation": "polygon"}, "neither polygons nor run lengths"),
        ({"segmentation": {"size": [30, 40], "counts": [1, 2]}}, "add up to 3"),
        ({"segmentation": {"size": [30, 40], "counts": [-1, 1201]}}, "counts"),
        ({"segmentation": {"size": [30, 40], "counts": [0.5, 1199.5]}}, "counts"),
        ({"segmentation": {"size": [30, 40], "counts": [10**30]}}, "counts"),
        ({"segmentation": {"size": [30, 40], "counts": "~~~~"}}, "cannot be decoded"),
        ({"segmentation": {"size": [30, 40], "counts": "é"}}, "counts"),
        ({"segmentation": {"size": [30, 40], "counts": ""}}, "cannot be decoded"),
        ({"segmentation": {"size": [30, 40]}}, "counts"),
        ({"segmentation": {"counts": [1200]}}, "its size is None"),
        ({"segmentation": {"size": [40, 30], "counts": [1200]}}, "[height, width] is [30, 40]"),
        ({"segmentation": {"size": [10**9, 10**9], "counts": [10**18]}}, "its size is [1000000000"),
        ({"bbox": [1, 2, 3]}, "bbox [1, 2, 3]"),
        ({"bbox": [1, 2, float("nan"), 4]}, "four finite numbers"),
        ({"bbox": "1,2,3,4"}, "four finite numbers"),
        ({"bbox": [50, 2, 3, 4]}, "covers nothing"),
        ({"bbox": [1, 2, 0, 4]}, "covers nothing"),
        ({"bbox": [1, 2, -3, 4]}, "covers nothing"),
        ({"bbox": None}, "neither keypoints, nor a mask, nor a bbox"),
    ],
)  # fmt: skip
def test_a_broken_annotation_is_named(
    refusal: Refusal, changes: dict[str, Any], fault: str
) -> None:
    good = [record(id=i) for i in range(1, 18)]
    text = refusal(document(*good, record(id=99, **changes)))
    assert "annotations[17] " in text
    assert fault in text
    assert text.count("annotations[") == 1
    assert len(text) < 500


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"file_name": ""}, "no file_name"),
        ({"file_name": 7}, "no file_name"),
        ({"file_name": "a\x00.jpg"}, "no file_name"),
        ({"file_name": "caf\udce9.jpg"}, "no file_name"),
        ({"file_name": "x" * 256}, "longer than a name"),
        ({"file_name": "x/" * 3000}, "longer than a name"),
        ({"width": None}, "width None"),
        ({"height": 0}, "height 0"),
        ({"height": 1.5}, "height 1.5"),
        ({"width": "640"}, "width '640'"),
        ({"width": True}, "width True"),
        ({"width": 10**9}, "width 1000000000"),
        ({"width": 10**6, "height": 10**6}, "more than the limit"),
        ({"id": None}, "no id"),
        ({"id": [1]}, "no id"),
        ({"id": 4}, "has the id 4 of images[1]"),
        ({"id": 4.0}, "has the id 4 of images[1]"),
        ({"file_name": "./x.jpg"}, "has the file_name 'x.jpg' of images[1]"),
    ],
)
def test_a_broken_image_is_named(refusal: Refusal, changes: dict[str, Any], fault: str) -> None:
    content = document(record(image_id=4))
    other = {"id": 4, "file_name": "x.jpg", "width": WIDTH, "height": HEIGHT}
    content["images"] += [other, {**other, "id": 5, "file_name": "y.jpg", **changes}]
    text = refusal(content)
    assert "images[2] has " in text
    assert fault in text
    assert text.count("[2]") == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": None}, "no name"),
        ({"keypoints": "nose"}, "not a list of names"),
        ({"keypoints": ["a", "a"]}, "different names"),
        ({"keypoints": ["a", 1]}, "different names"),
        ({"skeleton": [[1, 3]]}, "skeleton that is not a list of pairs between 1 and 2"),
        ({"skeleton": [[1]]}, "skeleton"),
        ({"skeleton": [["nose", "tail"]]}, "skeleton"),
        ({"skeleton": [[0, 2]]}, "both 0 and 2"),
        ({"flip_pairs": [[1, 2], [2, 1]]}, "two flip_pairs"),
        ({"sigmas": [0.1]}, "2 numbers above 0"),
        ({"sigmas": [0.1, 0]}, "2 numbers above 0"),
        ({"sigmas": [0.1, float("inf")]}, "2 numbers above 0"),
        ({"id": 2}, "has the id 2 of categories[0]"),
    ],
)
def test_a_broken_category_is_named(refusal: Refusal, changes: dict[str, Any], fault: str) -> None:
    content = document(record())
    content["categories"] = [content["categories"][1], content["categories"][0] | changes]
    text = refusal(content)
    assert "categories[1] " in text
    assert fault in text
    # An annotation of a category at fault is not reported on top, if it can be told.
    assert "annotations[" not in text or changes == {"id": 2}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "line 1, column 1"),
        (b'{"images": [\n {"id": 1,}\n]}', "line 2, column 11"),
        (b'{"images": []', "line 1, column 14"),
        (b"\xff\xfe{}", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"images": ' + b"1" * 5000 + b"}", "not JSON that can be read"),
        (b"[]", "is not a COCO data set"),
        (b'"text"', "is not a COCO data set"),
        (b"{}", "the file has no list 'images'"),
        (b'{"images": {}}', "the file has no list 'images'"),
        (b'{"images": [], "annotations": 7}', "the file has no list 'annotations'"),
        (b'{"images": [null]}', "images[0] is not an object"),
        (b'{"images": [], "annotations": [[]]}', "annotations[0] is not an object"),
        (b'{"images": [], "annotations": [{}]}', "annotations[0] refers to image None"),
        (b'{"images": [{}]}', "images[0] has no id"),
        (b'{"images": [], "categories": [{}]}', "categories[0] has no id"),
    ],
)
def test_a_broken_file_is_named(refusal: Refusal, content: bytes, fault: str) -> None:
    assert fault in refusal(content)


def test_all_faults_are_collected_and_twenty_shown(refusal: Refusal) -> None:
    text = refusal(document(*[record(id=i, bbox=None) for i in range(1, 28)]))
    assert text.count("annotations[") == 20
    assert text.endswith("and 7 more faults.")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no file .*missing\.json"):
        read_coco(tmp_path / "missing.json")
    with pytest.raises(FormatError, match="cannot be read"):
        read_coco(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where every part of a document is."""
    inner = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [path, *(p for key, part in inner for p in _paths(part, (*path, key)))]


@given(st.data())
def test_whatever_stands_in_a_file_is_read_or_refused(data: st.DataObject) -> None:
    """Any part of a good file replaced by anything: no other exception, and no unsound project."""
    content = document(
        record(keypoints=[1, 2, 2, 3, 4, 1], segmentation=[SQUARE]),
        record(id=8, segmentation={"size": [HEIGHT, WIDTH], "counts": [10, 20, 1170]}),
    )
    content["categories"][0] |= {"flip_pairs": [[1, 2]], "sigmas": [0.1, 0.2]}
    content = copy.deepcopy(content)
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from([p for p in _paths(content) if p]))
        part = content
        for key in path:
            part = part[key]
        part[last] = data.draw(JSON)
    before = copy.deepcopy(content)
    reader = Reader()
    result = reader.read(content)
    if not reader.faults:
        check(Project.build("p", result.images, result.categories, result.annotations))
    faults = validate_coco(content)
    assert all("\n" not in str(fault) for fault in [*reader.faults, *faults])
    assert repr(content) == repr(before)


@pytest.mark.skipif(not DEV.is_dir(), reason="the development sets are not beside this checkout")
def test_the_development_sets_are_read() -> None:
    files = sorted(DEV.glob("*/coco.json"))
    assert files
    for path in files:
        data = read_coco(path)
        raw = json.loads(path.read_text())
        assert data.notes == (), path
        assert [i.path for i in data.images] == [i["file_name"] for i in raw["images"]]
        assert [a.id for a in data.annotations] == [a["id"] for a in raw["annotations"]]
        check(Project.build("p", data.images, data.categories, data.annotations))
        for annotation, entry in zip(data.annotations, raw["annotations"], strict=True):
            if "segmentation" in entry:
                assert annotation.mask is not None
                assert annotation.mask.area == entry["area"]
            labelled = 0 if annotation.keypoints is None else annotation.keypoints.labelled.sum()
            assert labelled == entry.get("num_keypoints", 0)
