"""The demo: propagate real keypoints and masks over the sample photos, and judge the result.

Everything it does goes through `Session`, as a person's commands would: one reference of each set
is imported from a COCO file, the other photos of the set are added, and the reference is carried
to them. The labels of the others serve as truth and as nothing else.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.cli_output import note, progress, say, say_table, stop_on_interrupt
from fmstudio.drawing.sheet import TileView, contact_sheet
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import Failure, Progress, Proposal
from fmstudio.errors import FmstudioError, ImageError, StoreError
from fmstudio.geometry.metrics import counted_points, epe, iou, pck
from fmstudio.io.atomic import write_text
from fmstudio.io.coco import CocoData, CocoOptions, read_coco
from fmstudio.io.images import read_rgb, write_png
from fmstudio.project.model import Annotation, ImageItem, Status
from fmstudio.resources import resource
from fmstudio.session import Session

SETS = ("cats", "views")
LABELS, SHEET, PROJECT = "labels.coco.json", "contact-sheet.png", "demo.fmstudio"
REFERENCE = "reference.coco.json"

_MARKER = ".fmstudio-demo"
_ALPHA = 0.1
_TITLES = {
    "cats": "Five cats: one annotated, four propagated",
    "views": "Views of one photo under known changes: one annotated, seven propagated",
}
# Columns, and a tile's width such that both parts of the sheet are equally wide.
_LAYOUTS = {"cats": (5, 304), "views": (4, 384)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """How near a proposal is to the truth.

    Attributes
    ----------
    set_name, image : str
    pck : float or None
        Share of keypoints within a tenth of the longest side of the true annotation's box.
    error : float or None
        Mean distance of the keypoints as a share of the image's width.
    iou : float or None
        Of the masks.
    confidence : float or None
        What the engine itself said.
    """

    set_name: str
    image: str
    pck: float | None
    error: float | None
    iou: float | None
    confidence: float | None


def run_demo(folder: Path, *, device: str = "auto") -> list[Judgement]:
    """Run the demo into a folder, print how good the result is, and return it.

    Parameters
    ----------
    folder : Path
        Must be new, empty, or of an earlier demo, whose files are replaced.
    device : str

    Raises
    ------
    Cancelled
        If the person stopped it.
    StoreError
        If the folder holds anything else, or cannot be written.
    """
    prepare(folder)
    token = CancelToken()
    with Session.create(folder / PROJECT, "fmstudio demo") as session:
        for name in SETS:
            _import_reference(session, folder / name)
            _propagate(session, name, token, device)
        export = CocoOptions(statuses=(Status.ACCEPTED, Status.PROPOSED))
        report = session.export_coco(folder / LABELS, export)
        truth = {name: read_coco(resource(f"sample/{name}") / "coco.json") for name in SETS}
        write_png(folder / SHEET, draw_sheet(session, truth))
        judged = [j for name in SETS for j in judge(session, name, truth[name])]
    _say_table(judged)
    say(f"{report.n_annotations} annotations of {report.n_images} images: {folder / LABELS}")
    say(f"keypoints, masks and confidences drawn:  {folder / SHEET}")
    say(f"the project, for the commands of 'fmstudio --help':  {folder / PROJECT}")
    return judged


def prepare(folder: Path) -> None:
    """Copy the sample photos into a folder, after clearing away what an earlier demo made.

    Raises
    ------
    StoreError
        If the folder holds anything but a demo, or cannot be written.
    """
    marker = folder / _MARKER
    try:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder} is a file: name another folder with --out.")
        if folder.is_dir() and any(folder.iterdir()) and not marker.exists():
            raise StoreError(
                f"{folder} is not empty and was not made by the demo: name another folder with "
                "--out."
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_text(marker, "This folder was made by 'fmstudio demo', which replaces its files.\n")
        _clear(folder)
        for name in SETS:
            source, target = resource(f"sample/{name}"), folder / name
            shutil.copytree(source / "images", target / "images")
            write_text(target / REFERENCE, json.dumps(_reference_only(source), indent=1) + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"The demo cannot be written to {folder}: {reason}.") from error


def judge(session: Session, name: str, truth: CocoData) -> list[Judgement]:
    """Return how near each proposal of a set is to its truth, by the images' order."""
    return [
        _judged(name, image, proposed, true)
        for image, proposed, true in _pairs(session, name, truth)
        if proposed.status is Status.PROPOSED
    ]


def draw_sheet(session: Session, truth: dict[str, CocoData]) -> NDArray[np.uint8]:
    """Return the contact sheet (H, W, 3): for each set its reference and what was proposed."""
    parts = []
    for name in SETS:
        tiles = [
            _tile(session, image, annotation, true)
            for image, annotation, true in _pairs(session, name, truth[name])
        ]
        columns, tile_width = _LAYOUTS[name]
        parts.append(
            contact_sheet(tiles, columns=columns, tile_width=tile_width, title=_TITLES[name])
        )
    width = max(part.shape[1] for part in parts)
    edges = [((0, 0), (0, width - part.shape[1]), (0, 0)) for part in parts]
    padded = [np.pad(p, edge, mode="edge") for p, edge in zip(parts, edges, strict=True)]
    return np.concatenate(padded)


