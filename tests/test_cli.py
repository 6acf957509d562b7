"""The commands, run as a person runs them, on real files and with a network of one line."""

import dataclasses
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO

from fmstudio import cli, cli_doctor, cli_output
from fmstudio.cli_settings import parse_settings, spread
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings, Proposal
from fmstudio.errors import DatasetError
from fmstudio.features import hub, registry, weights
from fmstudio.features.base import ExtractorSpec, FeatureMap
from fmstudio.io.coco import CocoOptions
from fmstudio.project.edits import SetStatus
from fmstudio.project.model import ImageState, Propagated, Status
from fmstudio.resources import resource
from fmstudio.session import Session

PIXELS = (
    "--set",
    "basis_extractor=pixels",
    "--set",
    "descriptor_extractors=pixels",
    "--set",
    "long_side=128",
    "--set",
    "k=12",
    # One call of the network an image, so that a test can count them.
    "--set",
    "fine_side=0",
    "--set",
    "mirror=false",
    "--device",
    "cpu",
)
COMMANDS = ["demo", "new", "import-coco", "propagate", "export", "info", "match", "doctor"]
COMMANDS += ["models", "evaluate", "figure", "collection"]
Run = Callable[..., Any]


class PixelExtractor:
    """Mean colour of each patch, through fixed cosines: real arithmetic, no weights."""

    calls = 0
    before_extract: Callable[[int], None] = staticmethod(lambda call: None)

    def __init__(self, name: str, **_: object) -> None:
        self.spec = ExtractorSpec(name, f"{name}-1", "none", 32)
        self._mix = torch.randn(3, 32, generator=torch.Generator().manual_seed(0)) * 4

    def extract(self, rgb: np.ndarray, grid: Any) -> FeatureMap:
        type(self).calls += 1
        type(self).before_extract(type(self).calls)
        values = torch.from_numpy(np.array(rgb)).permute(2, 0, 1)[None].float() / 255
        mean = torch.nn.functional.adaptive_avg_pool2d(values, (grid.rows, grid.cols))[0]
        data = torch.nn.functional.normalize(torch.cos(mean.permute(1, 2, 0) @ self._mix), dim=2)
        return FeatureMap(data, grid, self.spec.key)


@pytest.fixture(autouse=True)
def pixels(monkeypatch: pytest.MonkeyPatch) -> type[PixelExtractor]:
    """Register the extractor and return a class of its own for this test."""
    fresh = type("Fresh", (PixelExtractor,), {"calls": 0})
    monkeypatch.setitem(registry.EXTRACTORS, "pixels", fresh)
    return fresh


