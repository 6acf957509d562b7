"""The sixteen rules of an export, each asked of pycocotools where it has an opinion."""

import contextlib
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fmstudio.errors import FormatError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io import coco, coco_write
from fmstudio.io.coco import CocoOptions, read_coco, to_coco, validate_coco, write_coco
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    Project,
    Propagated,
    Status,
)
from fmstudio.project.validate import check

SIZE = ImageSize(120, 90)
CAT = Category(
    3, "cat", "animal", ("nose", "left ear", "right ear", "chin", "tail"),
    ((0, 1), (0, 2), (3, 4)), ((1, 2),), (0.03, 0.05, 0.05, 0.04, 0.1), ("#ff8800",),
)  # fmt: skip
STONE = Category(4, "stone")


def blob(seed: int, *, hole: bool = False, parts: int = 1) -> Mask:
    """Return a mask of round parts, perhaps with a hole."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[0 : SIZE.height, 0 : SIZE.width] + 0.5
    covered = np.zeros(rows.shape, bool)
    for part in range(parts):
        x, y, r = 20 + 35 * part, rng.uniform(30, 60), rng.uniform(8, 14)
        distance = np.hypot(cols - x, rows - y)
        covered |= (distance < r) & ~(hole & (distance < r / 2))
    return Mask.from_array(covered)


def points(seed: int, visibility: tuple[int, ...] = (2, 1, 0, 2, 2)) -> Keypoints:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(5, 85, (5, 2))
    return Keypoints.drawn(xy, visibility)


def image(id_: int, path: str | None = None, orientation: int = 1) -> ImageItem:
    return ImageItem(id_, path or f"photos/{id_}.jpg", SIZE, f"{id_:064x}", orientation)


@pytest.fixture
def project() -> Project:
    carried = Propagated((11,), "key of settings")
    scored = Keypoints(points(3).xy, points(3).visibility, np.array([0.5, 0.25, 1, 1, 0.125]))
    annotations = [
        Annotation(11, 1, 3, points(1), blob(1)),
        Annotation(12, 1, 4, None, blob(2, hole=True)),
        Annotation(13, 2, 3, points(2), None),
        Annotation(14, 5, 3, None, blob(3, parts=3)),
        Annotation(15, 5, 3, scored, blob(4), Status.ACCEPTED, Corrected(carried), 0.75),
        Annotation(16, 5, 3, points(5), None, Status.PROPOSED, carried, 0.5),
        Annotation(17, 5, 4, None, None, bbox=(1.5, 2.25, 30.0, 40.0)),
        Annotation(18, 2, 4, None, blob(6, hole=True), is_crowd=True),
        Annotation(19, 9, 3, points(7), None, Status.REJECTED, carried, 0.125),
    ]
    images = [image(1), image(2), image(5), image(7), image(9, "photos/sub/1.jpg")]
    built = Project.build("Katzen & 石", images, [CAT, STONE], annotations)
    check(built)
    return built


def load(path: Path) -> COCO:
    """Load a file with pycocotools, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def covered_by(loaded: COCO, entry: dict[str, object]) -> NDArray[np.uint8]:
    """Return an annotation's mask (H, W) as pycocotools decodes it."""
    with warnings.catch_warnings():
        # pycocotools 2.0.11 does not know yet how numpy 2 asks an array for itself.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        mask: NDArray[np.uint8] = loaded.annToMask(entry)
        return mask


def average_precision(path: Path, kind: str, sigmas: list[float] | None = None) -> float:
    """Return the AP of a file's annotations taken as detections of themselves."""
    truth = load(path)
    detections = [
        {**annotation, "score": 1.0}
        for annotation in truth.anns.values()
        if (kind != "segm" or "segmentation" in annotation) and not annotation["iscrowd"]
        and (kind != "keypoints" or annotation["num_keypoints"])
    ]  # fmt: skip
    if kind == "segm":
        truth.dataset["annotations"] = [a for a in truth.anns.values() if "segmentation" in a]
        truth = in_memory(truth.dataset)
    with contextlib.redirect_stdout(io.StringIO()):
        found = truth.loadRes(json.loads(json.dumps(detections)))
        evaluation = COCOeval(truth, found, kind)
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.array(sigmas)
            evaluation.params.catIds = [3]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    # Its mean of ones is off in the last place.
    return round(float(evaluation.stats[0]), 12)


