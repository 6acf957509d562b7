"""Stories of the documentation's pictures: from a bare folder to an export, step by step."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from screenshot_hands import LEFT, Hands
from screenshot_sample import (
    outline_of,
    truth_of,
    truth_on,
    waiting,
)

from fmstudio.project.edits import SetStatus
from fmstudio.project.model import Annotation, Status
from fmstudio.resources import resource
from fmstudio.ui.workspaces import DockName

# Where its keypoints are in the category editor, as shares of the drawing.
FACE = ((0.66, 0.45), (0.34, 0.45), (0.5, 0.62), (0.5, 0.8), (0.8, 0.15), (0.2, 0.15))


def first_steps(hands: Hands) -> None:
    """Go from the welcome page over the sample to a reviewed set."""
    studio, controller = hands.studio, hands.studio.controller
    hands.shoot("welcome")
    studio.preferences.is_hint_dismissed = False
    studio.hints.set_dismissed(False)
    studio.opening.try_sample()
    hands.ready()
    hands.shoot("sample")
    studio.preferences.is_hint_dismissed = True
    studio.hints.set_dismissed(True)
    hands.act("propagate")
    dialog = hands.dialog()
    hands.shoot("propagate", dialog)
    studio.window.dock(DockName.TASKS).reveal()
    hands.press_default(dialog)
    hands.until(lambda: len(controller.session.inbox) >= 2, "two ghosts")
    hands.shoot("running")
    hands.until(lambda: not studio.propagation.is_running, "the end of the run")
    hands.rest()
    studio.window.use_workspace("review")
    hands.act("next-review")
    hands.ready()
    hands.rest()
    first = controller.selected
    doubtful = min(
        (i for i in range(len(first.keypoints.score)) if first.keypoints.visibility[i] > 0),
        key=lambda i: first.keypoints.score[i],
    )
    controller.select(first.id, doubtful)
    studio.window.dock(DockName.HISTORY).reveal()
    hands.shoot("window-dark")
    hands.shoot_docks("queue", DockName.QUEUE)
    studio.preferences.theme = "light"
    hands.shoot("window-light")
    studio.preferences.theme = "dark"
    drag_right(hands, first, doubtful)
    hands.rest()
    hands.act("next-review")
    hands.ready()
    hands.act("accept")
    hands.ready()
    hands.rest()
    hands.act("review-summary")
    hands.shoot("review-summary", hands.dialog())
    hands.dialog().close()
    improve(hands)
    hands.shoot_docks("images", DockName.IMAGES)
    hands.shoot_docks("history", DockName.HISTORY)
    accept_rest(hands)
    export(hands)


def wrong_points(hands: Hands, proposal: Annotation) -> tuple[NDArray[np.float64], list[int]]:
    """Return where a proposal's points belong (m, 2), and which do not lie there, worst first."""
    project, points = hands.studio.controller.project, proposal.keypoints
    assert project is not None
    assert points is not None
    truth = truth_on("cats", project.images[proposal.image_id].file_name)
    gaps = np.where(truth[:, 2] > 0, np.linalg.norm(points.xy - truth[:, :2], axis=1), 0)
    return truth[:, :2], [int(i) for i in np.argsort(-gaps) if gaps[i] > 0]


def drag_right(hands: Hands, proposal: Annotation, keypoint: int) -> float:
    """Drag a point to where it belongs; return how far another one moved along, in pixels."""
    controller = hands.studio.controller
    assert controller.project is not None
    assert proposal.keypoints is not None
    truth, _ = wrong_points(hands, proposal)
    hands.act("select-tool")
    hands.show(controller.project.images[proposal.image_id].file_name)
    controller.focusRequested.emit(proposal.id)
    hands.wait(0.5)
    controller.select(proposal.id, keypoint)
    here, there = proposal.keypoints.xy[keypoint], truth[keypoint]
    hands.drag(hands.target, [tuple(here), tuple((here + there) / 2), tuple(there)])
    hands.until(lambda: not hands.studio.service.is_busy(), "the other points")
    hands.wait(0.5)
    after = controller.project.annotations[proposal.id].keypoints
    assert after is not None
    moved = np.linalg.norm(after.xy - proposal.keypoints.xy, axis=1)
    return float(np.delete(moved, keypoint).max())


def correct(hands: Hands) -> None:
    """Correct one point, the first by which others move along."""
    for proposal in waiting(hands):
        for keypoint in wrong_points(hands, proposal)[1][:3]:
            if drag_right(hands, proposal, keypoint) > 1:
                hands.shoot("correction")
                hands.rest()
                return
            hands.act("undo")
    raise SystemExit("no correction moves other points any more: choose other photos")


def improve(hands: Hands) -> None:
    """Look at what the accepted images would change of the rest."""
    hands.act("improve")
    dialog = hands.dialog()
    hands.press_default(dialog)
    hands.until(lambda: not hands.studio.service.is_busy(), "the preview")
    hands.wait(0.5)
    hands.shoot("improve", dialog)
    dialog.close()
    hands.wait(0.5)