@pytest.fixture
def cats(tmp_path: Path, sample: Path) -> Path:
    """A folder with the five cats and a COCO file of the Siamese alone."""
    folder = tmp_path / "cats"
    shutil.copytree(sample / "cats" / "images", folder / "images")
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    document["images"] = document["images"][:1]
    document["annotations"] = document["annotations"][:1]
    (folder / "one.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def project(cats: Path, command: Run) -> Path:
    """A project of the five cats, of which the Siamese is annotated."""
    path = cats / "cats.fmstudio"
    assert command("new", path, cats / "images").code == 0
    assert command("import-coco", path, cats / "one.json").code == 0
    return path


def states(path: Path) -> dict[str, str]:
    with Session.open(path) as session:
        images = session.project.sorted_images()
        return {i.file_name: session.project.image_state(i.id).value for i in images}


def one_line(text: str) -> str:
    """Return the last line of what was said, which must be a sentence."""
    last = text.strip().splitlines()[-1]
    assert last.endswith((".", "?", ")")), last
    return last


# Start, help, usage


@pytest.mark.parametrize("args", [("--help",), ("-h",)])
def test_help_names_every_command(command: Run, args: tuple[str, ...]) -> None:
    ran = command(*args)
    assert all(name in ran.out + ran.err for name in COMMANDS)


@pytest.mark.parametrize("args", [(), ("gui",), ("gui", "photos")])
def test_without_a_command_the_window_opens(
    command: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    opened: list[Path | None] = []

    def open_window(path: Path | None) -> int:
        opened.append(path)
        return 0

    monkeypatch.setattr("fmstudio.__main__.open_window", open_window)
    assert command(*args).code == 0
    assert opened == [Path(args[1]) if len(args) > 1 else None]


def test_without_a_display_the_window_is_refused_in_a_sentence(
    command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    ran = command()
    assert ran.code == 1
    assert "display" in one_line(ran.err)


def test_version(command: Run) -> None:
    assert command("--version").out == "fmstudio 0.1.0\n"


@pytest.mark.parametrize(
    "args",
    [
        ("bogus",),
        ("propagate",),
        ("new", "--no-such-option"),
        ("propagate", "p", "--from", "a", "--to", "b", "--accept-above", "1.5"),
        ("propagate", "p", "--from", "a", "--to", "b", "--set", "k=many"),
        ("propagate", "p", "--from", "a", "--to", "b", "--set", "lap_weight=much"),
        ("propagate", "p", "--from", "a", "--to", "b", "--set", "nothing"),
        ("propagate", "p", "--from", "a", "--to", "b", "--preset", "best"),
        ("propagate", "p", "--from", "a", "--to", "b", "--set", "colour=red"),
        ("match", "a.png", "b.png", "--out", "c.jpg"),
        ("match", "a.png", "b.png", "--out", "c.png", "--point", "here"),
        ("figure", "map", "a.png", "b.png", "--out", "c.jpg"),
        ("figure", "map", "a.png", "b.png", "--out", "c.png", "--width", "10"),
        ("figure", "basis", "a.png"),
        ("figure", "heat", "a.png", "b.png", "--out", "c.png"),
        ("figure", "heat", "a.png", "b.png", "--out", "c.png", "--point", "1,1", "--heat", "h.png"),
        ("figure", "heat", "a.png", "b.png", "--out", "c.png", "--point", "1,1", "--keypoint", "n"),
        ("evaluate", "x", "--pairs", "0"),
    ],
)
def test_wrong_usage_exits_2(command: Run, args: tuple[str, ...]) -> None:
    ran = command(*args)
    assert ran.code == 2
    assert ran.out == ""


names = st.text("abc.", min_size=1, max_size=3)


@given(st.lists(names, max_size=4), st.lists(names, min_size=1), st.lists(names, min_size=1))
def test_names_after_an_option_are_all_its_own(
    before: list[str], sources: list[str], targets: list[str]
) -> None:
    options = ("--from", "--to")
    args = [*before, "--from", *sources, "--json", "--to", *targets]
    repeated = [word for name in sources for word in ("--from", name)]
    repeated_targets = [word for name in targets for word in ("--to", name)]
    assert spread(args, options) == [*before, *repeated, "--json", *repeated_targets]
    assert spread(spread(args, options), options) == spread(args, options)


# new, import-coco


def test_new_adds_what_is_an_image_and_names_the_rest(cats: Path, command: Run) -> None:
    (cats / "images" / "empty.jpg").touch()
    photo = (cats / "images" / "tabby.jpg").read_bytes()
    (cats / "images" / "half.jpg").write_bytes(photo[: len(photo) // 2])
    ran = command(
        "new", cats / "mine", cats / "images", cats / "one.json", cats / "no.jpg", "--json"
    )
    assert ran.code == 0
    made = ran.json()
    assert made["project"] == str(cats / "mine.fmstudio")
    # A photo that is cut short has its size in its head: it is found out when it is read.
    assert made["images"] == 6
    text = "\n".join(made["skipped"])
    assert all(name in text for name in ("empty.jpg", "one.json", "no.jpg"))


def test_new_leaves_nothing_behind_when_no_image_is_one(cats: Path, command: Run) -> None:
    ran = command("new", cats / "mine", cats / "no.jpg")
    assert ran.code == 1
    assert "no.jpg" in one_line(ran.err)
    assert not list(cats.glob("mine*"))


def test_new_can_be_stopped_and_started_again(
    cats: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Session, "add_images", stopped)
        assert command("new", cats / "mine", cats / "images").code == 130
    assert not list(cats.glob("mine*"))
    assert command("new", cats / "mine", cats / "images").code == 0


def test_new_never_replaces_a_project(project: Path, command: Run) -> None:
    before = project.read_bytes()
    ran = command("new", project, project.parent / "images")
    assert ran.code == 1
    assert project.name in one_line(ran.err)
    assert project.read_bytes() == before


def test_a_broken_record_is_named_and_nothing_imported(
    cats: Path, project: Path, command: Run
) -> None:
    document = json.loads((cats / "one.json").read_text())
    document["annotations"].append({**document["annotations"][0], "id": 2, "image_id": 77})
    (cats / "broken.json").write_text(json.dumps(document))
    ran = command("import-coco", project, cats / "broken.json")
    assert ran.code == 1
    sentence = one_line(ran.err)
    assert all(word in sentence for word in ("broken.json", "annotations[1]", "77"))
    assert command("info", project, "--json").json()["annotations"]["total"] == 1


def test_import_says_what_it_brought(cats: Path, command: Run) -> None:
    path = cats / "other.fmstudio"
    command("new", path)
    ran = command("import-coco", path, cats / "one.json", "--json")
    assert ran.json() == {"images": 1, "categories": 1, "annotations": 1, "notes": []}
    assert "siamese.jpg" in states(path)


# propagate


def test_propagate_lands_proposals(project: Path, command: Run) -> None:
    args = ("--from", "siamese.jpg", "--to", "tabby.jpg", "persian.jpg")
    ran = command("propagate", project, *args, *PIXELS)
    assert ran.code == 0, ran.err
    assert ran.out == "Landed 2 proposals (2 to review).\n"
    assert "2 of 2 images" in ran.err
    found = states(project)
    assert [name for name, state in found.items() if state == "proposed"] == [
        "persian.jpg",
        "tabby.jpg",
    ]
    with Session.open(project) as session:
        assert session.inbox == ()


def test_propagate_to_the_unlabelled_ones(project: Path, command: Run) -> None:
    args = ("propagate", project, "--from", "siamese.jpg", "--to", "unlabelled", *PIXELS, "--json")
    assert command(*args).json()["landed"] == 4
    again = command(*args)
    assert again.code == 0
    assert again.json()["landed"] == 0


def test_accepted_work_is_left_alone_and_not_even_computed(
    project: Path, command: Run, pixels: type[PixelExtractor]
) -> None:
    args = ("propagate", project, "--from", "siamese.jpg", "--to", "all", *PIXELS, "--json")
    first = command(*args, "--accept-above", "0").json()
    assert (first["landed"], first["accepted"]) == (4, 4)
    done = pixels.calls
    second = command(*args).json()
    assert (second["landed"], second["skipped"], second["left_out"]) == (0, 4, [])
    assert pixels.calls == done


def test_improve_carries_what_was_accepted_meanwhile(project: Path, command: Run) -> None:
    ran = command("improve", project, *PIXELS)
    assert ran.code == 1
    assert "Nothing waits for review" in one_line(ran.err)
    command("propagate", project, "--from", "siamese.jpg", "--to", "unlabelled", *PIXELS)
    with Session.open(project) as session:
        tabby = session.targets("tabby.jpg")
        session.perform(SetStatus(session.project.of_image[tabby[0]], Status.ACCEPTED))
        before = session.project
    seen = command("improve", project, "--preview", *PIXELS, "--json").json()
    assert (seen["references"], seen["targets"], seen["images"], seen["landed"]) == (2, 3, 3, 0)
    with Session.open(project) as session:
        assert session.project == before
    ran = command("improve", project, "--nearest", "1", *PIXELS)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("3 images changed: ")
    with Session.open(project) as session:
        assert session.project.annotations_of(tabby[0]) == before.annotations_of(tabby[0])
        sources = {
            len(a.provenance.sources)
            for a in session.project.annotations.values()
            if a.status is Status.PROPOSED and isinstance(a.provenance, Propagated)
        }
        assert sources == {1}


def test_accepting_above_a_confidence(project: Path, command: Run) -> None:
    args = ("--from", "siamese.jpg", "--to", "unlabelled", "--accept-above", "1")
    ran = command("propagate", project, *args, *PIXELS)
    assert ran.out == "Landed 4 proposals (0 accepted at 1.0 or above, 4 to review).\n"


def test_names_may_be_paths_from_where_the_person_stands(
    project: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent.parent)
    args = ("--from", "cats/images/siamese.jpg", "--to", "cats/images/tabby.jpg")
    assert command("propagate", project, *args, *PIXELS, "--json").json()["landed"] == 1
    Image.new("RGB", (20, 20)).save("stranger.png")
    ran = command("propagate", project, "--from", "siamese.jpg", "--to", "stranger.png", *PIXELS)
    assert ran.code == 1
    assert "stranger.png" in one_line(ran.err)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--from", "nobody.jpg", "--to", "all"), ("nobody.jpg",)),
        (("--from", "tabby.jpg", "--to", "all"), ("tabby.jpg", "accept")),
        (("--from", "siamese.jpg", "--to", "siamese.jpg"), ("no image",)),
        (("--from", "siamese.jpg", "--to", "all", "--set", "neighbours=5"), ("4 or 8", "5")),
        (("--from", "siamese.jpg", "--to", "all", "--set", "basis_extractor=x"), ('"x"',)),
    ],
)
def test_what_cannot_be_propagated_is_said(
    project: Path, command: Run, args: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ran = command("propagate", project, *PIXELS, *args)
    assert ran.code == 1
    assert all(word in ran.err.splitlines()[-1] for word in words)
    assert ran.out == ""


def test_ray_is_asked_for_as_it_is_written(
    project: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    args = ("propagate", project, "--from", "siamese.jpg", "--to", "all", "--ray-workers", "2")
    ran = command(*args)
    assert ran.code == 2
    assert "--ray local" in ran.err
    ran = command(*args, "--ray", "local")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith("Ray is not installed: run pip install")
    assert ran.out == ""


def test_a_photo_that_cannot_be_read_does_not_stop_the_rest(project: Path, command: Run) -> None:
    photo = project.parent / "images" / "tabby.jpg"
    photo.write_bytes(b"no photo any more")
    ran = command("propagate", project, "--from", "siamese.jpg", "--to", "all", *PIXELS, "--json")
    result = ran.json()
    assert ran.code == 0
    assert result["landed"] == 3
    (failed,) = result["failed"]
    assert "tabby.jpg" in failed["message"]
    assert "changed" in failed["message"]
    ran = command("propagate", project, "--from", "siamese.jpg", "--to", "tabby.jpg", *PIXELS)
    assert ran.code == 1
    assert "changed" in ran.err


def test_what_a_killed_run_left_is_landed_and_not_done_again(
    project: Path, command: Run, pixels: type[PixelExtractor]
) -> None:
    wanted = cli.parse_settings([word for word in PIXELS if "=" in word])
    with Session.open(project) as session:
        reference = session.targets("siamese.jpg")
        request = session.request(reference, session.targets("unlabelled"), wanted)
        events = session.job(request, CancelToken(), "cpu")
        proposals = (event for event in events if isinstance(event, Proposal))
        for _ in range(2):
            session.receive(next(proposals), request)
    done = pixels.calls
    ran = command("propagate", project, "--from", "siamese.jpg", "--to", "all", *PIXELS, "--json")
    result = ran.json()
    assert (result["recovered"], result["skipped"], result["landed"]) == (2, 2, 2)
    assert "earlier run" in ran.err
    # The reference comes from the cache.
    assert pixels.calls == done + 2
    assert set(states(project).values()) == {"accepted", "proposed"}


def test_a_changed_request_does_not_take_the_old_ones_for_its_own(
    project: Path, command: Run
) -> None:
    wanted = cli.parse_settings([word for word in PIXELS if "=" in word])
    with Session.open(project) as session:
        request = session.request(session.targets("siamese.jpg"), session.targets("all"), wanted)
        events = session.job(request, CancelToken(), "cpu")
        session.receive(next(e for e in events if isinstance(e, Proposal)), request)
    args = ("--from", "siamese.jpg", "--to", "all", *PIXELS, "--set", "map_weight=0.9", "--json")
    result = command("propagate", project, *args).json()
    assert (result["recovered"], result["skipped"], result["landed"]) == (1, 0, 4)


def test_ctrl_c_lands_what_has_come(
    project: Path, command: Run, pixels: type[PixelExtractor]
) -> None:
    # The reference, two targets, and then the third is under way.
    pixels.before_extract = staticmethod(
        lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 4 else None
    )
    args = ("propagate", project, "--from", "siamese.jpg", "--to", "unlabelled", *PIXELS)
    handler = signal.getsignal(signal.SIGINT)
    ran = command(*args, "--accept-above", "0")
    assert ran.code == 130
    assert signal.getsignal(signal.SIGINT) is handler
    assert "landed" in one_line(ran.err)
    found = list(states(project).values())
    assert found.count(ImageState.PROPOSED.value) == 2
    rest = command(*args, "--json").json()
    assert rest["landed"] == 2


def test_ctrl_c_before_anything_has_come(
    project: Path, command: Run, pixels: type[PixelExtractor]
) -> None:
    pixels.before_extract = staticmethod(lambda _: os.kill(os.getpid(), signal.SIGINT))
    args = ("--from", "siamese.jpg", "--to", "unlabelled", *PIXELS, "--json")
    ran = command("propagate", project, *args)
    assert ran.code == 130
    assert ran.json()["stopped"] is True
    assert "as it was" in one_line(ran.err)


def test_a_second_ctrl_c_ends_at_once_and_keeps_the_inbox(
    project: Path, command: Run, pixels: type[PixelExtractor]
) -> None:
    def twice(number: int) -> None:
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    pixels.before_extract = staticmethod(twice)
    args = ("propagate", project, "--from", "siamese.jpg", "--to", "all", *PIXELS)
    ran = command(*args)
    assert ran.code == 130
    assert "kept" in one_line(ran.err)
    assert command("info", project, "--json").json()["inbox"] == 1
    assert "wait in the inbox" in command("info", project).out
    result = command(*args, "--json").json()
    assert (result["recovered"], result["landed"]) == (1, 3)


# export, info


def test_export_writes_accepted_work_and_proposals_when_asked(
    project: Path, command: Run, tmp_path: Path
) -> None:
    command("propagate", project, "--from", "siamese.jpg", "--to", "tabby.jpg", *PIXELS)
    ran = command("export", project, tmp_path / "a.json", "--json")
    assert (ran.json()["annotations"], ran.json()["left_out"]) == (1, 1)
    ran = command("export", project, tmp_path / "b.json", "--proposals", "--polygons")
    assert ran.code == 0
    assert "2 annotations on 5 images" in ran.out
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *_: None)
        loaded = COCO(tmp_path / "b.json")
    assert sorted(a["attributes"]["status"] for a in loaded.anns.values()) == [
        "accepted",
        "proposed",
    ]
    ran = command("export", project, tmp_path / "no" / "c.json")
    assert ran.code == 1
    assert "c.json" in one_line(ran.err)


def test_the_same_project_gives_the_same_bytes(project: Path, command: Run, tmp_path: Path) -> None:
    command("propagate", project, "--from", "siamese.jpg", "--to", "all", *PIXELS)
    for name in ("a.json", "b.json"):
        assert command("export", project, tmp_path / name, "--proposals").code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_the_command_line_writes_what_a_loop_over_the_session_writes(
    project: Path, command: Run, tmp_path: Path
) -> None:
    twin = project.with_stem("twin")
    shutil.copy(project, twin)
    command("propagate", project, "--from", "siamese.jpg", "--to", "unlabelled", *PIXELS)
    assert command("export", project, tmp_path / "a.json", "--proposals").code == 0
    wanted = cli.parse_settings([word for word in PIXELS if "=" in word])
    with Session.open(twin) as session:
        targets = session.targets("unlabelled")
        request = session.request(session.targets("siamese.jpg"), targets, wanted)
        for event in session.job(request, CancelToken(), "cpu"):
            if isinstance(event, Proposal):
                session.receive(event, request)
        session.land()
        both = (Status.ACCEPTED, Status.PROPOSED)
        session.export_coco(tmp_path / "b.json", CocoOptions(statuses=both))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_info_counts_and_checks_files(project: Path, command: Run) -> None:
    text = command("info", project, "--check").out
    assert "5   4 none, 1 accepted" in text
    assert "cat face (6 keypoints, 1 annotation)" in text
    assert "as it was" in text
    (project.parent / "images" / "tabby.jpg").unlink()
    (project.parent / "images" / "persian.jpg").write_bytes(b"x")
    summary = command("info", project, "--check", "--json").json()
    assert summary["images"]["total"] == 5
    assert summary["faults"] == [
        {"image": "images/persian.jpg", "fault": "changed"},
        {"image": "images/tabby.jpg", "fault": "missing"},
    ]
    assert "missing: images/tabby.jpg" in command("info", project, "--check").out


@pytest.mark.parametrize("content", [None, b"", b"not a project at all"])
def test_what_is_no_project_is_said(tmp_path: Path, command: Run, content: bytes | None) -> None:
    path = tmp_path / "x.fmstudio"
    if content is not None:
        path.write_bytes(content)
    ran = command("info", path)
    assert ran.code == 1
    assert "x.fmstudio" in one_line(ran.err)


# match


def test_match_draws_a_pair(cats: Path, command: Run, tmp_path: Path) -> None:
    photos = (cats / "images" / "siamese.jpg", cats / "images" / "siamese.jpg")
    ran = command("match", *photos, "--out", tmp_path / "m.png", "--point", "200,141", *PIXELS)
    assert ran.code == 0, ran.err
    x, y = (float(v) for v in ran.out.splitlines()[0].rpartition(" ")[2].split(","))
    # An image matched with itself: within a patch of where it was.
    assert abs(x - 200) < 40
    assert abs(y - 141) < 40
    with Image.open(tmp_path / "m.png") as picture:
        assert min(picture.size) > 400


@pytest.mark.parametrize(
    ("content", "point"), [(b"", "1,1"), (b"\xff\xd8\xff no jpeg", "1,1"), (None, "900,1")]
)
def test_match_says_what_is_wrong_with_its_input(
    cats: Path, command: Run, tmp_path: Path, content: bytes | None, point: str
) -> None:
    photo = cats / "images" / "tabby.jpg"
    if content is not None:
        photo.write_bytes(content)
    ran = command("match", photo, photo, "--out", tmp_path / "m.png", "--point", point, *PIXELS)
    assert ran.code == 1
    assert "tabby.jpg" in one_line(ran.err)
    assert not (tmp_path / "m.png").exists()


# figure

FIGURES: dict[str, tuple[str, ...]] = {
    "colours": (),
    "basis": ("--count", "4"),
    "map": (),
    "matches": ("--count", "9"),
    "heat": ("--point", "200,141"),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_figure_writes_each_kind_at_the_size_it_states(
    cats: Path, command: Run, tmp_path: Path, kind: str
) -> None:
    photos = (cats / "images" / "siamese.jpg", cats / "images" / "tabby.jpg")
    sizes = set()
    for name in ("f.png", "f.svg"):
        out = tmp_path / name
        ran = command(
            "figure", kind, *photos, "--out", out, "--width", 700, *FIGURES[kind], *PIXELS
        )
        assert ran.code == 0, ran.err
        stated = re.search(r"f\.(png|svg) \((\d+) x (\d+)\)\.$", ran.out.strip())
        assert stated is not None
        sizes.add((int(stated[2]), int(stated[3])))
    ((width, height),) = sizes
    assert width == 700
    with Image.open(tmp_path / "f.png") as picture:
        assert picture.size == (width, height)
    root = ET.parse(tmp_path / "f.svg").getroot()
    assert (root.attrib["width"], root.attrib["height"]) == (str(width), str(height))
    said = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "siamese.jpg" in said
    assert "tabby.jpg" in said


def test_figure_basis_takes_one_image(cats: Path, command: Run, tmp_path: Path) -> None:
    photo = cats / "images" / "tabby.jpg"
    ran = command("figure", "basis", photo, "--out", tmp_path / "b.svg", *PIXELS)
    assert ran.code == 0, ran.err
    assert "11: eigenvalue 0." in (tmp_path / "b.svg").read_text(encoding="utf-8")


def test_figure_heat_scores_against_annotations_and_pictures(
    cats: Path, sample: Path, command: Run, tmp_path: Path
) -> None:
    photos = (cats / "images" / "siamese.jpg", cats / "images" / "tabby.jpg")
    heat = ("figure", "heat", *photos, "--out", tmp_path / "h.png", *PIXELS)
    ran = command(
        *heat, "--annotations", sample / "cats" / "coco.json", "--keypoint", "nose", "--width", 500
    )
    assert ran.code == 0, ran.err
    numbers = [float(text) for text in re.findall(r"-?\d\.\d{3,4}", ran.out)]
    assert len(numbers) == 6  # MSE and correlation of three ways
    assert all(0 <= mse <= 1 for mse in numbers[::2])
    assert all(-1 <= correlation <= 1 for correlation in numbers[1::2])
    # A source that is hot everywhere comes out hot everywhere by score: no error, no correlation.
    for name, photo in zip(("a.png", "b.png"), photos, strict=True):
        with Image.open(photo) as picture:
            Image.new("L", picture.size, 255).save(tmp_path / name)
    ran = command(*heat, "--heat", tmp_path / "a.png", "--truth", tmp_path / "b.png")
    assert ran.code == 0, ran.err
    (line,) = (line for line in ran.out.splitlines() if "similarity" in line)
    assert "0.0000" in line
    assert "none" in line


@pytest.mark.parametrize(
    ("args", "fault"),
    [
        (("--point", "900,1"), "The point 900,1 lies outside siamese.jpg"),
        (("--heat", "small.png"), "small.png has 9 x 5 pixels: a heat map of siamese.jpg"),
        (("--heat", "none.png"), "There is no file none.png"),
        (("--point", "9,9", "--truth", "small.png"), "a heat map of tabby.jpg has"),
        (("--annotations", "one.json", "--keypoint", "paw"), "no keypoint 'paw'"),
        (("--annotations", "no.json"), "no.json"),
        (("--point", "9,9", "--set", "k=0"), "These settings cannot be used"),
        (("--point", "9,9", "--out", "no/such/f.png"), "cannot be written"),
    ],
)
def test_figure_says_in_a_sentence_what_is_wrong(
    cats: Path, command: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], fault: str
) -> None:
    monkeypatch.chdir(cats)
    Image.new("L", (9, 5)).save("small.png")
    photos = ("images/siamese.jpg", "images/tabby.jpg")
    ran = command("figure", "heat", *photos, "--out", "f.png", *PIXELS, *args)
    assert ran.code == 1
    assert fault in one_line(ran.err)
    assert not Path("f.png").exists()


# doctor, models


def test_doctor_says_what_is_installed(command: Run) -> None:
    ran = command("doctor", "--json")
    found = ran.json()
    assert found["torch"] == torch.__version__.partition("+")[0]
    assert {"device", "free disk", "hub cache", "weights efficientnet-lite0"} <= found.keys()
    text = command("doctor").out
    assert all(name in text for name in found if name != "faults")


def test_doctor_names_what_is_missing_and_goes_on(
    command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise RuntimeError("no driver\nat all")

    monkeypatch.setattr(cli_doctor, "_device", broken)
    monkeypatch.setattr(cli_doctor, "_PACKAGES", ("no-such-package",))
    monkeypatch.setattr(cli_doctor, "_CLASHING", ("numpy",))
    packaged = weights.PACKAGED["efficientnet-lite0"]
    wrong = SimpleNamespace(**{n: getattr(packaged, n) for n in packaged.__slots__})
    wrong.sha256 = "0" * 64
    monkeypatch.setitem(weights.PACKAGED, "efficientnet-lite0", wrong)
    ran = command("doctor", "--json")
    assert ran.code == 1
    faults = " ".join(ran.json()["faults"])
    assert all(
        word in faults for word in ("no-such-package", "uninstall numpy", "no driver", "damaged")
    )
    assert "at all" not in faults


def test_models_are_listed_with_their_licences(command: Run) -> None:
    models = {model["name"]: model for model in command("models", "list", "--json").json()}
    assert models["efficientnet-lite0"]["path"].endswith(".pth")
    assert "DINOv3" in models["dinov3-s"]["licence"]
    ran = command("models", "list")
    assert all(name in ran.out for name in models)


def test_presets_are_listed_with_licences_and_downloads(
    command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "cached", lambda repo: None)
    presets = {preset["name"]: preset for preset in command("models", "presets", "--json").json()}
    assert presets["embedded"]["downloads"] == {}
    assert presets["sd-dino"]["licences"]["sd15"] == "CreativeML OpenRAIL-M"
    assert presets["sd-dino"]["settings"]["k"] == 200
    ran = command("models", "presets")
    assert all(name in ran.out for name in presets)


def test_what_is_set_goes_over_the_preset() -> None:
    plain, changed = parse_settings([], "sd-dino"), parse_settings(["k=60"], "sd-dino")
    assert (plain.k, changed.k) == (200, 60)
    assert changed.descriptor_extractors == plain.descriptor_extractors
    assert "sd15" in plain.descriptor_extractors[0]


def test_a_preset_whose_weights_are_not_here_says_how_to_get_them(
    command: Run, monkeypatch: pytest.MonkeyPatch, sample: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "cached", lambda repo: None)
    photos = sorted((sample / "cats" / "images").glob("*.jpg"))[:2]
    ran = command("match", *photos, "--out", tmp_path / "x.png", "--preset", "dinov2-b")
    assert ran.code == 1
    assert "fmstudio models fetch dinov2-b" in " ".join(ran.err.split())


def test_models_verify_the_embedded_pair(command: Run) -> None:
    ran = command("models", "verify", "efficientnet-lite0", "efficientnet-lite2")
    assert ran.code == 0
    assert weights.PACKAGED["efficientnet-lite0"].sha256 in ran.out


def test_models_that_are_not_there(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "cached", lambda repo: None)
    ran = command("models", "verify", "dinov2-s")
    assert ran.code == 1
    assert "models fetch dinov2-s" in ran.err
    assert command("models", "fetch", "nonsense").code == 1
    ran = command("models", "fetch", "efficientnet-lite0")
    assert ran.code == 0
    assert "efficientnet-lite0" in ran.out


def test_fetching_shows_its_progress(
    command: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fetch(name: str, progress: Callable[[int, int], None], check: Callable[[], None]) -> Path:
        check()
        progress(88_000_000, 88_000_000)
        return tmp_path / name

    monkeypatch.setattr(hub, "fetch", fetch)
    ran = command("models", "fetch", "dinov2-s")
    assert "Apache-2.0" in ran.err
    assert "88 of 88 MB" in ran.err
    assert str(tmp_path / "dinov2-s") in ran.out


# evaluate


def test_evaluate_writes_numbers_and_tables(sample: Path, command: Run, tmp_path: Path) -> None:
    numbers = tmp_path / "e.json"
    args = ("--pairs", 3, "--seed", 1, "--methods", "identity,nn", "map", "--json", numbers)
    ran = command("evaluate", sample / "cats", *args, *PIXELS)
    assert ran.code == 0, ran.err
    assert "3 of 3 pairs" in ran.err
    report = json.loads(numbers.read_text())
    assert list(report["mean"]) == ["identity", "map", "nn"]
    assert {"pck@0.05", "pck@0.1", "iou"} <= report["categories"]["cat face"]["map"].keys()
    assert report["settings"]["seed"] == 1
    assert "PCK@0.1" in ran.out


def test_evaluate_leaves_the_slow_method_to_those_who_name_it(
    sample: Path, command: Run, tmp_path: Path
) -> None:
    numbers = tmp_path / "e.json"
    args = ("--pairs", 1, "--json", numbers)
    assert command("evaluate", sample / "cats", *args, *PIXELS).code == 0
    by_default = json.loads(numbers.read_text())["mean"]
    assert "map" in by_default
    assert "published" not in by_default
    assert command("evaluate", sample / "cats", *args, "--methods", "published", *PIXELS).code == 0
    assert list(json.loads(numbers.read_text())["mean"]) == ["published"]


def test_evaluate_writes_a_report_card(sample: Path, command: Run, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "card"
    args = ("--pairs", 2, "--methods", "nn", "map", "--card", folder)
    ran = command("evaluate", sample / "cats", *args, *PIXELS)
    assert ran.code == 0, ran.err
    assert {p.name for p in folder.iterdir()} >= {"card.json", "card.md", "pck-01.svg"}
    environment = json.loads((folder / "card.json").read_text())["environment"]
    assert environment["weights"] == ["pixels-1"]


def test_evaluate_judges_parts_one_at_a_time(sample: Path, command: Run, tmp_path: Path) -> None:
    numbers = tmp_path / "e.json"
    args = ("--pairs", 2, "--parts", "basis", "refinements", "--json", numbers)
    ran = command("evaluate", sample / "cats", *args, *PIXELS)
    assert ran.code == 0, ran.err
    assert "14 of 14 pairs" in ran.err
    assert "refine=bijective-zoomout" in ran.out
    assert len(json.loads(numbers.read_text())["parts"]) == 7


def test_a_published_set_that_is_not_there_is_said(command: Run, tmp_path: Path) -> None:
    ran = command("evaluate", tmp_path, "--dataset", "spair-71k")
    assert ran.code == 1
    for words in ("SPair-71k", str(tmp_path), "227 MB", "https://"):
        assert words in ran.err
    assert "spair-71k" in command("evaluate", tmp_path, "--dataset", "imagenet").err


def test_evaluate_judges_dense_fields(sample: Path, command: Run, tmp_path: Path) -> None:
    numbers = tmp_path / "e.json"
    args = ("--synthetic", 2, "--methods", "nn", "map", "--json", numbers)
    ran = command("evaluate", sample / "cats", *args, *PIXELS)
    assert ran.code == 0, ran.err
    kinds = json.loads(numbers.read_text())["kinds"]
    assert set(kinds) == {"smooth", "affine", "occlusion", "mirror"}
    assert "### mirror (2 pairs)" in ran.out


def test_evaluate_says_what_several_references_bring(
    sample: Path, command: Run, tmp_path: Path
) -> None:
    numbers = tmp_path / "several.json"
    args = ("--references", "3", "--pairs", "2", "--json", numbers, *PIXELS)
    ran = command("evaluate", sample / "cats", *args)
    assert ran.code == 0, ran.err
    assert "PCK@0.1 over 1" in ran.out
    document = json.loads(numbers.read_text(encoding="utf-8"))
    assert set(document["values"]) == {"1", "3"}
    (found,) = document["values"]["3"].values()
    assert len(found["pck@0.1"]) == 2


def test_evaluate_judges_the_stereo_pair(command: Run) -> None:
    pytest.importorskip("skimage", reason="scikit-image ships the pair")
    ran = command("evaluate", "--stereo", "--methods", "identity", *PIXELS)
    assert ran.code == 0, ran.err
    assert "### stereo (1 pairs)" in ran.out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "Give a DIR"),
        ((".", "--stereo"), "Give a DIR"),
        ((".", "--ablate", "--synthetic", "2"), "do not go together"),
        ((".", "--synthetic", "2", "--card", "x"), "labelled pairs only"),
        ((".", "--references", "2", "--stereo"), "do not go together"),
        ((".", "--references", "3", "--dataset", "spair-71k"), "as it is published"),
    ],
)
def test_options_of_evaluate_that_exclude_each_other(
    command: Run, args: tuple[str, ...], words: str
) -> None:
    ran = command("evaluate", *args)
    assert ran.code == 2
    assert words in " ".join(ran.err.replace("│", " ").split())


def test_an_ablation_and_methods_of_choice_are_wrong_usage(command: Run) -> None:
    ran = command("evaluate", ".", "--ablate", "--methods", "nn")
    assert ran.code == 2
    assert "choose their methods" in " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("pair", "wanted"),
    [
        ("hub_correction=false", {"hub_correction": False}),
        ("hub-correction=ON", {"hub_correction": True}),
        ("foreground=0.5", {"foreground": 0.5}),
        ("decoder=spectral", {"decoder": "spectral"}),
    ],
)
def test_settings_are_read_as_their_kind(pair: str, wanted: dict[str, object]) -> None:
    assert cli.parse_settings([pair]) == dataclasses.replace(MatchSettings(), **wanted)


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("hub_correction=maybe", "hub_correction is true or false, not 'maybe'"),
        ("decoder=raw", "decoder is one of mixed"),
        ("foreground=2", "foreground is from 0 to 1"),
    ],
)
def test_settings_that_cannot_be_are_wrong_usage(command: Run, pair: str, words: str) -> None:
    ran = command("evaluate", ".", "--set", pair)
    assert ran.code == 2
    assert words in " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("args", "word"), [(("no-such-folder",), "no-such-folder"), (("{}", "--methods", "x"), '"x"')]
)
def test_evaluate_says_what_is_wrong(
    sample: Path, command: Run, args: tuple[str, ...], word: str
) -> None:
    ran = command("evaluate", *(a.format(sample / "cats") for a in args))
    assert ran.code == 1
    assert word in one_line(ran.err)