def in_memory(dataset: dict[str, object]) -> COCO:
    loaded = COCO()
    loaded.dataset = dataset
    with contextlib.redirect_stdout(io.StringIO()):
        loaded.createIndex()
    return loaded


@pytest.fixture
def exported(project: Project, tmp_path: Path) -> Path:
    path = tmp_path / "labels.coco.json"
    write_coco(path, project, CocoOptions(project_root=tmp_path))
    return path


def by_id(path: Path) -> dict[int, dict[str, object]]:
    return {entry["id"]: entry for entry in json.loads(path.read_text())["annotations"]}


# --- the rules ------------------------------------------------------------------------------


def test_rule_1_ids_are_the_projects_and_from_1(exported: Path, project: Project) -> None:
    loaded = load(exported)
    assert sorted(loaded.anns) == [11, 12, 13, 14, 15, 17, 18]
    assert sorted(loaded.imgs) == [1, 2, 5, 7, 9]
    assert min(*loaded.anns, *loaded.imgs, *loaded.cats) >= 1
    # What ids from 0 cost, and ours do not: one perfect detection of id 0 counts as missed.
    one = Project.build("p", [image(1)], [CAT], [Annotation(1, 1, 3, points(1), blob(1))])
    path = exported.with_name("one.json")
    write_coco(path, one)
    assert average_precision(path, "segm") == 1.0
    path.write_text(path.read_text().replace('"id": 1, "image_id"', '"id": 0, "image_id"'))
    assert average_precision(path, "segm") < 0.5


def test_rule_2_iscrowd_is_0_also_with_run_lengths(exported: Path) -> None:
    entries = by_id(exported)
    assert {i: e["iscrowd"] for i, e in entries.items()} == {i: int(i == 18) for i in entries}
    assert all(type(e["iscrowd"]) is int for e in entries.values())
    assert isinstance(entries[12]["segmentation"], dict)


def test_rule_3_run_lengths_are_column_major_text(exported: Path, project: Project) -> None:
    loaded = load(exported)
    for id_ in (11, 12, 14, 15, 18):
        counts = loaded.anns[id_]["segmentation"]["counts"]
        assert isinstance(counts, str)
        wanted = project.annotations[id_].mask
        assert wanted is not None
        assert np.array_equal(covered_by(loaded, loaded.anns[id_]), wanted.to_array())


@pytest.mark.parametrize("id_", [11, 12, 14, 15, 18])
def test_rule_4_polygons_only_where_they_say_the_same(
    project: Project, tmp_path: Path, id_: int
) -> None:
    path = tmp_path / "polygons.json"
    write_coco(path, project, CocoOptions(polygons=True))
    loaded = load(path)
    entry = loaded.anns[id_]
    wanted = project.annotations[id_].mask
    assert wanted is not None
    is_polygon = isinstance(entry["segmentation"], list)
    assert is_polygon == (wanted.n_holes == 0 and not entry["iscrowd"])
    if is_polygon:
        assert len(entry["segmentation"]) == wanted.n_parts
    assert np.array_equal(covered_by(loaded, entry), wanted.to_array())
    assert average_precision(path, "segm") == 1.0


@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_rule_4_holds_for_any_mask(covered: NDArray[np.bool_]) -> None:
    covered[0, 0] = True
    mask = Mask.from_array(covered)
    item = replace(image(1), size=mask.size)
    one = Project.build("p", [item], [STONE], [Annotation(1, 1, 4, None, mask)])
    for polygons in (False, True):
        document = to_coco(one, CocoOptions(polygons=polygons))
        assert validate_coco(document) == []
        loaded = in_memory(json.loads(json.dumps(document)))
        assert np.array_equal(covered_by(loaded, loaded.anns[1]), covered)


def test_rule_5_area_is_the_masks_and_never_0(exported: Path, project: Project) -> None:
    loaded = load(exported)
    for id_, entry in by_id(exported).items():
        assert entry["area"] > 0  # type: ignore[operator]
        attributes = entry["attributes"]
        assert isinstance(attributes, dict)
        if "segmentation" in entry:
            assert entry["area"] == coco_mask.area(loaded.annToRLE(loaded.anns[id_]))
            assert attributes["area_source"] == "mask"
        else:
            *_, width, height = entry["bbox"]  # type: ignore[misc]
            assert entry["area"] == pytest.approx(width * height, abs=1e-3)
            assert attributes["area_source"] == "box"