def _clear(folder: Path) -> None:
    """Remove what the demo makes, and nothing else."""
    for name in (*SETS, Path(PROJECT).with_suffix(".cache").name):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
    for name in (PROJECT, f"{PROJECT}-wal", f"{PROJECT}-shm", LABELS, SHEET):
        (folder / name).unlink(missing_ok=True)


def _reference_only(source: Path) -> dict[str, object]:
    """Return a sample set's COCO document with its reference image alone."""
    document = json.loads((source / "coco.json").read_text(encoding="utf-8"))
    wanted = document["info"]["reference"]
    images = [image for image in document["images"] if image["file_name"] == wanted]
    ids = {image["id"] for image in images}
    annotations = [a for a in document["annotations"] if a["image_id"] in ids]
    return {**document, "images": images, "annotations": annotations}


def _import_reference(session: Session, folder: Path) -> None:
    """Import a set's one annotated image, and add its other photos."""
    session.import_coco(folder / REFERENCE)
    session.add_images([folder / "images"])


def _propagate(session: Session, name: str, token: CancelToken, device: str) -> None:
    """Carry a set's reference to its other photos, and land what comes."""
    project = session.project
    images = [i for i in project.sorted_images() if i.path.startswith(f"{name}/")]
    references = [i.id for i in images if project.annotations_of(i.id)]
    request = session.request(references, [i.id for i in images])
    title = f"Propagating {name} from 1 photo"
    with progress(title, "photos", len(request.targets)) as report:
        events = session.job(request, token, device)
        with stop_on_interrupt(token):
            for event in events:
                if isinstance(event, Progress):
                    report(event.done, event.total)
                elif isinstance(event, Proposal):
                    session.receive(event, request)
                elif isinstance(event, Failure):
                    raise ImageError(event.message)
    landed = session.land(f"Propagate {name}")
    for sentence in landed.left_out:
        note(sentence)


def _pairs(
    session: Session, name: str, truth: CocoData
) -> list[tuple[ImageItem, Annotation, Annotation]]:
    """Return a set's images with what the project has and with the truth, the reference first."""
    true = {
        image.file_name: annotation
        for image in truth.images
        for annotation in truth.annotations
        if annotation.image_id == image.id
    }
    project = session.project
    pairs = [
        (image, annotation, true[image.file_name])
        for image in project.sorted_images()
        if image.path.startswith(f"{name}/")
        for annotation in project.annotations_of(image.id)
    ]
    return sorted(pairs, key=lambda pair: pair[1].status is Status.PROPOSED)


def _judged(name: str, image: ImageItem, proposed: Annotation, true: Annotation) -> Judgement:
    """Return how near one proposal is to its truth."""
    share = error = overlap = None
    if proposed.keypoints is not None and true.keypoints is not None:
        xy, xy_true = proposed.keypoints.xy, true.keypoints.xy
        counted = counted_points(proposed.keypoints.visibility, true.keypoints.visibility)
        box = true.mask.bbox if true.mask is not None else true.keypoints.bbox()
        if box is not None:
            share = pck(xy, xy_true, counted, alpha=_ALPHA, length=max(box[2:]))
        distance = epe(xy, xy_true, counted)
        error = None if distance is None else distance / image.size.width
    if proposed.mask is not None and true.mask is not None:
        overlap = iou(proposed.mask.to_array(), true.mask.to_array())
    return Judgement(name, image.file_name, share, error, overlap, proposed.confidence)


def _tile(session: Session, image: ImageItem, annotation: Annotation, true: Annotation) -> TileView:
    """Return one photo of the contact sheet."""
    category = session.project.categories[annotation.category_id]
    is_proposed = annotation.status is Status.PROPOSED
    return TileView(
        read_rgb(session.path_of(image)),
        annotation.keypoints,
        annotation.mask,
        category.keypoints,
        category.skeleton,
        image.file_name,
        "proposed" if is_proposed else "reference",
        truth=true.keypoints if is_proposed else None,
        colors=category.colors,
    )


def _say_table(judged: Sequence[Judgement]) -> None:
    """Print the accuracy of every image, and the mean of every set."""
    rows: list[tuple[str, ...]] = []
    for name in SETS:
        own = [j for j in judged if j.set_name == name]
        if not own:
            raise FmstudioError(f"Nothing was propagated in the set '{name}'.")
        rows += [(name, j.image, *_cells([j])) for j in own]
        rows += [(name, "mean", *_cells(own)), ()]
    head = ("set", "image", "PCK@0.1", "mean error", "mask IoU", "confidence")
    say_table(
        "Against the truth (PCK@0.1 of the box; error in % of the width)",
        head,
        rows,
        text_columns=2,
    )


def _cells(judged: Sequence[Judgement]) -> tuple[str, ...]:
    """Return the means of judgements as a table shows them."""

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    share, error = mean([j.pck for j in judged]), mean([j.error for j in judged])
    overlap, sure = mean([j.iou for j in judged]), mean([j.confidence for j in judged])
    return (
        "-" if share is None else f"{100 * share:.0f} %",
        "-" if error is None else f"{100 * error:.1f} %",
        "-" if overlap is None else f"{overlap:.2f}",
        "-" if sure is None else f"{sure:.2f}",
    )
