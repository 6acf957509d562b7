"""The window: places, menus, notices, drops; with plain widgets where panels will be."""

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QListWidget, QMenu, QPushButton, QStatusBar

from fmstudio.project.edits import RenameProject
from fmstudio.project.model import Status
from fmstudio.ui import theme
from fmstudio.ui.actions import ACTIONS, ActionTable
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.dialogs.shortcuts import ShortcutSheet
from fmstudio.ui.hints import HintStrip
from fmstudio.ui.main_window import MainWindow, Parts
from fmstudio.ui.notice_bar import NoticeBar
from fmstudio.ui.workspaces import WORKSPACES, DockName


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def make_window(qtbot, qapp, settings):
    """Return a function that makes a window, shown, as a start of the program would."""
    theme.apply(qapp, "system")

    def make():
        controller = Controller()
        table = ActionTable(controller)
        panels = {name: QListWidget() for name in DockName}
        parts = Parts(QLabel("canvases"), QLabel("welcome"), panels, QStatusBar())
        window = MainWindow(controller, table, parts, settings)
        window.controller, window.table, window.parts = controller, table, parts
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    return make


@pytest.fixture
def window(make_window):
    return make_window()


def open_docks(window):
    return {name for name in DockName if window.dock(name).isVisible()}


def test_without_a_project_the_welcome_page_is_alone(window):
    assert window.parts.welcome.isVisible()
    assert not window.parts.canvases.isVisible()
    assert open_docks(window) == set()
    assert window.windowTitle() == "fmstudio"


def test_a_project_is_named_in_the_title(window, make_session):
    window.controller.set_session(make_session())
    assert window.windowTitle().startswith("cats ")
    window.controller.perform(RenameProject("lions"))
    assert window.windowTitle().startswith("lions ")
    assert window.parts.canvases.isVisible()


@pytest.mark.parametrize("name", WORKSPACES)
def test_the_canvases_take_most_of_the_smallest_window(qtbot, window, make_session, name):
    window.resize(1280, 800)
    window.controller.set_session(make_session())
    with qtbot.waitSignal(window.workspaceChosen) as chosen:
        window.use_workspace(name)
    assert chosen.args == [WORKSPACES[name]]
    canvases = window.parts.canvases

    def is_wide():
        assert canvases.width() * canvases.height() >= 0.65 * 1280 * 800

    qtbot.waitUntil(is_wide)
    assert (window.width(), window.height()) == (1280, 800)
    in_front = set(WORKSPACES[name].docks) - {
        DockName.HISTORY,
        DockName.CATEGORIES,
        DockName.COLLECTION,
        DockName.SPECTRUM,
    }
    assert in_front <= open_docks(window)


def test_docks_remember_their_places(make_window, make_session):
    window = make_window()
    window.controller.set_session(make_session("a"))
    window.dock(DockName.QUEUE).close()
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, window.dock(DockName.IMAGES))
    window.resize(1400, 900)
    window.close()
    again = make_window()
    again.controller.set_session(make_session("b"))
    assert DockName.QUEUE not in open_docks(again)
    area = again.dockWidgetArea(again.dock(DockName.IMAGES))
    assert area == Qt.DockWidgetArea.RightDockWidgetArea
    again.use_workspace("review")
    area = again.dockWidgetArea(again.dock(DockName.IMAGES))
    assert area == Qt.DockWidgetArea.LeftDockWidgetArea
    assert DockName.QUEUE in open_docks(again)


def test_docks_come_back_with_the_next_project(window, make_session):
    window.controller.set_session(make_session("a"))
    window.dock(DockName.QUEUE).close()
    before = open_docks(window)
    window.controller.set_session(None)
    assert open_docks(window) == set()
    window.controller.set_session(make_session("b"))
    assert open_docks(window) == before


def test_every_command_is_in_a_menu_and_no_menu_is_empty(window):
    menus = [action.menu() for action in window.menuBar().actions()]
    listed = {action.objectName() for menu in menus for action in menu.actions()}
    assert {spec.id for spec in ACTIONS} <= listed
    assert all(menu.title() and menu.actions() for menu in menus)
    assert {f"show-{name.value}" for name in DockName} <= listed


def test_escape_steps_back(qtbot, window):
    with qtbot.waitSignal(window.steppedBack):
        qtbot.keyClick(window, Qt.Key.Key_Escape)


def test_files_can_be_dropped_and_words_cannot(qtbot, window, tmp_path):
    def events(mime):
        action, no = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        left = Qt.MouseButton.LeftButton
        yield QDragEnterEvent(QPoint(50, 50), action, mime, left, no)
        yield QDropEvent(QPointF(50, 50), action, mime, left, no)

    words = QMimeData()
    words.setText("words")
    entering, dropping = events(words)
    entering.ignore()
    window.dragEnterEvent(entering)
    assert not entering.isAccepted()
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/a.png")])
    entering, dropping = events(files)
    window.dragEnterEvent(entering)
    assert entering.isAccepted()
    with qtbot.waitSignal(window.dropped) as dropped:
        window.dropEvent(dropping)
    assert dropped.args == [[tmp_path]]