def test_rule_6_boxes_fit_their_marks_and_stay_inside(exported: Path, project: Project) -> None:
    loaded = load(exported)
    for id_, entry in by_id(exported).items():
        x, y, width, height = entry["bbox"]  # type: ignore[misc]
        assert width > 0
        assert height > 0
        assert 0 <= x < x + width <= SIZE.width
        assert 0 <= y < y + height <= SIZE.height
        if "segmentation" in entry:
            assert entry["bbox"] == coco_mask.toBbox(loaded.annToRLE(loaded.anns[id_])).tolist()
    keypoints = project.annotations[13].keypoints
    assert keypoints is not None
    labelled = keypoints.xy[keypoints.labelled]
    x, y, width, height = by_id(exported)[13]["bbox"]  # type: ignore[misc]
    assert (labelled.min(axis=0) - (x, y) >= 0.999).all()
    assert ((x + width, y + height) - labelled.max(axis=0) >= 0.999).all()
    assert by_id(exported)[17]["bbox"] == [1.5, 2.25, 30.0, 40.0]


@given(
    st.lists(
        st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.integers(0, 2)),
        min_size=5,
        max_size=5,
    ).filter(lambda rows: any(v for _, _, v in rows))
)
def test_rules_6_7_and_11_hold_for_any_keypoints(rows: list[tuple[float, float, int]]) -> None:
    marks = Keypoints.drawn([row[:2] for row in rows], [row[2] for row in rows])
    one = Project.build("p", [image(1)], [CAT], [Annotation(1, 1, 3, marks, None)])
    document = json.loads(json.dumps(to_coco(one)))
    assert validate_coco(document) == []
    written = np.array(document["annotations"][0]["keypoints"]).reshape(5, 3)
    assert np.abs(written[:, :2] - marks.xy).max() <= 0.0005 + 1e-9
    assert (written[:, 2] == marks.visibility).all()


def test_rule_7_visibility_is_only_that(exported: Path) -> None:
    entries = by_id(exported)
    values = entries[15]["keypoints"]
    assert isinstance(values, list)
    assert values[2::3] == [2, 1, 0, 2, 2]
    assert values[6:9] == [0.0, 0.0, 0]
    assert entries[15]["num_keypoints"] == 4
    # Same as an object of the same category that is fully sure and reviewed.
    assert values[2::3] == entries[11]["keypoints"][2::3]  # type: ignore[index]
    # A category with a schema has the field in every annotation: evaluators rely on it.
    assert entries[14]["keypoints"] == [0.0, 0.0, 0] * 5
    assert entries[14]["num_keypoints"] == 0


def test_rule_8_the_schema_is_in_order_and_counts_from_1(exported: Path) -> None:
    category = load(exported).cats[3]
    assert category["keypoints"] == ["nose", "left ear", "right ear", "chin", "tail"]
    assert category["skeleton"] == [[1, 2], [1, 3], [4, 5]]
    assert category["flip_pairs"] == [[2, 3]]
    assert category["supercategory"] == "animal"
    assert load(exported).cats[4]["supercategory"] == "object"


def test_rule_9_category_ids_are_the_projects(exported: Path, project: Project) -> None:
    assert sorted(load(exported).cats) == [3, 4]
    fewer = replace(project, annotations=project.annotations.delete(12).delete(17).delete(18))
    assert [c["id"] for c in to_coco(fewer)["categories"]] == [3, 4]  # type: ignore[attr-defined]


def test_rule_10_own_sigmas_give_ap_1_against_itself(exported: Path) -> None:
    sigmas = load(exported).cats[3]["sigmas"]
    assert sigmas == [0.03, 0.05, 0.05, 0.04, 0.1]
    assert average_precision(exported, "keypoints", sigmas) == 1.0
    with pytest.raises(ValueError, match="broadcast"):  # what pycocotools' own 17 do
        average_precision(exported, "keypoints")


def test_rule_10_sigmas_are_written_also_when_unknown(project: Project, tmp_path: Path) -> None:
    unknown = replace(project, categories=project.categories.set(3, replace(CAT, sigmas=())))
    path = tmp_path / "a.json"
    report = write_coco(path, unknown)
    category = load(path).cats[3]
    assert category["sigmas"] == [0.05] * 5
    assert any("sigmas" in w and "cat" in w for w in report.warnings)
    assert average_precision(path, "keypoints", category["sigmas"]) == 1.0
    assert read_coco(path).categories[0].sigmas == ()


