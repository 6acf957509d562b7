"""COCO files that would take a reader down: refused in one sentence, soon and in bounds."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from fmstudio.errors import FmstudioError, FormatError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.io.coco import read_coco
from fmstudio.session import Session
from tests.rounds import rounds

ROOT = Path(__file__).resolve().parents[2]
POINTS = 1_000_000


def document(annotation: Any = None, image: Any = None, category: Any = None) -> dict[str, Any]:
    """Return a small data set with something else in it."""
    return {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 40, "height": 30, **(image or {})},
        ],
        "categories": [{"id": 1, "name": "cat", "keypoints": ["nose", "tail"], **(category or {})}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], **(annotation or {})}
        ],
    }


@pytest.fixture
def said(tmp_path: Path) -> Callable[[Any], str]:
    """Return a function from a file to what is said of it, empty if it was read."""

    def read(content: Any) -> str:
        path = tmp_path / "labels.json"
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.write_bytes(data)
        began = time.process_time()
        try:
            read_coco(path)
        except FormatError as error:
            text = str(error)
            assert "\n" not in text
            assert len(text) < 3000
            return text
        finally:
            assert time.process_time() - began < 30
        return ""

    return read


def instead(content: dict[str, Any], text: str) -> bytes:
    """Return a document with a text, whatever it is, in the place of its "@"."""
    return json.dumps(content).replace('"@"', text).encode()


PLACES = [
    document({"bbox": "@"}), document({"image_id": "@"}), document({"iscrowd": "@"}),
    document({"segmentation": {"size": "@", "counts": [1]}}), document({"keypoints": "@"}),
    document({"segmentation": "@"}), document({"segmentation": ["@"]}), document({"id": "@"}),
    document(None, {"width": "@"}), document(None, {"file_name": "@"}), document(None, {"id": "@"}),
    document(None, None, {"name": "@"}), document(None, None, {"skeleton": ["@"]}),
    document({"attributes": {"status": "proposed", "score": "@", "provenance": {"sources": ["@"],
              "key": "k", "kind": "propagated"}}}),
]  # fmt: skip


@pytest.mark.parametrize("depth", [500, 900, 980, 985, 988, 991, 994, 997, 5000])
def test_nested_lists_of_any_depth(said: Callable[[Any], str], depth: int) -> None:
    for content in PLACES:
        said(instead(content, "[" * depth + "]" * depth))
        said(instead(content, '{"a":' * depth + "1" + "}" * depth))


@pytest.mark.parametrize(
    "text",
    ["1e400", "-1e400", "NaN", "Infinity", "9" * 4000, "9" * 5000, "1e-400", "-0", "true", "1.0",
     '"1"', '"\\ud800"', '"\\u0000"', '"a\\u0000b"', "null", "{}", "[[]]", '"<b>"', "1.5"],
)  # fmt: skip
def test_numbers_and_texts_of_any_kind(said: Callable[[Any], str], text: str) -> None:
    for content in PLACES:
        said(instead(content, text))


def test_a_number_of_thousands_of_digits_is_said_plainly(said: Callable[[Any], str]) -> None:
    text = said(instead(PLACES[0], "9" * 5000))
    assert text.endswith("a number in it has thousands of digits.")


def test_of_a_key_that_stands_twice_the_last_counts(said: Callable[[Any], str]) -> None:
    good = json.dumps(document())
    assert not said(('{"images": 7, ' + good[1:]).encode())
    assert "no list 'images'" in said((good[:-1] + ', "images": 7}').encode())


def test_texts_that_cannot_be_saved_do_not_come_in(tmp_path: Path) -> None:
    carried = {"kind": "propagated", "sources": [], "key": "\ud800"}
    content = document({"attributes": {"status": "proposed", "provenance": carried}})
    (tmp_path / "labels.json").write_text(json.dumps(content), encoding="ascii")
    with Session.create(tmp_path / "p.fmstudio") as session:
        session.import_coco(tmp_path / "labels.json")
        assert len(session.project.annotations) == 1


@pytest.mark.parametrize(
    ("corners", "why"),
    [
        ("0,1,500,2,0,3,500,4,", "longer than any"),
        ("NaN,1,2,3,4,5,6,7,", "finite"),
        ("1e300,1,1e300,2,1,1e300,1,1,", "far outside"),
        ("5,5,6,5,6,6,5,6,", ""),
    ],
)
def test_polygons_of_a_million_points(said: Callable[[Any], str], corners: str, why: str) -> None:
    ring = corners * (POINTS // 4)
    text = said(instead(document({"segmentation": ["@"]}), f"[{ring[:-1]}]"))
    assert why in text
    assert bool(text) == bool(why)


def test_forty_thousand_rings_take_no_time(said: Callable[[Any], str]) -> None:
    rings = [[x := i % 39, y := i // 39 % 29, x + 1, y, x + 1, y + 1] for i in range(40_000)]
    assert not said(document({"segmentation": rings}))


def test_many_rings_are_united_as_pycocotools_does() -> None:
    rng = np.random.default_rng(3)
    size = ImageSize(120, 90)
    rings = [(rng.uniform(0, 80, 2) + rng.uniform(0, 9, (5, 2))).ravel() for _ in range(700)]
    wanted = coco_mask.merge(coco_mask.frPyObjects([r.tolist() for r in rings], 90, 120))
    assert Mask.from_coco_polygons(size, rings).to_rle_bytes() == wanted["counts"]


@pytest.mark.parametrize("side", [20_000, 60_000])
def test_run_lengths_of_a_billion_pixels(said: Callable[[Any], str], side: int) -> None:
    runs = {"size": [side, side], "counts": [0, side * side]}
    text = said(document({"segmentation": runs}, {"width": side, "height": side}))
    assert f"{side} x {side} pixels, more than the limit" in text


@pytest.mark.parametrize(
    "counts",
    ["P" * POINTS, "0" * POINTS, "oooooooo0", [0] * POINTS, [-1, 1201], [2**63], [1200.0], [True]],
    ids=range(8),
)
def test_run_lengths_that_make_no_sense(said: Callable[[Any], str], counts: Any) -> None:
    assert "cannot be decoded" in said(
        document({"segmentation": {"size": [30, 40], "counts": counts}})
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_a_device_is_no_data_set(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    for name in ("pipe.json", "zero.json"):
        with pytest.raises(FormatError, match="a device or a pipe, not a file"):
            read_coco(tmp_path / name)


# --- names that lead out of the folder ---------------------------------------------------------


def imported(session: Session, folder: Path, name: str, sample: Path) -> tuple[str, str]:
    """Import a data set in a folder whose one image has a name; return its hash and the notes."""
    content = document(None, {"file_name": name, "width": 451, "height": 300})
    (folder / "labels.json").write_text(json.dumps(content), encoding="utf-8")
    report = session.import_coco(folder / "labels.json")
    (image,) = (session.project.images[i] for i in report.images)
    return image.sha256, " ".join(report.notes)


@pytest.mark.parametrize("how", ["climbing", "absolute", "climbing within"])
def test_an_image_outside_of_the_folder_is_not_opened(
    tmp_path: Path, sample: Path, how: str
) -> None:
    folder, secret = tmp_path / "data", tmp_path / "private" / "chelsea.jpg"
    folder.mkdir()
    secret.parent.mkdir()
    secret.write_bytes((sample / "cats" / "images" / "chelsea.jpg").read_bytes())
    name = {
        "climbing": "../private/chelsea.jpg",
        "absolute": str(secret),
        "climbing within": "x/../../private/chelsea.jpg",
    }[how]
    with Session.create(folder / "p.fmstudio") as session:
        sha256, notes = imported(session, folder, name, sample)
    assert sha256 == ""
    assert "leads out of" in notes


def test_a_name_that_comes_back_is_opened(tmp_path: Path, sample: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "c.jpg").write_bytes((sample / "cats" / "images" / "chelsea.jpg").read_bytes())
    with Session.create(folder / "p.fmstudio") as session:
        sha256, notes = imported(session, folder, "../data/c.jpg", sample)
    assert len(sha256) == 64
    assert not notes


def test_what_was_exported_comes_back_also_from_outside(tmp_path: Path, sample: Path) -> None:
    """An image of the project that lies elsewhere is that image, though its name climbs out."""
    away, home = tmp_path / "away", tmp_path / "home"
    for folder in (away, home):
        folder.mkdir()
    (away / "c.jpg").write_bytes((sample / "cats" / "images" / "chelsea.jpg").read_bytes())
    with Session.create(home / "p.fmstudio") as session:
        session.add_images([away / "c.jpg"])
        before = session.project
        session.export_coco(home / "all.json")
        report = session.import_coco(home / "all.json")
        assert not report.images
        assert session.project.images == before.images


# --- anything anywhere -------------------------------------------------------------------------

CHILD = """
import sys
try:
    import resource
