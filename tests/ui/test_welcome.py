"""The welcome page and the list of recent projects."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap

from fmstudio.session import Session
from fmstudio.ui.actions import ActionTable
from fmstudio.ui.controller import Controller
from fmstudio.ui.recent import MOST, keep_picture, listed, picture_of, remembered
from fmstudio.ui.sample import sample_project
from fmstudio.ui.welcome import Card, WelcomePage


@pytest.fixture
def page(qtbot):
    page = WelcomePage(ActionTable(Controller()))
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    return page


def card(page, words):
    return next(c for c in page.findChildren(Card) if words in c.text())


@pytest.mark.parametrize(
    ("words", "signal"),
    [("folder", "folderWanted"), ("Open a project", "projectWanted"), ("cats", "sampleWanted")],
)
def test_three_ways_to_begin_by_mouse_and_by_keyboard(qtbot, page, words, signal):
    with qtbot.waitSignal(getattr(page, signal)):
        qtbot.mouseClick(card(page, words), Qt.MouseButton.LeftButton)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        with qtbot.waitSignal(getattr(page, signal)):
            qtbot.keyClick(card(page, words), key)


def test_recent_projects_open_and_missing_ones_do_not(qtbot, page, tmp_path):
    there = tmp_path / "lions.fmstudio"
    there.write_bytes(b"")
    keep_picture(there, tmp_path / "pictures", QPixmap(800, 600))
    page.set_recent(listed([str(there), str(tmp_path / "gone.fmstudio")], tmp_path / "pictures"))
    lions, gone = page.cards
    assert lions.isEnabled()
    assert not gone.isEnabled()
    with qtbot.waitSignal(page.recentWanted) as opened:
        qtbot.mouseClick(lions, Qt.MouseButton.LeftButton)
    assert opened.args == [there]
    with qtbot.waitSignal(page.forgetWanted) as forgotten:
        qtbot.keyClick(lions, Qt.Key.Key_Delete)
    assert forgotten.args == [there]
    page.set_recent(())
    assert page.cards == ()


def test_a_picture_has_the_shape_of_the_list_s(qapp, tmp_path):
    for width, height in ((900, 300), (200, 1000)):
        path = tmp_path / f"{width}.fmstudio"
        keep_picture(path, tmp_path, QPixmap(width, height))
        kept = QPixmap(str(picture_of(path, tmp_path)))
        assert (kept.width(), kept.height()) == (416, 232)
    keep_picture(tmp_path / "none", tmp_path, QPixmap())
    assert not picture_of(tmp_path / "none", tmp_path).exists()


def test_the_latest_project_comes_first_and_the_list_ends(tmp_path):
    paths: list[str] = []
    for number in range(MOST + 3):
        paths = remembered(paths, tmp_path / str(number))
    assert len(paths) == MOST
    assert paths[0].endswith(str(MOST + 2))
    again = remembered(paths, tmp_path / str(MOST))
    assert again[0].endswith(str(MOST))
    assert sorted(again) == sorted(paths)


def test_the_sample_is_made_once_with_the_first_cat_annotated(tmp_path):
    path = sample_project(tmp_path / "data")
    with Session.open(path) as session:
        project = session.project
        annotated = [i.file_name for i in project.sorted_images() if project.annotations_of(i.id)]
        assert len(project.images) == 5
        assert annotated == ["siamese.jpg"]
        assert not any(Path(image.path).is_absolute() for image in project.sorted_images())
    stamp = path.stat().st_mtime_ns
    assert sample_project(tmp_path / "data") == path
    assert path.stat().st_mtime_ns == stamp
    assert [p.name for p in (tmp_path / "data").iterdir()] == [path.parent.name]
