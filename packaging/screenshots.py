"""Make every picture of the documentation from the sample photos: the real window, drawn unseen.

``python packaging/screenshots.py [--only NAME...] [--out docs/images]`` opens the window without a
screen, does what a person would, with the default networks, and saves what is drawn as JPEG. Names
are those of the stories below; a story makes several pictures, since each needs what came before.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from screenshot_hands import LEFT, Hands, save

from fmstudio.app import make_application
from fmstudio.demo import SHEET, run_demo
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.project.edits import RenameProject, SetStatus
from fmstudio.project.model import Annotation, Status
from fmstudio.resources import resource
from fmstudio.session import Session
from fmstudio.ui.workspaces import DockName

ROOT = Path(__file__).resolve().parents[1]
# Where its keypoints are in the category editor, as shares of the drawing.
FACE = ((0.66, 0.45), (0.34, 0.45), (0.5, 0.62), (0.5, 0.8), (0.8, 0.15), (0.2, 0.15))


def truth_of(collection: str, number: int = 0) -> dict[str, Any]:
    """Return an annotation of the sample."""
    document = json.loads((resource(f"sample/{collection}") / "coco.json").read_text("utf-8"))
    annotation: dict[str, Any] = document["annotations"][number]
    return annotation


def truth_on(collection: str, name: str) -> NDArray[np.float64]:
    """Return the keypoints of the sample on an image, (m, 3): x, y, visibility."""
    document = json.loads((resource(f"sample/{collection}") / "coco.json").read_text("utf-8"))
    (number,) = [image["id"] for image in document["images"] if image["file_name"] == name]
    (found,) = [a for a in document["annotations"] if a["image_id"] == number]
    return np.array(found["keypoints"], dtype=np.float64).reshape(-1, 3)


def outline_of(annotation: dict[str, Any]) -> list[tuple[float, float]]:
    """Return the corners of an annotation's mask, as few as a person would set."""
    code = annotation["segmentation"]
    size = ImageSize(code["size"][1], code["size"][0])
    mask = Mask.from_rle_bytes(size, code["counts"].encode("ascii"))
    ring = max((part.outer for part in mask.polygons()), key=len)
    corners = cv2.approxPolyDP(ring.astype(np.float32)[:, None], 2.5, closed=True)[:, 0]
    return [(float(x), float(y)) for x, y in corners]


def annotated_project(folder: Path, name: str, collections: Sequence[str]) -> Session:
    """Return a project of some sample photos; the first of each collection is annotated."""
    session = Session.create(folder / name)
    for collection in collections:
        source = resource(f"sample/{collection}")
        photos = folder / f"{name}-photos" / collection
        shutil.copytree(source / "images", photos)
        session.add_images([photos])
        document = json.loads((source / "coco.json").read_text("utf-8"))
        first = document["info"]["reference"]
        document["images"] = [i for i in document["images"] if i["file_name"] == first]
        ids = {image["id"] for image in document["images"]}
        document["annotations"] = [a for a in document["annotations"] if a["image_id"] in ids]
        labels = folder / f"{name}-{collection}.json"
        labels.write_text(json.dumps(document), encoding="utf-8")
        session.import_coco(labels, photos)
    return session


def waiting(hands: Hands) -> list[Annotation]:
    """Return the proposals of the open project."""
    project = hands.studio.controller.project
    assert project is not None
    return [a for a in project.annotations.values() if a.status is Status.PROPOSED]


def run_propagation(hands: Hands) -> None:
    """Press the dialog's button and wait for the end of the run."""
    hands.press_default(hands.dialog())
    hands.until(lambda: hands.studio.propagation.is_running, "the run")
    hands.until(lambda: not hands.studio.propagation.is_running, "the end of the run")
    hands.wait(0.5)


# The stories


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