except ImportError:
    pass
else:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from pathlib import Path
from fmstudio.errors import FmstudioError
from fmstudio.io.coco import read_coco
try:
    read_coco(Path(sys.argv[1]))
except FmstudioError as error:
    print(error)
"""


def test_a_long_outline_does_not_end_the_process(tmp_path: Path) -> None:
    """What pycocotools does without memory cannot be caught: it ends the process."""
    path = tmp_path / "labels.json"
    ring = [value for i in range(200_000) for value in ((i % 2) * 500.0, i % 30)]
    path.write_text(json.dumps(document({"segmentation": [ring]})), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "longer than any outline" in done.stdout


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=rounds(100))
@given(data=st.data())
def test_changed_bytes_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    square = [10.0, 5.0, 20.0, 5.0, 20.0, 15.0, 10.0, 15.0]
    content = bytearray(
        json.dumps(document({"segmentation": [square], "keypoints": [1, 2, 2, 3, 4, 1]})).encode()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        new = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from(
            [b"[", b"]", b"{", b"}", b'"', b",", b":", b"1e999", b"NaN", b"-", b"\\ud800", b"null"]
        )))  # fmt: skip
        content[at : at + data.draw(st.integers(0, 3))] = new
    path = tmp_path / "labels.json"
    path.write_bytes(content)
    with suppress(FmstudioError):
        read_coco(path)
