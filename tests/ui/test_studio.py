"""The whole window: opening, commands, keys, leaving. Real panels, real images, no network."""

import json
import shutil
import time

import pytest
from PIL import Image
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QDialog, QLineEdit

from fmstudio.project.doubt import Reason
from fmstudio.project.edits import LandProposals
from fmstudio.project.model import Propagated, Status
from fmstudio.session import Session
from fmstudio.ui.actions import ACTIONS
from fmstudio.ui.controller import Level
from fmstudio.ui.keys import KeyGuard
from fmstudio.ui.studio import Studio
from fmstudio.ui.workspaces import WORKSPACES, DockName


@pytest.fixture
def make_studio(qtbot, qapp, tmp_path):
    """Return a function that makes a studio, shown, as a start of the program would."""
    made = []
    KeyGuard(qapp)

    def make():
        settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        studio = Studio(settings, tmp_path / "data")
        made.append(studio)
        qtbot.addWidget(studio.window)
        studio.window.show()
        qtbot.waitExposed(studio.window)
        return studio

    yield make
    for studio in made:
        studio.window.close()
        assert studio.shut_down()


@pytest.fixture
def studio(make_studio):
    return make_studio()


@pytest.fixture
def photos(tmp_path, sample):
    folder = tmp_path / "photos"
    shutil.copytree(sample / "cats" / "images", folder)
    return folder


@pytest.fixture
def notices(studio):
    heard = []
    studio.controller.noticeRaised.connect(heard.append)
    return heard


def add_is_done(studio, count):
    return lambda: len(studio.controller.project.images) == count


def give_proposals(studio, confidences=(0.9, 0.2)):
    """Land proposals on the first images that have nothing; return their ids, as given."""
    controller = studio.controller
    project = controller.project
    (drawn,) = project.annotations_of(controller.reference_id)
    empty = [i.id for i in project.sorted_images() if not project.annotations_of(i.id)]
    from dataclasses import replace

    proposals = tuple(
        replace(
            drawn,
            id=0,
            image_id=image_id,
            mask=None,
            status=Status.PROPOSED,
            provenance=Propagated((drawn.id,), "key"),
            confidence=confidence,
        )
        for image_id, confidence in zip(empty, confidences, strict=False)
    )
    return controller.perform(LandProposals(proposals)).annotations.added


# Opening


def test_a_folder_becomes_a_project_and_is_found_again(qtbot, studio, photos):
    studio.begin(photos)
    qtbot.waitUntil(add_is_done(studio, 5))
    path = photos / "photos.fmstudio"
    assert studio.controller.session.path == path.resolve()
    studio.opening.close_project()
    assert studio.controller.session is None
    studio.begin(photos)
    assert len(studio.controller.project.images) == 5
    qtbot.waitUntil(lambda: studio.preferences.recent_projects == [str(path.resolve())])


def test_adding_is_one_edit_and_says_what_it_left_out(qtbot, studio, notices, photos):
    (photos / "torn.jpg").write_bytes(b"no image")
    shutil.copy(photos / "tabby.jpg", photos / "twin.jpg")
    studio.opening.open_folder(photos)
    qtbot.waitUntil(lambda: bool(notices))
    assert notices[0].level is Level.WARNING
    assert "5 images" in notices[0].text
    assert "torn.jpg" in notices[0].details
    assert "twin.jpg" in notices[0].details
    studio.controller.undo()
    assert not studio.controller.project.images