def looking(hands: Hands) -> None:
    """Show the inspector's layers, the spectrum, and what to annotate next."""
    studio, controller = hands.studio, hands.studio.controller
    controller.set_session(annotated_project(hands.folder, "cats", ["cats"]))
    hands.ready()
    hands.show("tabby.jpg")
    studio.window.use_workspace("inspect")
    hands.act("inspect")
    inspector = studio.inspector
    hands.until(lambda: bool(inspector.layers or inspector.error), "the match")
    truth = truth_of("cats")["keypoints"]
    hands.point(hands.reference, truth[6], truth[7])
    hands.until(lambda: inspector.answer is not None, "an answer")
    hands.wait(1)
    hands.shoot("inspector-hover-dark")
    hands.act("inspect-colour")
    hands.wait(1)
    hands.shoot("inspector-colour-dark")
    hands.act("inspect-checker")
    studio.preferences.theme = "light"
    hands.wait(1)
    hands.shoot("inspector-checker-light")
    hands.act("inspect-checker")
    hands.act("inspect-grid")
    hands.wait(1)
    hands.shoot("inspector-grid-light")
    studio.preferences.theme = "dark"
    hands.act("inspect-grid")
    hands.act("inspect-lines")
    hands.wait(1)
    hands.shoot("inspector-lines-dark")
    hands.act("inspect-lines")
    spectrum(hands)
    hands.act("inspect")
    studio.window.use_workspace("review")
    hands.act("annotate-next")
    hands.until(lambda: not studio.service.is_busy(), "the image to annotate next")
    hands.ready()
    hands.shoot("annotate-next")


def spectrum(hands: Hands) -> None:
    """Show the bases and the map of the pair."""
    studio = hands.studio
    hands.act("spectrum")
    viewer = studio.spectrum
    hands.until(lambda: bool(viewer.spectrum or viewer.error), "the spectrum")
    panel: Any = studio.window.dock(DockName.SPECTRUM).widget()
    panel.slider.setValue(5)
    hands.until(lambda: viewer.band is not None and viewer.k == 5, "five functions")
    hands.wait(1.5)
    hands.shoot("spectrum-dark")
    studio.preferences.theme = "light"
    hands.wait(0.6)
    hands.shoot("spectrum-light")
    studio.preferences.theme = "dark"


def votes(hands: Hands) -> None:
    """Let three references vote on one image."""
    controller = hands.studio.controller
    folder = hands.folder / "votes"
    folder.mkdir()
    photos = folder / "photos"
    source = resource("sample/cats")
    shutil.copytree(source / "images", photos)
    document = json.loads((source / "coco.json").read_text("utf-8"))
    names = ("siamese.jpg", "chelsea.jpg", "persian.jpg")
    document["images"] = [i for i in document["images"] if i["file_name"] in names]
    ids = {image["id"] for image in document["images"]}
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] in ids]
    (folder / "labels.json").write_text(json.dumps(document), encoding="utf-8")
    session = Session.create(folder / "cats")
    session.add_images([photos])
    session.import_coco(folder / "labels.json", photos)
    controller.set_session(session)
    hands.ready()
    hands.studio.propagation.start(session.targets(names), session.targets("unlabelled"))
    hands.until(lambda: not hands.studio.propagation.is_running, "the end of the run")
    hands.rest()
    hands.show("tabby.jpg")
    (proposal,) = [a for a in waiting(hands) if a.image_id == controller.target_id]
    controller.select(proposal.id, 4)
    hands.act("show-votes")
    hands.wait(0.5)
    hands.shoot("votes")
    hands.act("show-votes")
    hands.window.dock(DockName.HISTORY).hide()
    hands.window.dock(DockName.CATEGORIES).hide()
    hands.shoot_docks("annotation", DockName.ANNOTATION)
    hands.window.use_workspace("review")
    correct(hands)


