"""The demo, with the real networks: what a newcomer's first command does."""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from fmstudio.project.model import Propagated, Status
from fmstudio.session import Session

pytestmark = pytest.mark.slow

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's folder and what it printed."""
    from fmstudio.__main__ import main

    folder = tmp_path_factory.mktemp("demo") / "out"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), pytest.raises(SystemExit) as left:
        main(["demo", "--out", str(folder), "--device", "cpu"])
    assert not left.value.code
    return folder, said.getvalue()


def test_coco_holds_keypoints_and_mask_of_every_photo(made: tuple[Path, str]) -> None:
    folder, _ = made
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = COCO(folder / "labels.coco.json")
    assert len(loaded.imgs) == len(loaded.anns) == 13
    for annotation in loaded.anns.values():
        image = loaded.imgs[annotation["image_id"]]
        assert (folder / image["file_name"]).is_file()
        assert annotation["num_keypoints"] > 0
        code = loaded.annToRLE(annotation)
        assert int(coco_mask.area(code)) == annotation["area"] > 0
    statuses = [a["attributes"]["status"] for a in loaded.anns.values()]
    assert sorted(set(statuses)) == ["accepted", "proposed"]
    assert statuses.count("accepted") == 2


def test_the_truth_is_reached_as_far_as_stated(made: tuple[Path, str]) -> None:
    _, said = made
    means = {
        cells[0]: [float(cell.rstrip(" %")) for cell in cells[2:]]
        for line in said.splitlines()
        if "mean" in line and "│" in line
        for cells in [[cell.strip() for cell in line.strip("│ ").split("│")]]
    }
    share, error, overlap, _ = means["views"]
    assert share >= 95
    assert error <= 2
    assert overlap >= 0.93
    share, error, overlap, _ = means["cats"]
    assert share >= 60
    assert error <= 9
    assert overlap >= 0.55


def test_only_the_reference_was_ever_given(made: tuple[Path, str]) -> None:
    folder, _ = made
    with Session.open(folder / "demo.fmstudio") as session:
        project = session.project
    accepted = [a for a in project.annotations.values() if a.status is Status.ACCEPTED]
    names = sorted(project.images[a.image_id].file_name for a in accepted)
    assert names == ["reference.jpg", "siamese.jpg"]
    sources = {a.image_id: a.id for a in accepted}
    for annotation in project.annotations.values():
        if isinstance(annotation.provenance, Propagated):
            (source,) = annotation.provenance.sources
            own = project.images[annotation.image_id].path.partition("/")[0]
            of = project.images[project.annotations[source].image_id].path.partition("/")[0]
            assert source in sources.values()
            assert own == of


def test_the_sheet_is_a_picture_with_something_on_it(made: tuple[Path, str]) -> None:
    folder, said = made
    with Image.open(folder / "contact-sheet.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    assert min(pixels.shape) > 800
    assert pixels.std() > 20
    assert "contact-sheet.png" in said


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the demo stop where the work would begin."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fmstudio.demo._propagate", stop)


@pytest.mark.usefixtures("quick")
def test_a_second_demo_replaces_the_first_and_nothing_else(command: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for _ in range(2):
        assert command("demo", "--out", folder).code == 130
        (folder / "mine.txt").write_text("keep me")
        (folder / "cats" / "images" / "old.jpg").write_bytes(b"")
    assert command("demo", "--out", folder).code == 130
    assert (folder / "mine.txt").read_text() == "keep me"
    assert len(list((folder / "cats" / "images").iterdir())) == 5
    reference = json.loads((folder / "cats" / "reference.coco.json").read_text())
    assert [image["file_name"] for image in reference["images"]] == ["siamese.jpg"]
    assert len(reference["annotations"]) == 1


@pytest.mark.usefixtures("quick")
def test_the_demo_touches_no_folder_but_its_own(command: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cats").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("photos", "file", "file/below"):
        ran = command("demo", "--out", tmp_path / name)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1
    assert [p.name for p in (tmp_path / "photos").iterdir()] == ["cats"]
