"""What an import would bring and an export would hold, before either happens."""

from dataclasses import dataclass, replace
from pathlib import Path

from fmstudio.errors import FmstudioError
from fmstudio.io.coco import CocoOptions, read_coco, to_coco, validate_coco
from fmstudio.io.coco_write import warnings_of
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import apply
from fmstudio.session import Session
from fmstudio.session_coco import plan_import


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen.

    Attributes
    ----------
    n_images, n_categories, n_annotations : int
        That would be new in the project, or in the file.
    n_left_out : int
        Annotations of the project that an export would not write.
    notes : tuple of str
        Sentences on what a person should know.
    fault : str
        Why it cannot be done; empty if it can.
    """

    n_images: int = 0
    n_categories: int = 0
    n_annotations: int = 0
    n_left_out: int = 0
    notes: tuple[str, ...] = ()
    fault: str = ""


def preview_import(session: Session, path: Path, image_root: Path | None = None) -> Preview:
    """Return what importing a COCO file would bring; the project stays as it is."""
    project = session.project
    try:
        data = read_coco(path)
        base = session.path.parent
        edit, notes = plan_import(project, base, data, path, image_root, None)
        diff = ProjectDiff.between(project, apply(project, edit))
    except FmstudioError as error:
        return Preview(fault=str(error))
    return Preview(
        len(diff.images.added),
        len(diff.categories.added),
        len(diff.annotations.added),
        notes=notes,
    )


def preview_export(session: Session, options: CocoOptions) -> Preview:
    """Return what an export would hold, after the same checks as the export itself."""
    if options.project_root is None:
        options = replace(options, project_root=session.path.parent)
    try:
        document = to_coco(session.project, options)
    except FmstudioError as error:
        return Preview(fault=str(error))
    counts = {}
    for name in ("images", "categories", "annotations"):
        records = document[name]
        counts[name] = len(records) if isinstance(records, list) else 0
    faults = validate_coco(document)
    return Preview(
        counts["images"],
        counts["categories"],
        counts["annotations"],
        len(session.project.annotations) - counts["annotations"],
        tuple(warnings_of(session.project, document, options)),
        "; ".join(str(fault) for fault in faults[:20]),
    )
