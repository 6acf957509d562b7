"""Correct one point, and others move along: by a drag in the whole window, with real networks."""

import json
import shutil

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from fmstudio.project.model import Corrected
from fmstudio.session import Session

REFERENCES, TARGET = ("Cars_000a.jpg", "Cars_003b.jpg"), "Cars_007b.jpg"


@pytest.fixture
def cars(dev_data, tmp_path, command):
    """Return a project of three cars, one of them proposed, where its points belong, its size."""
    document = json.loads((dev_data / "car" / "coco.json").read_text(encoding="utf-8"))
    photos, ids = tmp_path / "photos", {}
    photos.mkdir()
    for image in document["images"]:
        image["file_name"] = image["file_name"].split("/")[-1]
        ids[image["file_name"]] = image["id"]
    for name in (*REFERENCES, TARGET):
        shutil.copy(dev_data / "car" / "images" / name, photos)
    (truth,) = (a for a in document["annotations"] if a["image_id"] == ids[TARGET])
    known = {ids[name] for name in REFERENCES}
    document["images"] = [i for i in document["images"] if i["id"] in known]
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] in known]
    labels = tmp_path / "known.json"
    labels.write_text(json.dumps(document), encoding="utf-8")
    with Session.create(tmp_path / "cars") as session:
        session.add_images([photos])
        session.import_coco(labels, photos)
        path = session.path
    sources = [word for name in REFERENCES for word in ("--from", name)]
    assert command("propagate", path, *sources, "--to", "unlabelled").code == 0
    xy = np.reshape(truth["keypoints"], (-1, 3))[:, :2]
    return path, xy.astype(float), max(truth["bbox"][2:])


@pytest.mark.slow
def test_one_drag_puts_several_points_right(qtbot, studio, hands, cars):
    path, truth, extent = cars

    def wrong(annotation):
        error = np.linalg.norm(annotation.keypoints.xy - truth, axis=1)
        return int((error > 0.1 * extent).sum())

    studio.opening.open_paths([path])
    hands.wait_for_image(REFERENCES[1])
    controller = studio.controller
    hands.key(Qt.Key.Key_V)
    hands.key(Qt.Key.Key_Space)
    hands.wait_for_image(TARGET)
    proposed = controller.selected
    error = np.linalg.norm(proposed.keypoints.xy - truth, axis=1)
    # The least sure of the wrong points, as a person meets them.
    index = min(np.flatnonzero(error > 0.1 * extent), key=lambda i: proposed.keypoints.score[i])

    def on_screen(xy):
        return hands.canvas.map_from_image(*xy.tolist()).toPoint()

    start = on_screen(proposed.keypoints.xy[index])
    hands.drag(start, QPoint(on_screen(truth[index]) - start))
    corrected = controller.project.annotations[proposed.id]
    assert wrong(corrected) == wrong(proposed) - 1

    def settled():
        return controller.project.annotations[proposed.id] is not corrected

    qtbot.waitUntil(settled, timeout=120_000)
    after = controller.project.annotations[proposed.id]
    assert isinstance(after.provenance, Corrected)
    assert wrong(after) < wrong(corrected)
    assert after.keypoints.xy[index].tolist() == corrected.keypoints.xy[index].tolist()
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert controller.project.annotations[proposed.id] == corrected