def test_ctrl_c_stops_an_evaluation(
    sample: Path, command: Run, tmp_path: Path, pixels: type[PixelExtractor]
) -> None:
    pixels.before_extract = staticmethod(
        lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 2 else None
    )
    numbers = tmp_path / "e.json"
    ran = command("evaluate", sample / "cats", "--pairs", 4, "--json", numbers, *PIXELS)
    assert ran.code == 130
    assert not numbers.exists()


# Faults of the program's own


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("odd\nthing"), ("ValueError", "odd thing", "report")),
        (PermissionError(13, "Permission denied", "x/y"), ("x/y", "Permission denied")),
        (MemoryError(), ("memory",)),
    ],
)
def test_any_fault_is_one_sentence(
    command: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, words: tuple[str, ...]
) -> None:
    def broken(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli_doctor, "doctor", broken)
    ran = command("doctor")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert all(word in one_line(ran.err) for word in words)
    traced = command("--debug", "doctor")
    assert traced.code == 1
    assert "Traceback" in traced.err
    assert "broken" in traced.err


def test_ctrl_c_anywhere_is_130(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_doctor, "doctor", stopped)
    ran = command("doctor")
    assert (ran.code, ran.err) == (130, "Stopped.\n")


def test_sentences_are_neither_broken_nor_read_as_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "[red]a[/red] " + "word " * 60 + "end."
    cli_output.fail(text)
    assert capsys.readouterr().err == text + "\n"