def test_rule_11_coordinates_are_rounded_not_cut(exported: Path, project: Project) -> None:
    wanted = project.annotations[11].keypoints
    assert wanted is not None
    written = np.array(by_id(exported)[11]["keypoints"]).reshape(5, 3)[:, :2]
    assert np.abs(written - wanted.xy).max() <= 0.0005 + 1e-9
    assert not np.array_equal(written, np.round(wanted.xy))
    assert "centre" in json.loads(exported.read_text())["info"]["coordinates"]
    with pytest.raises(ValueError, match="decimals"):
        CocoOptions(decimals=1)


def test_rule_12_a_turned_image_is_warned_of(project: Project, tmp_path: Path) -> None:
    turned = replace(project, images=project.images.set(7, image(7, orientation=6)))
    report = write_coco(tmp_path / "a.json", turned)
    assert any("1 image" in w and "EXIF" in w for w in report.warnings)
    assert not any("EXIF" in w for w in write_coco(tmp_path / "b.json", project).warnings)
    loaded = load(tmp_path / "a.json").imgs[7]
    assert (loaded["width"], loaded["height"]) == (SIZE.width, SIZE.height)
    assert loaded["exif_orientation"] == 6


def test_rule_13_file_names_are_relative_to_the_stated_root(
    project: Project, tmp_path: Path
) -> None:
    outside = (tmp_path / "elsewhere" / "x.jpg").as_posix()
    mixed = replace(project, images=project.images.set(7, image(7, outside)))
    root = tmp_path / "projects" / "cats"
    (tmp_path / "exports").mkdir()
    path = tmp_path / "exports" / "a.json"

    def names(options: CocoOptions) -> tuple[list[str], str]:
        write_coco(path, mixed, options)
        document = json.loads(path.read_text())
        start = document["info"]["image_root"]
        for entry in document["images"]:
            assert not PurePosixPath(entry["file_name"]).is_absolute()
        real = os.path.normpath(path.parent / start / document["images"][0]["file_name"])
        assert Path(real) == root / "photos" / "1.jpg"
        return [entry["file_name"] for entry in document["images"]], start

    found, start = names(CocoOptions(project_root=root))
    assert start == "../projects/cats"
    assert found == [
        "photos/1.jpg", "photos/2.jpg", "photos/5.jpg", "../../elsewhere/x.jpg", "photos/sub/1.jpg",
    ]  # fmt: skip
    found, start = names(CocoOptions(project_root=root, image_root=root / "photos"))
    assert start == "../projects/cats/photos"
    assert found == ["1.jpg", "2.jpg", "5.jpg", "../../../elsewhere/x.jpg", "sub/1.jpg"]
    report = write_coco(path, mixed, CocoOptions(project_root=root))
    assert any("outside the folder" in w for w in report.warnings)
    with pytest.raises(FormatError, match=r"x\.jpg.*root"):
        to_coco(mixed)


def test_rule_14_negatives_stay_and_review_state_is_an_attribute(exported: Path) -> None:
    loaded = load(exported)
    assert loaded.getAnnIds(imgIds=[7]) == []
    assert 7 in loaded.imgs
    assert loaded.anns[15]["attributes"] == {
        "area_source": "mask",
        "box_source": "mask",
        "keypoint_scores": [0.5, 0.25, 1.0, 1.0, 0.125],
        "provenance": {"kind": "corrected", "key": "key of settings", "sources": [11]},
        "score": 0.75,
        "status": "accepted",
    }
    strict = {"id", "image_id", "category_id", "iscrowd", "area", "bbox", "segmentation"}
    strict |= {"keypoints", "num_keypoints", "attributes"}
    assert all(set(entry) <= strict for entry in loaded.anns.values())


def test_rule_14_what_is_only_proposed_is_no_negative_unsaid(
    project: Project, tmp_path: Path
) -> None:
    waiting = replace(project.annotations[16], id=20, image_id=7)
    pending = Project.build(
        "p", project.images.values(), [CAT, STONE], [*project.annotations.values(), waiting]
    )
    path = tmp_path / "a.json"
    report = write_coco(path, pending)
    assert any("only proposals" in w for w in report.warnings)
    assert (report.n_images, report.n_annotations, report.n_left_out) == (5, 7, 3)
    report = write_coco(path, pending, CocoOptions(leave_out_unreviewed=True))
    assert not any("only proposals" in w for w in report.warnings)
    assert sorted(load(path).imgs) == [1, 2, 5, 9]
    report = write_coco(path, pending, CocoOptions(statuses=tuple(Status)))
    assert (report.n_annotations, report.n_left_out) == (10, 0)
    assert by_id(path)[19]["attributes"]["status"] == "rejected"  # type: ignore[index]


