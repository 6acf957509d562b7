"""Stories of the documentation's pictures: where anything goes and why, and the whole set."""

import json
import shutil
from typing import Any

from PIL import Image, ImageOps
from screenshot_hands import Hands
from screenshot_sample import (
    annotated_project,
    truth_of,
    waiting,
)
from screenshot_steps import correct

from fmstudio.resources import resource
from fmstudio.session import Session
from fmstudio.ui.workspaces import DockName


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
