"""Disks that are full, or files that vanish or change: nothing is lost, or the fault is named."""

import random
import shutil

import numpy as np
import pytest

from fmstudio.errors import DamagedError, FmstudioError, StoreError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.backups import list_backups, restore
from fmstudio.project.edits import AddAnnotation, AddCategory, AddImages, RenameProject
from fmstudio.project.model import Annotation, Category, ImageItem
from fmstudio.session import Session

SIZE = ImageSize(256, 192)
PAGES = 200


def noise(rng):
    """Return a mask that no encoding makes small."""
    return Mask.from_array(rng.random((SIZE.height, SIZE.width)) < 0.5)


def filled(session, count=3):
    """Fill a project with images that have a noisy mask each."""
    rng = np.random.default_rng(0)
    names = [f"{n}.png" for n in range(count)]
    session.perform(AddImages(tuple(ImageItem(0, name, SIZE, "f" * 64) for name in names)))
    session.perform(AddCategory(Category(0, "cat", keypoints=("nose",))))
    for id_ in sorted(session.project.images):
        points = Keypoints.drawn([[float(id_), 1.0]], [2])
        session.perform(AddAnnotation(Annotation(0, id_, 1, points, noise(rng))))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "cats.fmstudio"
    with Session.create(path) as session:
        filled(session)
    Session.open(path).close()
    return path


def test_a_full_disk_refuses_an_edit_and_keeps_all_before_it(small_disk):
    disk = small_disk(2)
    path = disk.folder / "cats.fmstudio"
    rng = np.random.default_rng(1)
    ballast = disk.folder / "ballast"
    ballast.write_bytes(bytes(300_000))
    with Session.create(path) as session:
        filled(session, 1)
        done, refusal = 1, ""
        while not refusal:
            points = Keypoints.drawn([[float(done), 1.0]], [2])
            try:
                session.perform(AddAnnotation(Annotation(0, 1, 1, points, noise(rng))))
                done += 1
            except StoreError as error:
                refusal = str(error)
        assert "full" in refusal
        assert len(session.project.annotations) == done
        # Room again: work goes on in the same session.
        ballast.unlink()
        session.perform(RenameProject("after all"))
    with Session.open(path) as session:
        assert session.project.name == "after all"
        assert len(session.project.annotations) == done > 3


def test_where_no_backup_fits_work_goes_on(small_disk, tmp_path):
    disk = small_disk(1)
    path = disk.folder / "cats.fmstudio"
    with Session.create(path) as session:
        filled(session, 1)
    (disk.folder / "ballast").write_bytes(bytes(shutil.disk_usage(disk.folder).free - 120_000))
    with Session.open(path) as session:
        session.perform(RenameProject("no backup"))
    assert list_backups(path) == []
    with Session.open(path) as session:
        assert session.project.name == "no backup"


@pytest.mark.parametrize("fate", ["moved", "deleted", "replaced"])
def test_a_project_whose_file_goes_away_takes_no_further_edit(path, tmp_path, fate):
    with Session.open(path) as session:
        session.perform(RenameProject("kept"))
        there = tmp_path / "elsewhere" / path.name
        there.parent.mkdir()
        if fate == "moved":
            for part in sorted(path.parent.glob(f"{path.name}*")):
                shutil.move(part, there.parent)
        elif fate == "deleted":
            path.unlink()
        else:
            shutil.copy(path, there)
            there.replace(path)
        with pytest.raises(StoreError, match="moved, deleted or replaced"):
            session.perform(RenameProject("lost"))
        assert session.project.name == "kept"
    if fate == "moved":
        with Session.open(there) as session:
            assert session.project.name == "kept"


def test_changed_pages_are_named_or_harmless(path):
    whole = path.read_bytes()
    rng = random.Random(0)
    named = 0
    for _ in range(PAGES):
        data = bytearray(whole)
        start = rng.randrange(100, len(data))
        for at in range(start, min(start + rng.choice((1, 16, 512, 4096)), len(data))):
            data[at] = rng.randrange(256)
        path.write_bytes(data)
        try:
            # A bit of a coordinate or a name may differ: no database knows what it was.
            Session.open(path).close()
        except FmstudioError as error:
            named += isinstance(error, DamagedError)
    assert named > PAGES / 4


def test_text_that_is_no_text_is_named(path):
    whole = path.read_bytes()
    assert whole.count(b"CREATE TABLE meta") == 1
    path.write_bytes(whole.replace(b"CREATE TABLE meta", b"CREATE TABLE \xd5\x00ta"))
    with pytest.raises(DamagedError, match="damaged"):
        Session.open(path)


def test_a_file_cut_anywhere_is_named_and_put_back(path):
    with Session.open(path) as session:
        project = session.project
    whole = path.read_bytes()
    backup = list_backups(path)[0].path
    rng = random.Random(1)
    for _ in range(20):
        path.write_bytes(whole[: rng.randrange(1, len(whole) - 1)])
        with pytest.raises(StoreError, match=r"damaged|not a project|another program"):
            Session.open(path)
        restore(path, backup)
        with Session.open(path) as session:
            assert session.project.annotations == project.annotations
