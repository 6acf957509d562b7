"""The dialog of backups, and what the window does with a project that is damaged or held."""

import pytest
from PySide6.QtCore import QSettings, Qt

from fmstudio.io.backups import folder_of, list_backups
from fmstudio.project.edits import RenameProject
from fmstudio.session import Session
from fmstudio.ui.dialogs.backups import BackupsDialog
from fmstudio.ui.studio import Studio
from tests.conftest import cut_in_half

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def path(backed_up):
    return backed_up


@pytest.fixture
def studio(qtbot, qapp, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    studio = Studio(settings, tmp_path / "data")
    qtbot.addWidget(studio.window)
    studio.window.show()
    studio.heard = []
    studio.controller.noticeRaised.connect(studio.heard.append)
    yield studio
    studio.window.close()
    assert studio.shut_down()


def dialog_of(studio):
    return next(d for d in studio.window.findChildren(BackupsDialog) if d.isVisible())


def test_backups_are_listed_and_one_is_chosen(qtbot, path):
    dialog = BackupsDialog(path)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.table.rowCount() == 2
    assert "felines" in dialog.table.item(0, 1).text()
    dialog.table.selectRow(1)
    with qtbot.waitSignal(dialog.restoreWanted) as wish:
        qtbot.mouseClick(dialog.take, LEFT)
    assert wish.args == [path, list_backups(path)[1].path]
    assert not dialog.isVisible()


def test_a_damaged_backup_cannot_be_chosen(qtbot, path):
    cut_in_half(list_backups(path)[0].path)
    dialog = BackupsDialog(path)
    qtbot.addWidget(dialog)
    assert dialog.table.item(0, 1).text() == "damaged"
    assert dialog.table.currentRow() == 1
    dialog.table.selectRow(0)
    assert not dialog.take.isEnabled() or dialog.table.currentRow() == 1


@pytest.mark.parametrize("fault", ["none", "no folder"])
def test_without_backups_it_says_so(qtbot, tmp_path, fault):
    project = tmp_path / "new.fmstudio"
    if fault == "no folder":
        folder_of(project).write_text("a file")
    dialog = BackupsDialog(project)
    qtbot.addWidget(dialog)
    said = dialog.said.text()
    assert ("cannot be read" if fault == "no folder" else "no whole backup") in said
    assert not dialog.take.isEnabled()


def test_the_open_project_goes_back_and_forth(qtbot, studio, path):
    studio.opening.open_project(path)
    studio.actions["restore-backup"].trigger()
    dialog = dialog_of(studio)
    dialog.table.selectRow(1)
    qtbot.mouseClick(dialog.take, LEFT)
    assert studio.controller.project.name == "cats"
    qtbot.waitUntil(lambda: any("in place" in n.text for n in studio.heard))
    studio.actions["restore-backup"].trigger()
    dialog = dialog_of(studio)
    # The first is what was opened just now.
    dialog.table.selectRow(1)
    qtbot.mouseClick(dialog.take, LEFT)
    assert studio.controller.project.name == "felines"


def test_a_damaged_project_offers_its_backups(qtbot, studio, path):
    cut_in_half(path)
    assert not studio.opening.open_project(path)
    (notice,) = studio.heard
    assert "is damaged" in notice.text
    assert notice.action == "Restore a backup..."
    notice.run()
    qtbot.mouseClick(dialog_of(studio).take, LEFT)
    assert studio.controller.project.name == "felines"
    assert list(folder_of(path).glob("damaged-*.fmstudio"))


def test_the_second_window_looks_and_says_why(qtbot, studio, path):
    with Session.open(path) as first:
        assert studio.opening.open_project(path)
        qtbot.waitUntil(lambda: bool(studio.heard))
        notice = studio.heard[0]
        assert "Only to be looked at" in notice.text
        assert "open in process" in notice.text
        assert "(to be looked at)" in studio.window.windowTitle()
        assert studio.controller.perform(RenameProject("mine")) is None
        assert "open in process" in studio.heard[-1].text
        first.perform(RenameProject("theirs"))
    notice.run()
    assert studio.controller.project.name == "theirs"
    assert studio.controller.session.refusal == ""
