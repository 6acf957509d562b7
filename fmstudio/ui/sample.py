"""The sample as a project of the person's own: five cats, of which the first is annotated."""

import json
import shutil
import tempfile
from pathlib import Path

from fmstudio.errors import StoreError
from fmstudio.resources import resource
from fmstudio.session import Session

FOLDER, PROJECT = "five-cats", "five-cats.fmstudio"


def sample_project(folder: Path) -> Path:
    """Return the sample's project file below a folder, made there if it is not yet.

    It is made beside its place and then moved there, so it is whole or not there.

    Parameters
    ----------
    folder : Path
        Where the person's own data are.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    place = folder / FOLDER
    if (place / PROJECT).exists():
        return place / PROJECT
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if place.exists():
            raise StoreError(f"{place} is there and holds no {PROJECT}: move it away.")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".sample-") as beside:
            _make(Path(beside) / FOLDER)
            (Path(beside) / FOLDER).rename(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"The sample cannot be written to {folder}: {reason}.") from error
    return place / PROJECT


def _make(place: Path) -> None:
    """Make the project with its photos and the first annotation in a new folder."""
    source = resource("sample/cats")
    photos = place / "images"
    shutil.copytree(source / "images", photos)
    document = json.loads((source / "coco.json").read_text(encoding="utf-8"))
    wanted = document["info"]["reference"]
    document["images"] = [i for i in document["images"] if i["file_name"] == wanted]
    ids = {image["id"] for image in document["images"]}
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] in ids]
    labels = place / "reference.coco.json"
    labels.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    with Session.create(place / PROJECT, "Five cats") as session:
        session.add_images([photos])
        session.import_coco(labels, photos)
