"""The whole journey in the window, by clicks and keys, and the same steps without it: equal bytes.

What has a command is run as one; what only hands can do (drawing, correcting, accepting) is given
to `Session` as the same edits. The networks are the embedded ones, the photos real.
"""

import shutil

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractItemView, QLineEdit

from fmstudio.project.edits import AddAnnotation, AddCategory, ChangeAnnotation, SetStatus
from fmstudio.project.model import Corrected, Drawn, Status
from fmstudio.session import Session
from fmstudio.ui.dialogs.category_editor import CategoryEditor
from tests.e2e.conftest import LEFT

NAMES = ("left eye", "right eye", "nose")
# Shares of siamese.jpg's width and height.
POINTS = ((0.737, 0.435), (0.570, 0.415), (0.631, 0.541))
FACE = ((0.53, 0.10), (0.66, 0.20), (0.88, 0.10), (0.90, 0.50), (0.66, 0.66), (0.47, 0.45))
PHOTOS = ("chelsea.jpg", "siamese.jpg", "tabby.jpg")


@pytest.fixture
def make_photos(tmp_path, sample):
    def make(where):
        folder = tmp_path / where / "photos"
        folder.mkdir(parents=True)
        for name in PHOTOS:
            shutil.copy(sample / "cats" / "images" / name, folder)
        return folder

    return make


@pytest.mark.slow
def test_the_window_and_the_command_line_write_the_same_bytes(
    qtbot, studio, hands, make_photos, command
):
    folder = make_photos("window")
    _open(qtbot, studio, folder)
    _define_schema(qtbot, studio, hands)
    _annotate(qtbot, studio, hands)
    _propagate(qtbot, studio, hands)
    _review(qtbot, studio, hands)
    exported = folder / "labels.coco.json"
    _export(qtbot, studio, hands, exported)
    replayed = _replay(command, studio.controller.project, make_photos("commands"))
    assert exported.read_bytes() == replayed.read_bytes()


def _open(qtbot, studio, folder):
    """Open a folder from the welcome page."""

    class Answers:
        def folder(self, _start):
            return folder

    studio.questions = Answers()
    card = next(c for c in studio.welcome.beginnings if "folder" in c.text())
    qtbot.mouseClick(card, LEFT)
    qtbot.waitUntil(lambda: len(studio.controller.project.images) == len(PHOTOS))
    assert studio.controller.session.path.parent == folder.resolve()


def _define_schema(qtbot, studio, hands):
    """Make a category with three keypoints and one limb, by typing and clicking."""
    qtbot.keyClick(studio.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    editor = hands.dialog(CategoryEditor)
    qtbot.keyClicks(editor.head.name_field, "cat face")
    table = editor.keypoints.table
    for name in NAMES:
        qtbot.mouseClick(editor.keypoints.add_button, LEFT)
        field = next(f for f in table.findChildren(QLineEdit) if f.isVisible())
        qtbot.keyClicks(field, name)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: table.state() == QAbstractItemView.State.NoState)
    picture = editor.skeleton.canvas
    for row in (0, 1):
        dot = picture.position_of(editor.draft.rows[row].key).toPoint()
        qtbot.mouseClick(picture, LEFT, pos=dot)
    qtbot.mouseClick(editor.ok_button, LEFT)
    (category,) = studio.controller.project.sorted_categories()
    assert (category.name, category.keypoints) == ("cat face", NAMES)
    assert category.skeleton == ((0, 1),)
    assert studio.controller.category_id == category.id