def test_progress_is_two_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with cli_output.progress("Counting", "sheep", 3) as report:
        for done in range(4):
            report(done, 3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Counting ..."
    assert lines[1].startswith("Counting: 3 of 3 sheep in ")
    assert len(lines) == 2


def test_progress_on_a_terminal_has_a_rate_and_a_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    with cli_output.progress("Counting", "sheep", 1000) as report:
        for done in range(1, 4):
            report(done * 100, 1000)
            time.sleep(0.15)
    shown = capsys.readouterr().err
    assert "sheep/s" in shown
    assert "0:00:" in shown
    # The bar goes away, and work that took no time leaves no line.
    assert "Counting:" not in shown


def test_failed_work_says_nothing_of_what_it_has_not_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(KeyError), cli_output.progress("Counting", "sheep", 3):
        raise KeyError
    assert capsys.readouterr().err == "Counting ...\n"


def test_resources_are_found_or_missed_in_a_sentence(sample: Path) -> None:
    assert resource("sample") == sample
    with pytest.raises(DatasetError, match="'no/such' is missing"):
        resource("no/such")


# The collection


def test_collection_lists_every_image_with_its_figures(project: Path, command: Run) -> None:
    ran = command("collection", project, *PIXELS)
    assert ran.code == 0
    for name in ("siamese.jpg", "cluster", "coverage", "Least consistent pairs"):
        assert name in ran.out


def test_collection_as_json(project: Path, command: Run) -> None:
    ran = command("collection", project, *PIXELS, "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert len(found["images"]) == 5
    columns = {"image", "cluster", "reference_coverage", "inconsistency", "three_cycle_loss", "xy"}
    assert set(found["images"][0]) == columns
    assert all(len(edge["images"]) == 2 for edge in found["edges"])
    covered = [image["reference_coverage"] for image in found["images"]]
    assert max(covered) == pytest.approx(1, abs=1e-3)
    assert found["unread"] == []