def competing(hands: Hands) -> None:
    """Show two maps that compete: the mirrored Persian fits turned as well as it stands."""
    controller, name = hands.studio.controller, "persian-mirrored.jpg"
    session = annotated_project(hands.folder, "cats", ["cats"])
    photo = session.path_of(session.project.find_images(["persian.jpg"])[0])
    with Image.open(photo) as image:
        ImageOps.mirror(image).save(photo.with_name(name), quality=95)
    session.add_images([photo.with_name(name)])
    controller.set_session(session)
    hands.ready()
    hands.studio.propagation.start(session.targets(["siamese.jpg"]), session.targets([name]))
    hands.until(lambda: not hands.studio.propagation.is_running, "the end of the run")
    hands.rest()
    (proposal,) = waiting(hands)
    if proposal.alternative is None:
        raise SystemExit(f"no two maps compete on {name} any more: choose another photo")
    hands.show(name)
    controller.select(proposal.id)
    hands.act("show-other-map")
    hands.wait(0.5)
    hands.shoot("competing")
    hands.act("show-other-map")


def whole_set(hands: Hands) -> None:
    """Show the map of all sample photos."""
    studio, controller = hands.studio, hands.studio.controller
    controller.set_session(annotated_project(hands.folder, "all", ["cats", "views"]))
    hands.ready()
    studio.window.use_workspace("review")
    hands.act("collection")
    hands.act("map-collection")
    hands.until(lambda: studio.collection.overview is not None, "the map of the collection")
    hands.wait(2)
    hands.shoot("collection-dark")
    studio.preferences.theme = "light"
    panel: Any = studio.window.dock(DockName.COLLECTION).widget()
    panel.coloring.setCurrentIndex(1)
    panel.coloring.activated.emit(1)
    hands.wait(1)
    hands.shoot("collection-light")
    studio.preferences.theme = "dark"


def program(hands: Hands) -> None:
    """Show networks, settings, backups, the import and the palette."""
    opening = hands.studio.opening
    session = annotated_project(hands.folder, "cats", ["cats"])
    path = session.path
    session.close()
    # Backups are made of what has changed when a project is opened.
    for name in ("Cats", "Cats of the garden"):
        with Session.open(path) as session:
            session.perform(RenameProject(name))
    opening.open_project(path)
    hands.ready()
    for id_ in ("models", "settings", "restore-backup"):
        hands.act(id_)
        dialog: Any = hands.dialog()
        hands.rest()
        if id_ == "models":
            # One that is not on the disk: of others the folder is shown.
            dialog.table.selectRow(2)
        hands.shoot("backups" if id_ == "restore-backup" else id_, dialog)
        dialog.close()
        hands.wait(0.3)
    hands.act("palette")
    hands.shoot_with_popup("palette", "map")
    labelled = hands.folder / "labelled"
    shutil.copytree(resource("sample/cats"), labelled)
    opening.new_project(hands.folder / "all-cats.fmstudio")
    hands.act("import-coco")
    dialog = hands.dialog()
    dialog.set_path(labelled / "coco.json")
    hands.rest()
    hands.shoot("import", dialog)
    dialog.close()


def demo(hands: Hands) -> None:
    """Draw the contact sheet of `fmstudio demo`, smaller."""
    run_demo(hands.folder / "demo", device="cpu")
    with Image.open(hands.folder / "demo" / SHEET) as sheet:
        save(sheet.convert("RGB").resize((1160, round(1160 * sheet.height / sheet.width))),
             hands.out / "demo.jpg")  # fmt: skip


STORIES = {
    "demo": demo,
    "first-steps": first_steps,
    "by-hand": by_hand,
    "looking": looking,
    "votes": votes,
    "competing": competing,
    "whole-set": whole_set,
    "program": program,
}


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=tuple(STORIES), default=tuple(STORIES))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    make_application()
    # Some pictures show a path: always the same one, and not a person's.
    place = Path(tempfile.gettempdir()) / "fmstudio-pictures"
    place.mkdir()
    try:
        for name in given.only:
            (place / name).mkdir()
            hands = Hands(place / name, given.out)
            STORIES[name](hands)
            hands.end()
    finally:
        shutil.rmtree(place)
    sys.stdout.flush()
    # Taking torch down as Python does it takes seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