def accept_rest(hands: Hands) -> None:
    """Accept what still waits."""
    ids = tuple(a.id for a in waiting(hands))
    if ids:
        hands.studio.controller.perform(SetStatus(ids, Status.ACCEPTED))
    hands.wait()


def export(hands: Hands) -> None:
    """Open the dialog of the export."""
    hands.act("export")
    dialog = hands.dialog()
    dialog.set_path(Path("labels.coco.json"))  # type: ignore[attr-defined]
    hands.wait(0.8)
    hands.shoot("export", dialog)
    dialog.close()


def by_hand(hands: Hands) -> None:
    """Show a schema, guided points, an outline, a brush and the assistant, on bare photos."""
    studio, controller = hands.studio, hands.studio.controller
    photos = hands.folder / "my-cats"
    shutil.copytree(resource("sample/cats") / "images", photos)
    studio.opening.open_paths([photos])
    hands.until(lambda: len(controller.project.images) == 5, "five photos")
    hands.ready()
    hands.shoot("empty")
    define_schema(hands)
    studio.window.use_workspace("annotate")
    hands.show("siamese.jpg")
    truth = truth_of("cats")
    points = [tuple(truth["keypoints"][i : i + 2]) for i in range(0, 18, 3)]
    hands.act("keypoint-tool")
    for x, y in points[:3]:
        hands.click(hands.target, x, y)
    hands.point(hands.target, *points[3])
    hands.shoot("keypoints")
    for x, y in points[3:]:
        hands.click(hands.target, x, y)
    outline, most = outline_of(truth), 3 * len(outline_of(truth)) // 4
    hands.act("polygon-tool")
    for corner in outline[:most]:
        hands.click(hands.target, *corner)
    hands.point(hands.target, *outline[most])
    hands.shoot("polygon")
    for corner in outline[most:]:
        hands.click(hands.target, *corner)
    QTest.keyClick(hands.target, Qt.Key.Key_Return)
    hands.wait()
    hands.act("brush-tool")
    x, y, width, height = truth["bbox"]
    stroke = [
        (x + fx * width, y + fy * height) for fx, fy in ((0.4, 0.28), (0.5, 0.24), (0.6, 0.27))
    ]
    hands.drag(hands.target, stroke, lets_go=False)
    hands.shoot("brush")
    at = hands.place(hands.target, *stroke[-1])
    QTest.mouseRelease(hands.target.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, at)
    hands.shoot_docks("categories", DockName.CATEGORIES)
    hands.show("egyptian.jpg")
    assist(hands)


def assist(hands: Hands) -> None:
    """Find a mask from a box around a face."""
    whole = hands.target.image_rect()
    box = [(0.53, 0.06), (0.7, 0.2), (0.84, 0.36)]
    way = [(fx * whole.width(), fy * whole.height()) for fx, fy in box]
    hands.act("assist-tool")
    hands.drag(hands.target, way, Qt.KeyboardModifier.ShiftModifier)
    hands.until(lambda: not hands.studio.service.is_busy(), "the mask")
    hands.wait(0.4)
    hands.shoot("assistant")
    QTest.keyClick(hands.target, Qt.Key.Key_Escape)
    hands.wait()


def define_schema(hands: Hands) -> None:
    """Add a category with six keypoints in the editor."""
    category = json.loads((resource("sample/cats") / "coco.json").read_text("utf-8"))
    names = category["categories"][0]["keypoints"]
    hands.act("categories")
    editor: Any = hands.dialog()
    QTest.keyClicks(editor.head.name_field, "cat face")
    QApplication.clipboard().setText("\n".join(names))
    editor.keypoints.paste_button.click()
    hands.wait(0.4)
    picture = editor.skeleton.canvas
    arrange(hands, picture, [row.key for row in editor.draft.rows])
    for pair in category["categories"][0]["skeleton"]:
        for number in pair:
            at = picture.position_of(editor.draft.rows[number - 1].key).toPoint()
            QTest.mouseClick(picture, LEFT, Qt.KeyboardModifier.NoModifier, at)
    hands.shoot("category-editor", editor)
    editor.ok_button.click()
    hands.until(lambda: hands.studio.controller.project.categories, "the category")
    hands.wait(0.3)


def arrange(hands: Hands, picture: Any, keys: Sequence[Any]) -> None:
    """Drag the dots of a schema to where they are in a face."""
    for key, (fx, fy) in zip(keys, FACE, strict=True):
        start = picture.position_of(key).toPoint()
        end = QPoint(round(fx * picture.width()), round(fy * picture.height()))
        QTest.mousePress(picture, LEFT, Qt.KeyboardModifier.NoModifier, start)
        for share in (0.3, 0.7, 1.0):
            QTest.mouseMove(picture, start + (end - start) * share)
            hands.wait(0.03)
        QTest.mouseRelease(picture, LEFT, Qt.KeyboardModifier.NoModifier, end)
        hands.wait(0.05)
