"""COCO files: keypoints and mask of an object in one annotation, read leniently, written strictly.

What is written is valid under every rule of `fmstudio.io.coco_validate`, loads with pycocotools,
and is the same, byte for byte, whenever the project is the same. Beyond COCO's own fields:

- ``categories[]``: ``flip_pairs`` (from 1, like ``skeleton``), ``sigmas`` (OKS falloff per
  keypoint, for ``COCOeval.params.kpt_oks_sigmas``; ``sigmas_are_default`` where the project knows
  none) and ``colors``;
- ``annotations[].attributes``: ``status``, ``score``, ``provenance``, ``keypoint_scores``, and what
  ``bbox`` and ``area`` were derived from;
- ``images[].exif_orientation``, where sizes and coordinates are of the turned picture;
- ``info.coordinates``, the pixel-centre rule, and ``info.image_root``, where file names start,
  seen from the file's own folder.
"""

import contextlib
import io
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fmstudio.errors import FormatError
from fmstudio.io.atomic import write_bytes
from fmstudio.io.coco_json import Fault
from fmstudio.io.coco_read import CocoData, Reader
from fmstudio.io.coco_validate import validate_coco
from fmstudio.io.coco_write import CocoOptions, encode, make_document, warnings_of
from fmstudio.io.json_lists import Entries, listed, parse
from fmstudio.io.regular import read_regular
from fmstudio.project.model import Project

__all__ = [
    "CocoData",
    "CocoOptions",
    "ExportReport",
    "Fault",
    "read_coco",
    "read_json",
    "to_coco",
    "validate_coco",
    "write_coco",
]

_SHOWN_FAULTS = 20
# Annotations that pycocotools is given at a time: it keeps them all.
_PART = 20_000


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export holds.

    Attributes
    ----------
    path : Path
    n_images, n_annotations : int
        Written.
    n_left_out : int
        Annotations of the project that were not asked for.
    warnings : tuple of str
        Sentences on what a reader of the file should know.
    """

    path: Path
    n_images: int
    n_annotations: int
    n_left_out: int
    warnings: tuple[str, ...] = ()


def read_coco(path: Path) -> CocoData:
    """Read a COCO data set: all of it, or nothing.

    Ids are kept where they are whole numbers from 1, and replaced otherwise. Taken as it stands
    or with a note: ``iscrowd`` missing or boolean, run lengths compressed or not, polygons with
    several rings (their union) or none, boxes that reach out of the image.

    Raises
    ------
    FormatError
        If the file is missing or not JSON, or with up to twenty faults, each with its place.
    """
    reader = Reader()
    data = reader.read(read_json(Path(path)))
    if reader.faults:
        raise FormatError(_faults_sentence(f"{path} cannot be imported", reader.faults))
    return data


def to_coco(project: Project, options: CocoOptions | None = None) -> dict[str, object]:
    """Return a project as a COCO document, ready for `json.dump`.

    Raises
    ------
    FormatError
        If an image's name cannot be made relative to a root.
    """
    document = make_document(project, options or CocoOptions())
    return {
        key: list(value) if isinstance(value, Entries) else value for key, value in document.items()
    }


def write_coco(path: Path, project: Project, options: CocoOptions | None = None) -> ExportReport:
    """Export a project, whole or not at all, once pycocotools has loaded the result.

    Parameters
    ----------
    path : Path
        An existing file is replaced.
    project : Project
    options : CocoOptions or None
        Without a ``project_root``, the project's relative paths start from the export's folder.

    Raises
    ------
    FormatError
        If the file cannot be written, or would break a rule; an existing file is as it was.
    """
    path, options = Path(path), options or CocoOptions()
    folder = path.absolute().parent
    if options.project_root is None:
        options = replace(options, project_root=folder)
    document = make_document(project, options)
    _state_image_root(document, options, folder)
    try:
        write_bytes(path, encode(document), check=lambda written: _check(path, written, document))
    except OSError as error:
        reason = error.strerror or str(error)
        raise FormatError(f"{path} cannot be written: {reason}.") from error
    n_images, n_annotations = _length(document, "images"), _length(document, "annotations")
    return ExportReport(
        path,
        n_images,
        n_annotations,
        len(project.annotations) - n_annotations,
        tuple(warnings_of(project, document, options)),
    )


def read_json(path: Path) -> object:
    """Return the JSON of a file.

    Raises
    ------
    FormatError
        If it is missing, no regular file, or not JSON; the sentence says where it is not.
    """
    try:
        return parse(read_regular(path).decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise FormatError(f"There is no file {path}.") from error
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FormatError(f"{path} is not JSON: {error.msg} at {place}.") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not JSON: byte {error.start} is not UTF-8.") from error
    except RecursionError as error:
        raise FormatError(f"{path} is not COCO: its JSON is nested too deeply.") from error
    except ValueError as error:
        # Python refuses numbers of more than some thousand digits, in words for programmers.
        raise FormatError(
            f"{path} is not JSON that can be read: a number in it has thousands of digits."
        ) from error


def _faults_sentence(start: str, faults: list[Fault]) -> str:
    """Return one sentence that names the first faults, and how many there are in all."""
    named = "; ".join(str(fault) for fault in faults[:_SHOWN_FAULTS])
    more = len(faults) - _SHOWN_FAULTS
    return f"{start}: {named}{f'; and {more} more faults' if more > 0 else ''}."


def _state_image_root(document: dict[str, object], options: CocoOptions, folder: Path) -> None:
    """Write where file names start from, seen from the export's folder, into the document."""
    root, info = options.image_root or options.project_root, document["info"]
    # On Windows another drive cannot be reached by a relative path: then nothing is stated.
    with contextlib.suppress(ValueError):
        if root is not None and isinstance(info, dict):
            info["image_root"] = Path(os.path.relpath(root, folder)).as_posix()


