import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.heat_points import NamedImage, keypoint_heat
from fmstudio.geometry.grid import ImageSize

A, B, C = (
    NamedImage("a.png", ImageSize(80, 60)),
    NamedImage("b.png", ImageSize(40, 90)),
    NamedImage("c.png", ImageSize(20, 20)),
)


def annotation(number: int, image: int, points: list[float], **more: Any) -> dict[str, Any]:
    labelled = sum(v > 0 for v in points[2::3])
    record = {"id": number, "image_id": image, "category_id": 1, "keypoints": points, "iscrowd": 0}
    return record | {"num_keypoints": labelled, "area": 1.0, "bbox": [0, 0, 1, 1]} | more


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """a.png with nose and tail and an eye that b.png lacks; c.png without labels."""
    document = {
        "images": [
            {"id": i + 1, "file_name": f"some/{n.name}", "width": n.size.width}
            | {"height": n.size.height}
            for i, n in enumerate((A, B, C))
        ],
        "categories": [{"id": 1, "name": "fox", "keypoints": ["nose", "eye", "tail"]}],
        "annotations": [
            annotation(7, 1, [10.5, 20.5, 2, 30, 20, 2, 60.5, 50.5, 2]),
            annotation(9, 1, [70, 50, 2, 70, 50, 2, 70, 50, 2]),
            annotation(8, 2, [5.5, 70.5, 2, 0, 0, 0, 25.5, 10.5, 1]),
        ],
    }
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_only_points_labelled_on_both_are_carried_and_judged(labels: Path) -> None:
    made = keypoint_heat(labels, A, B)
    assert made.names == ("nose", "tail")
    assert made.truth is not None
    assert made.source.shape == (60, 80)
    assert made.truth.shape == (90, 40)
    for heat, places in ((made.source, [(20, 10), (50, 60)]), (made.truth, [(70, 5), (10, 25)])):
        assert all(heat[place] == 1.0 for place in places)
    assert made.source[20, 30] < 0.2
    # As wide as a tenth of the box around all keypoints: 50 and 60 pixels.
    assert made.source[20, 15] == pytest.approx(np.exp(-0.5))
    assert made.truth[70, 11] == pytest.approx(np.exp(-0.5))


def test_one_keypoint_by_name_and_width(labels: Path) -> None:
    made = keypoint_heat(labels, A, B, names=["tail"], sigma=0.2)
    assert made.names == ("tail",)
    assert made.source[50, 50] == pytest.approx(np.exp(-0.5))
    assert made.source[20, 10] < 1e-6


def test_without_labels_on_the_target_there_is_no_truth(labels: Path) -> None:
    made = keypoint_heat(labels, A, C)
    assert made.truth is None
    assert made.names == ("nose", "eye", "tail")


@pytest.mark.parametrize(
    ("images", "names", "sentence"),
    [
        ((C, A), (), "c.png has no keypoints there"),
        ((NamedImage("d.png", ImageSize(9, 9)), A), (), "d.png has no keypoints there"),
        ((NamedImage("a.png", ImageSize(9, 9)), B), (), "has 80 x 60 pixels there, but 9 x 9"),
        ((A, B), ("paw",), "no keypoint 'paw', only nose, eye, tail"),
        ((A, B), ("eye",), r"eye lacks a label on a\.png or on b\.png"),
    ],
)
def test_what_cannot_be_used_is_said(
    labels: Path, images: tuple[NamedImage, NamedImage], names: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(DatasetError, match=sentence):
        keypoint_heat(labels, *images, names=names)