def test_adding_can_be_stopped_and_keeps_what_was_found(qtbot, studio, notices, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        Image.new("RGB", (8, 8), (number % 256, number // 256, 7)).save(folder / f"{number}.png")
    studio.opening.new_project(tmp_path / "many")
    studio.opening.add_images([folder])
    (task,) = studio.tasks.tasks
    qtbot.waitUntil(lambda: task.done > 0)
    studio.tasks.cancel(task)
    qtbot.waitUntil(lambda: bool(notices))
    found = len(studio.controller.project.images)
    assert 0 < found < 300
    assert notices[0].text.startswith("Stopped")
    notices[0].run()
    assert not studio.controller.project.images


def test_a_file_that_the_system_asks_to_open_is_opened(qapp, qtbot, studio, photos, tmp_path):
    Session.create(tmp_path / "cats").close()
    qapp.installEventFilter(studio.opening)
    qapp.sendEvent(qapp, QFileOpenEvent(str(tmp_path / "cats.fmstudio")))
    assert studio.controller.project.name == "cats"
    qapp.sendEvent(qapp, QFileOpenEvent(str(photos / "tabby.jpg")))
    qtbot.waitUntil(lambda: len(studio.controller.project.images) == 1)
    qapp.removeEventFilter(studio.opening)


def test_dropped_images_open_a_project_where_they_are(qtbot, studio, photos):
    studio.window.dropped.emit([photos / "tabby.jpg", photos / "persian.jpg"])
    qtbot.waitUntil(add_is_done(studio, 2))
    studio.window.dropped.emit([photos])
    qtbot.waitUntil(add_is_done(studio, 5))


def test_a_folder_s_cache_holds_no_photos(qtbot, studio, photos):
    studio.begin(photos)
    qtbot.waitUntil(add_is_done(studio, 5))
    cache = studio.controller.session.cache_dir
    (cache / "thumbnails").mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), "red").save(cache / "thumbnails" / "red.jpg")
    Image.new("RGB", (32, 32), "blue").save(photos / "blue.png")
    studio.opening.add_images([photos])
    qtbot.waitUntil(add_is_done(studio, 6))


def test_what_is_not_there_is_said(studio, notices, tmp_path):
    studio.begin(tmp_path / "nowhere")
    assert notices[-1].level is Level.ERROR
    assert "nowhere" in notices[-1].text
    broken = tmp_path / "broken.fmstudio"
    broken.write_text("no project")
    studio.begin(broken)
    assert "broken.fmstudio" in notices[-1].text
    assert studio.controller.session is None


def test_a_project_that_cannot_be_opened_leaves_the_open_one(
    studio, notices, make_session, tmp_path
):
    studio.controller.set_session(make_session())
    studio.begin(tmp_path / "gone.fmstudio")
    assert notices
    assert studio.controller.project.name == "cats"


def test_the_sample_opens_with_one_cat_annotated_and_the_first_steps(qtbot, studio):
    studio.welcome.sampleWanted.emit()
    project = studio.controller.project
    assert [project.images[i].file_name for i in project.of_image] == ["siamese.jpg"]
    qtbot.waitUntil(studio.hints.isVisible)
    studio.hints.dismissed.emit()
    studio.opening.close_project()
    studio.opening.try_sample()
    assert not studio.hints.isVisible()


def test_proposals_of_a_run_that_was_cut_short_are_kept(qtbot, studio, notices, make_session):
    session = make_session()
    project = session.project
    source = next(iter(project.annotations.values()))
    target = next(i for i in project.images if i != source.image_id)
    request = session.request([source.image_id], [target])
    mark = proposed_mark(source)
    session.receive(mark(request.targets[0]), request)
    path = session.path
    session.close()
    studio.begin(path)
    qtbot.waitUntil(lambda: any("cut short" in notice.text for notice in notices))
    (landed,) = studio.controller.project.annotations_of(target)
    assert landed.status is Status.PROPOSED
    assert studio.controller.session.inbox == ()


def proposed_mark(source):
    from fmstudio.engine.requests import ProposedMark
    from fmstudio.session import Proposal

    made = ProposedMark(source.category_id, (source.id,), source.keypoints, None, 0.7)
    return lambda target: Proposal(target, (made,), "key")


# Commands


def test_every_command_does_something(studio):
    from PySide6.QtCore import SIGNAL

    for spec in ACTIONS:
        receivers = studio.actions[spec.id].receivers(SIGNAL("triggered(bool)"))
        assert receivers >= 1, f"{spec.id} does nothing"


@pytest.mark.parametrize(
    "id_", ["import-coco", "export", "propagate", "models", "settings", "about", "shortcuts"]
)
def test_dialogs_open_without_a_word_and_close_by_escape(qtbot, studio, make_session, id_):
    studio.controller.set_session(make_session())
    studio.actions[id_].trigger()
    (dialog,) = [d for d in studio.window.findChildren(QDialog) if d.isVisible()]
    assert dialog.windowTitle()
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    # The list of models loads the networks' library, which takes its time.
    qtbot.waitUntil(lambda: not studio.service.is_busy(), timeout=60_000)


def test_review_by_keys_goes_from_the_most_doubtful_on(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    sure, doubtful = give_proposals(studio)
    canvas = studio.canvases.target
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert studio.controller.selection.annotation_id == doubtful
    qtbot.keyClick(canvas, Qt.Key.Key_Y)
    annotations = studio.controller.project.annotations
    assert annotations[doubtful].status is Status.ACCEPTED
    assert studio.controller.selection.annotation_id == sure
    qtbot.keyClick(canvas, Qt.Key.Key_X)
    assert studio.controller.project.annotations[sure].status is Status.REJECTED
    qtbot.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert studio.controller.project.annotations[sure].status is Status.PROPOSED
    qtbot.keyClick(canvas, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert studio.controller.project.annotations[sure].status is Status.REJECTED


def test_letters_typed_into_the_search_are_no_commands(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    give_proposals(studio)
    before = studio.controller.project
    field = studio.images.search.findChild(QLineEdit) or studio.images.search
    field.setFocus()
    qtbot.keyClicks(field, "xyadbek 1")
    assert field.text() == "xyadbek 1"
    assert studio.controller.project is before
    assert studio.controller.tool == "select"


def test_the_search_is_reached_by_a_key(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    studio.window.dock(DockName.IMAGES).close()
    canvas = studio.canvases.target
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert studio.images.search.isVisible()
    assert studio.images.search.isAncestorOf(studio.window.focusWidget())


def test_letters_on_the_list_are_commands(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    view = studio.images.view
    view.setFocus()
    first = studio.controller.target_id
    qtbot.keyClick(view, Qt.Key.Key_D)
    assert studio.controller.target_id != first
    qtbot.keyClick(view, Qt.Key.Key_A)
    assert studio.controller.target_id == first
    qtbot.keyClick(view, Qt.Key.Key_K)
    assert studio.controller.tool == "keypoint"


def test_stepping_keeps_to_the_list_as_it_is_filtered(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    with qtbot.waitSignal(studio.images.model.filtered):
        studio.images.search.set_text("name:*a*")
    names = []
    for _ in range(6):
        studio.actions["next-image"].trigger()
        image = studio.controller.project.images[studio.controller.target_id]
        names.append(image.file_name)
    assert all("a" in name for name in names)


def test_stepping_from_outside_the_filter_goes_to_the_next_that_it_finds(
    qtbot, studio, make_session
):
    controller = studio.controller
    controller.set_session(make_session())
    with qtbot.waitSignal(studio.images.model.filtered):
        studio.images.search.set_text("name:tabby.jpg")
    ids = {image.file_name: image.id for image in controller.project.images.values()}
    controller.show_target(ids["egyptian.jpg"])
    studio.actions["next-image"].trigger()
    assert controller.target_id == ids["tabby.jpg"]


def test_escape_goes_back_one_step_at_a_time(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    controller = studio.controller
    (drawn,) = controller.project.annotations_of(controller.reference_id)
    controller.select(drawn.id)
    controller.set_tool("brush")
    controller.select(drawn.id)
    qtbot.keyClick(studio.window, Qt.Key.Key_Escape)
    assert controller.selection.annotation_id is None
    assert controller.tool == "brush"
    qtbot.keyClick(studio.window, Qt.Key.Key_Escape)
    assert controller.tool == "select"


def test_delete_and_category_and_reference(qtbot, studio, make_session):
    controller = studio.controller
    controller.set_session(make_session())
    (drawn,) = controller.project.annotations_of(controller.reference_id)
    controller.set_category(None)
    studio.actions["category-1"].trigger()
    assert controller.category_id == drawn.category_id
    target = controller.target_id
    studio.actions["use-as-reference"].trigger()
    assert controller.reference_id == target
    controller.select(drawn.id)
    studio.actions["delete"].trigger()
    assert drawn.id not in controller.project.annotations


def test_nothing_to_review_is_said_with_a_way_on(qtbot, studio, notices, make_session):
    studio.controller.set_session(make_session())
    studio.actions["next-review"].trigger()
    assert "Nothing waits" in notices[-1].text
    notices[-1].run()
    assert any(d.isVisible() for d in studio.window.findChildren(QDialog))


@pytest.mark.parametrize("name", WORKSPACES)
def test_the_canvases_take_65_percent_of_the_smallest_window(qtbot, studio, make_session, name):
    studio.window.resize(1280, 800)
    studio.controller.set_session(make_session())
    studio.actions[f"workspace-{name}"].trigger()
    shown = WORKSPACES[name].shows_reference

    def is_wide():
        canvases = studio.canvases
        assert canvases.width() * canvases.height() >= 0.65 * 1280 * 800
        assert studio.canvases.reference.isVisible() == shown

    qtbot.waitUntil(is_wide)
    assert studio.window.width() == 1280
    assert studio.actions["show-reference"].isChecked() == shown


def test_the_tool_bar_counts_what_is_left(qtbot, studio, make_session):
    studio.controller.set_session(make_session())
    give_proposals(studio)
    bar = studio.window.findChild(type(studio.window._tool_bar))
    qtbot.waitUntil(lambda: "2" in bar._review.text())


def test_images_that_moved_are_found_again(qtbot, studio, notices, make_session, tmp_path):
    studio.controller.set_session(make_session())
    (tmp_path / "cats-photos").rename(tmp_path / "elsewhere")

    class Answers:
        def folder(self, _start):
            return tmp_path / "elsewhere"

    studio.questions = Answers()
    studio.canvases.target.message.findRequested.emit()
    qtbot.waitUntil(lambda: any("found again" in n.text for n in notices))
    project, session = studio.controller.project, studio.controller.session
    assert all(session.path_of(image).exists() for image in project.sorted_images())


def test_choices_are_kept_for_the_next_start(make_studio, qapp):
    studio = make_studio()
    studio.preferences.theme = "dark"
    studio.actions["link-views"].setEnabled(True)
    studio.actions["link-views"].trigger()
    assert studio.actions["settle-points"].isChecked()
    studio.actions["settle-points"].setEnabled(True)
    studio.actions["settle-points"].trigger()
    studio.preferences.key_overrides = {"accept": "J"}
    assert qapp.palette().window().color().name() == "#1f2124"
    assert studio.actions.keys("accept") == ("J",)
    studio.window.close()
    again = make_studio()
    assert again.canvases.is_linked
    assert again.actions["link-views"].isChecked()
    assert not again.actions["settle-points"].isChecked()
    assert again.actions.keys("accept") == ("J",)
    again.preferences.theme = "system"


# Leaving


def test_closing_takes_a_picture_and_frees_the_project(qtbot, studio, photos):
    studio.begin(photos)
    qtbot.waitUntil(add_is_done(studio, 5))
    qtbot.waitUntil(lambda: studio.canvases.target.is_ready)
    path = studio.controller.session.path
    qtbot.waitUntil(lambda: bool(studio.preferences.recent_projects))
    studio.window.close()
    assert list((studio._data / "recent").glob("*.png"))
    with Session.open(path) as session:
        assert len(session.project.images) == 5


def test_closing_in_the_middle_of_work_takes_less_than_a_second(qtbot, studio, make_session):
    studio.controller.set_session(make_session())

    def endless(token):
        while True:
            token.check()
            yield None

    studio.tasks.start("Endless", "import", endless)
    qtbot.waitUntil(lambda: studio.tasks.current is not None)
    path = studio.controller.session.path
    began = time.monotonic()
    studio.window.close()
    assert studio.shut_down()
    assert time.monotonic() - began < 1.0
    with Session.open(path) as session:
        assert len(session.project.annotations) == 1


def test_everything_without_words_has_a_name(studio, make_session):
    from PySide6.QtWidgets import QAbstractButton, QComboBox

    studio.controller.set_session(make_session())
    for name in DockName:
        studio.window.dock(name).show()
    nameless = [
        f"{type(w).__name__} in {type(w.parent()).__name__}"
        for kind in (QAbstractButton, QComboBox, QLineEdit)
        for w in studio.window.findChildren(kind)
        if not (w.accessibleName() or getattr(w, "text", str)() or w.toolTip())
        and w.isVisibleTo(studio.window)
        and not w.objectName().startswith("qt_")
        and not isinstance(w.parent(), QComboBox | QLineEdit)
    ]
    assert nameless == []


def test_labels_dropped_on_a_project_are_previewed(qtbot, studio, make_session, sample, tmp_path):
    studio.controller.set_session(make_session(annotated=False))
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(json.loads((sample / "cats" / "coco.json").read_text())))
    studio.window.dropped.emit([labels])
    (dialog,) = [d for d in studio.window.findChildren(QDialog) if d.isVisible()]
    assert "COCO" in dialog.windowTitle()
    assert not studio.controller.project.annotations


def test_what_points_are_coloured_by_is_remembered(make_studio):
    studio = make_studio()
    studio.controller.set_coloring(Reason.SPREAD)
    assert studio.preferences.point_colors == "spread"
    studio.window.close()
    assert make_studio().controller.coloring == Reason.SPREAD
