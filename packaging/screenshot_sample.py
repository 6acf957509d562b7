"""What the documentation's pictures are made of: projects of the sample's photos, and its truth."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from screenshot_hands import Hands

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.project.model import Annotation, Status
from fmstudio.resources import resource
from fmstudio.session import Session


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