def test_rule_15_same_project_same_bytes(project: Project, tmp_path: Path) -> None:
    shuffled = Project.build(
        project.name,
        reversed(project.sorted_images()),
        reversed(project.sorted_categories()),
        [project.annotations[i] for i in sorted(project.annotations, reverse=True)],
    )
    one, two = tmp_path / "1.json", tmp_path / "2.json"
    write_coco(one, project)
    write_coco(two, shuffled)
    data = one.read_bytes()
    assert data == two.read_bytes()
    assert data.isascii()
    document = json.loads(data)
    assert list(document) == sorted(document)
    assert all(list(entry) == sorted(entry) for entry in document["annotations"])


@pytest.mark.parametrize("lie", ["area", "bbox", "missing"])
def test_rule_15_nothing_is_replaced_that_pycocotools_reads_otherwise(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    encode: Callable[[dict[str, object]], Iterator[bytes]] = coco_write.encode

    def lying(document: dict[str, object]) -> Iterator[bytes]:
        changed = json.loads(b"".join(encode(document)))
        if lie == "missing":
            del changed["annotations"][0]
        else:
            entry = changed["annotations"][0]
            entry["area"] += lie == "area"
            entry["bbox"][0] += lie == "bbox"
        return encode(changed)

    monkeypatch.setattr(coco, "encode", lying)
    with pytest.raises(FormatError, match="is not written: "):
        write_coco(path, project)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_rule_15_nothing_is_written_that_breaks_a_rule(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    twice = replace(project, images=project.images.set(7, image(7, "photos/1.jpg")))
    with pytest.raises(FormatError, match=r"images\[3\] has the file_name 'photos/1.jpg'"):
        write_coco(path, twice)
    assert list(tmp_path.iterdir()) == []


def test_rule_16_what_was_written_is_read_back_equal(project: Project, tmp_path: Path) -> None:
    for polygons in (False, True):
        path = tmp_path / "a.json"
        write_coco(path, project, CocoOptions(statuses=tuple(Status), polygons=polygons))
        data = read_coco(path)
        assert data.notes == ()
        assert data.categories == project.sorted_categories()
        assert [i.path for i in data.images] == [i.path for i in project.sorted_images()]
        for read in data.annotations:
            wanted = project.annotations[read.id]
            if wanted.keypoints is not None:
                assert read.keypoints is not None
                assert np.abs(read.keypoints.xy - wanted.keypoints.xy).max() < 0.001
                assert (read.keypoints.score == wanted.keypoints.score).all()
                wanted = replace(wanted, keypoints=read.keypoints)
            assert read == wanted


# --- beyond ---------------------------------------------------------------------------------


def test_ground_truth_against_itself_scores_1(exported: Path) -> None:
    assert average_precision(exported, "segm") == 1.0
    assert average_precision(exported, "bbox") == 1.0


def test_an_empty_project_can_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    report = write_coco(path, Project.build("empty"))
    assert (report.n_images, report.n_annotations) == (0, 0)
    assert load(path).anns == {}


def test_an_export_that_cannot_be_written(project: Project, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"missing.*a\.json cannot be written"):
        write_coco(tmp_path / "missing" / "a.json", project)


def test_a_file_name_in_any_script_survives_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    named = image(1, "фото/猫 1.jpg")
    write_coco(path, Project.build("p", [named], [CAT], [Annotation(1, 1, 3, None, blob(1))]))
    assert load(path).imgs[1]["file_name"] == "фото/猫 1.jpg"
    assert read_coco(path).images[0].path == "фото/猫 1.jpg"


def test_provenance_of_drawn_and_propagated(project: Project) -> None:
    document = to_coco(project, CocoOptions(statuses=(Status.PROPOSED,)))
    entry = document["annotations"][0]  # type: ignore[index]
    assert entry["attributes"]["provenance"]["kind"] == "propagated"
    assert project.annotations[11].provenance == Drawn()
    entry = to_coco(project)["annotations"][0]  # type: ignore[index]
    assert entry["attributes"]["provenance"] == {"kind": "drawn"}