def test_recent_projects_are_in_the_menu(qtbot, window, tmp_path):
    from fmstudio.ui.recent import listed

    there = tmp_path / "lions.fmstudio"
    there.write_bytes(b"")
    window.set_recent(listed([str(there)], tmp_path))
    menu = next(m for m in window.findChildren(QMenu) if "recent" in m.title())
    with qtbot.waitSignal(window.recentWanted) as wanted:
        menu.actions()[0].trigger()
    assert wanted.args == [there]
    window.set_recent(())
    assert not menu.isEnabled()


# Notices


def test_a_notice_does_what_it_offers_and_goes(qtbot, window):
    done = []
    window.controller.notify("Kept 12 proposals.", action="Undo", run=lambda: done.append(1))
    bar = window.notices
    assert bar.isVisible()
    button = next(b for b in bar.findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == [1]
    assert not bar.isVisible()


def test_an_error_waits_for_nobody_and_is_not_covered_by_news(window):
    window.controller.notify("It broke.", Level.ERROR, details="where")
    window.controller.notify("By the way.")
    assert window.notices.notice.text == "It broke."
    window.notices.dismiss()
    assert window.notices.notice.text == "By the way."
    window.controller.notify("It broke again.", Level.ERROR)
    assert window.notices.notice.text == "It broke again."
    window.notices.dismiss()
    assert window.notices.notice is None


def test_the_same_words_are_said_once(window):
    for _ in range(3):
        window.controller.notify("It broke.", Level.ERROR)
    window.notices.dismiss()
    assert window.notices.notice is None


def test_news_go_by_themselves(qtbot, qapp):
    over = QLabel()
    qtbot.addWidget(over)
    over.resize(800, 600)
    over.show()
    controller = Controller()
    bar = NoticeBar(controller, over, stay_ms=20)
    controller.notify("Done.")
    assert bar.isVisible()
    qtbot.waitUntil(lambda: not bar.isVisible())
    controller.notify("Broken.", Level.ERROR)
    assert not bar._timer.isActive()
    assert bar.geometry().right() < over.width()


# First steps


@pytest.fixture
def hints(qtbot, window):
    return HintStrip(window.controller, window.table, window.parts.canvases)


def test_the_first_steps_go_on_by_what_is_done(window, hints, make_session):
    window.controller.set_session(make_session())
    assert hints.isVisible()
    assert hints.step == 0
    project = window.controller.project
    (drawn,) = project.annotations_of(window.controller.reference_id)
    window.controller.perform(propose(drawn, window.controller.target_id))
    assert hints.step == 2
    (new,) = window.controller.project.annotations_of(window.controller.target_id)
    window.controller.accept([new.id])
    assert not hints.isVisible()


def test_the_first_steps_are_dismissed_for_good(qtbot, window, hints, make_session):
    window.controller.set_session(make_session("a"))
    with qtbot.waitSignal(hints.dismissed):
        for _ in range(3):
            qtbot.mouseClick(hints._next, Qt.MouseButton.LeftButton)
    window.controller.set_session(make_session("b"))
    assert not hints.isVisible()


def test_nothing_to_look_at_no_first_steps(window, hints, make_session):
    window.controller.set_session(make_session(annotated=False))
    assert not hints.isVisible()


def propose(drawn, image_id):
    from dataclasses import replace

    from fmstudio.project.edits import LandProposals
    from fmstudio.project.model import Propagated

    provenance = Propagated((drawn.id,), "key")
    mask = None
    return LandProposals(
        (
            replace(
                drawn,
                id=0,
                image_id=image_id,
                mask=mask,
                status=Status.PROPOSED,
                provenance=provenance,
            ),
        )
    )


# The F1 sheet


def test_the_sheet_lists_every_key_and_finds_words(qtbot, window):
    sheet = ShortcutSheet(window.table, window)
    qtbot.addWidget(sheet)
    lines = sheet.shown()
    named = [id_ for id_ in window.table if window.table.keys(id_) and "category-" not in id_]
    assert len(lines) >= len(named)
    assert any("Propagate" in line and "Ctrl+B" in line for line in lines)
    assert any("wheel" in line for line in lines)
    sheet._field.setText("propag")
    assert all("ropag" in line for line in sheet.shown())
    sheet._field.setText("zzz")
    assert sheet.shown() == ()
    assert not sheet._nothing.isHidden()