def _length(document: Mapping[str, object], name: str) -> int:
    """Return the length of one of a document's lists."""
    return len(listed(document, name) or ())


def _check(path: Path, written: Path, wanted: Mapping[str, object]) -> None:
    """Raise FormatError unless a file for ``path`` holds what was wanted, as pycocotools reads it.

    What is looked at are the bytes that were written, not what they were made from.
    """
    document = read_json(written)
    assert isinstance(document, dict)
    faults = validate_coco(document)
    if faults:
        raise FormatError(_faults_sentence(f"{path} is not written: it would be wrong", faults))
    for name in ("images", "annotations"):
        if _length(document, name) != _length(wanted, name):
            found = _length(document, name)
            raise FormatError(f"{path} is not written: it would hold {found} {name}; report this.")
    for part in _parts(document):
        _check_masks(path, part)


def _parts(document: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield a document as several, of not too many annotations each."""
    images, categories, annotations = (
        iter(listed(document, name) or ()) for name in ("images", "categories", "annotations")
    )
    head = {"images": list(images), "categories": list(categories)}
    while part := list(itertools.islice(annotations, _PART)):
        yield {**head, "annotations": part}


def _check_masks(path: Path, document: dict[str, object]) -> None:
    """Raise FormatError unless pycocotools finds every annotation and reads its mask alike."""
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO

    loaded = COCO()
    loaded.dataset = document
    # pycocotools reports its progress by printing.
    with contextlib.redirect_stdout(io.StringIO()):
        loaded.createIndex()
    if len(loaded.anns) != _length(document, "annotations"):
        raise FormatError(f"{path} is not written: pycocotools does not find all; report this.")
    for id_, annotation in loaded.anns.items():
        if "segmentation" not in annotation:
            continue
        code = loaded.annToRLE(annotation)
        box = coco_mask.toBbox(code).tolist()
        if int(coco_mask.area(code)) != annotation["area"] or box != annotation["bbox"]:
            raise FormatError(
                f"{path} is not written: pycocotools reads another mask of annotation {id_}; "
                "report this."
            )