def _annotate(qtbot, studio, hands):
    """Place three keypoints and draw a mask on the Siamese, and make it the reference."""
    model, view = studio.images.model, studio.images.view
    project = studio.controller.project
    siamese = next(i for i in project.sorted_images() if i.file_name == "siamese.jpg")
    row = view.visualRect(model.index(model.row_of(siamese.id)))
    qtbot.mouseClick(view.viewport(), LEFT, pos=row.center())
    hands.wait_for_image("siamese.jpg")
    hands.key(Qt.Key.Key_K)
    for share in POINTS:
        hands.click(share)
    hands.key(Qt.Key.Key_P)
    for share in FACE:
        hands.click(share)
    hands.key(Qt.Key.Key_Return)
    (drawn,) = studio.controller.project.annotations_of(siamese.id)
    assert drawn.status is Status.ACCEPTED
    assert drawn.provenance == Drawn()
    assert drawn.keypoints.labelled.all()
    size = np.array([siamese.size.width, siamese.size.height])
    assert np.abs(drawn.keypoints.xy / size - POINTS).max() < 0.01
    assert 0.1 < drawn.mask.area / (siamese.size.width * siamese.size.height) < 0.3
    hands.key(Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert studio.controller.reference_id == siamese.id


def _propagate(qtbot, studio, hands):
    """Carry the Siamese to the others, while going on to look at them."""
    hands.key(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    dialog = hands.dialog()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert studio.propagation.is_running
    hands.key(Qt.Key.Key_A)
    hands.wait_for_image("chelsea.jpg")
    qtbot.waitUntil(lambda: not studio.propagation.is_running, timeout=240_000)
    project = studio.controller.project
    proposed = [a for a in project.annotations.values() if a.status is Status.PROPOSED]
    assert len(proposed) == len(PHOTOS) - 1
    assert all(a.mask is not None and a.keypoints is not None for a in proposed)
    # A run is one step to take back, and to make again.
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(studio.controller.project.annotations) == 1
    hands.key(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert studio.controller.project == project


def _review(qtbot, studio, hands):
    """Correct a point of the most doubtful, accept the other."""
    hands.key(Qt.Key.Key_V)
    hands.key(Qt.Key.Key_Space)
    controller = studio.controller
    first = controller.selected
    assert first.status is Status.PROPOSED
    hands.wait_for_image(controller.project.images[first.image_id].file_name)
    x, y = first.keypoints.xy[2].tolist()
    start = hands.canvas.map_from_image(x, y).toPoint()
    hands.drag(start, QPoint(18, -12))
    corrected = controller.project.annotations[first.id]
    assert isinstance(corrected.provenance, Corrected)
    assert corrected.status is Status.ACCEPTED
    moved = np.linalg.norm(corrected.keypoints.xy - first.keypoints.xy, axis=1)
    assert moved[2] > 1
    assert (moved[:2] == 0).all()
    hands.key(Qt.Key.Key_Space)
    assert controller.selection.annotation_id not in (None, first.id)
    hands.key(Qt.Key.Key_Y)
    statuses = {a.status for a in controller.project.annotations.values()}
    assert statuses == {Status.ACCEPTED}


def _export(qtbot, studio, hands, path):
    """Write COCO through the dialog."""
    hands.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = hands.dialog()
    dialog.set_path(path)
    qtbot.mouseClick(dialog.write, LEFT)
    qtbot.waitUntil(path.exists)


def _replay(command, done, folder):
    """Do without the window what led to a project, write COCO, and return the file."""
    project = folder / "photos.fmstudio"
    assert command("new", project, folder).code == 0
    by_hand = [a for a in done.annotations.values() if isinstance(a.provenance, Drawn)]
    with Session.open(project) as session:
        session.perform(AddCategory(done.sorted_categories()[0]))
        for drawn in by_hand:
            session.perform(AddAnnotation(drawn))
    assert command("propagate", project, "--from", "siamese.jpg", "--to", "unlabelled").code == 0
    with Session.open(project) as session:
        for id_, annotation in done.annotations.items():
            if isinstance(annotation.provenance, Corrected):
                session.perform(ChangeAnnotation(id_, annotation.keypoints, annotation.mask))
        session.perform(SetStatus(tuple(done.annotations), Status.ACCEPTED))
    path = folder / "labels.coco.json"
    assert command("export", project, path).code == 0
    return path
