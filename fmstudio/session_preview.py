"""What an import would bring and an export would hold, before either happens.

Each comes in two forms: at once, and as a stream for the compute thread.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import FmstudioError, FormatError
from fmstudio.io.coco import CocoData, CocoOptions, read_coco, read_json, validate_coco
from fmstudio.io.coco_read import Reader
from fmstudio.io.coco_write import make_document, warnings_of
from fmstudio.io.json_lists import listed
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import ImportAnnotations, apply
from fmstudio.project.model import Project, Status
from fmstudio.session import Session
from fmstudio.session_coco import ImportPlan, Step, plan_steps

# A person sees a bar move, and other work gets its turn; more often would only cost time.
_STEP = 16


@dataclass(frozen=True, slots=True, eq=False)
class ImportPreview:
    """What importing a COCO file would do.

    Attributes
    ----------
    project : Project
        That it was looked at for; of another one it says nothing.
    edit : ImportAnnotations or None
        The import; None if there are faults.
    n_images, n_categories, n_annotations : int
        That would be new.
    n_known : int
        Annotations that are in the project already.
    n_missing : int
        Images whose files were not found.
    notes : tuple of str
        Sentences on what a person should know.
    faults : tuple of str
        Every reason why it cannot be done, each with its place in the file.
    """

    project: Project
    edit: ImportAnnotations | None = None
    n_images: int = 0
    n_categories: int = 0
    n_annotations: int = 0
    n_known: int = 0
    n_missing: int = 0
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportPreview:
    """What an export would hold.

    Attributes
    ----------
    n_images, n_categories, n_annotations : int
        That would be written.
    n_negatives : int
        Images among them without an annotation.
    n_proposals : int
        Annotations among them that nobody has reviewed.
    n_keypoints, n_masks : int
        Labelled points, and masks.
    n_run_lengths : int
        Masks that stay run lengths although polygons were asked for.
    n_turned : int
        Images among them whose files carry an orientation.
    n_left_out : int
        Annotations of the project that would not be written.
    warnings : tuple of str
        Sentences on what a reader of the file should know.
    faults : tuple of str
        Every rule that it would break, each with its place.
    """

    n_images: int = 0
    n_categories: int = 0
    n_annotations: int = 0
    n_negatives: int = 0
    n_proposals: int = 0
    n_keypoints: int = 0
    n_masks: int = 0
    n_run_lengths: int = 0
    n_turned: int = 0
    n_left_out: int = 0
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def preview_import(session: Session, path: Path, image_root: Path | None = None) -> ImportPreview:
    """Return what importing a COCO file would bring; the project stays as it is."""
    steps = import_steps(session.project, session.path.parent, path, image_root, CancelToken())
    *_, preview = steps
    assert isinstance(preview, ImportPreview)
    return preview


def import_steps(
    project: Project, base: Path, path: Path, image_root: Path | None, token: CancelToken
) -> Iterator[Step | ImportPreview]:
    """Yield how far the look has come, and at last an `ImportPreview`; may run on any thread.

    Parameters
    ----------
    project : Project
    base : Path
        The project's folder.
    path : Path
        The COCO file.
    image_root : Path or None
        As for `Session.import_coco`.
    token : CancelToken

    Raises
    ------
    Cancelled
        Between two images.
    """
    yield Step("reading", 0, 0)
    if image_root is not None and not image_root.is_dir():
        yield ImportPreview(project, faults=(f"There is no folder {image_root}.",))
        return
    try:
        data = read_coco(path)
    except FmstudioError as error:
        yield ImportPreview(project, faults=_faults_in(path) or (str(error),))
        return
    token.check()
    total = len(data.images)
    try:
        for item in plan_steps(project, base, data, path, image_root):
            if isinstance(item, ImportPlan):
                yield _preview_of(project, data, item)
            elif item % _STEP == 0:
                token.check()
                yield Step("images", item, total)
    except FmstudioError as error:
        token.check()
        yield ImportPreview(project, faults=(str(error),))


def preview_export(session: Session, options: CocoOptions) -> ExportPreview:
    """Return what an export would hold, after the same checks as the export itself."""
    return export_preview(session.project, session.path.parent, options)


def export_preview(project: Project, base: Path, options: CocoOptions) -> ExportPreview:
    """Return what an export of a project in a folder would hold; may run on any thread."""
    if options.project_root is None:
        options = replace(options, project_root=base)
    try:
        return _counted(project, make_document(project, options), options)
    except FmstudioError as error:
        return ExportPreview(faults=(str(error),))


def _counted(
    project: Project, document: Mapping[str, object], options: CocoOptions
) -> ExportPreview:
    """Return what a document holds; raises FormatError where an entry cannot be made."""
    images = list(_records(document, "images"))
    counts, annotated = Counter[str](), set()
    for entry in _records(document, "annotations"):
        attributes, points = entry["attributes"], entry["num_keypoints"]
        assert isinstance(attributes, Mapping)
        assert isinstance(points, int)
        annotated.add(entry["image_id"])
        counts["all"] += 1
        counts["proposals"] += attributes["status"] == Status.PROPOSED.value
        counts["keypoints"] += points
        counts["masks"] += "segmentation" in entry
        counts["run lengths"] += isinstance(entry.get("segmentation"), Mapping)
    return ExportPreview(
        n_images=len(images),
        n_categories=len(project.categories),
        n_annotations=counts["all"],
        n_negatives=len(images) - len(annotated),
        n_proposals=counts["proposals"],
        n_keypoints=counts["keypoints"],
        n_masks=counts["masks"],
        n_run_lengths=counts["run lengths"] if options.polygons else 0,
        n_turned=sum("exif_orientation" in entry for entry in images),
        n_left_out=len(project.annotations) - counts["all"],
        warnings=tuple(warnings_of(project, document, options)),
        faults=tuple(f"{fault}." for fault in validate_coco(document)),
    )


def _records(document: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    """Yield the entries of one of a document's lists."""
    for entry in listed(document, name) or ():
        assert isinstance(entry, Mapping)
        yield entry


def _faults_in(path: Path) -> tuple[str, ...]:
    """Return every fault of a COCO file, each with its place; none if it is no JSON at all."""
    reader = Reader()
    with suppress(FormatError):
        reader.read(read_json(path))
    return tuple(f"{fault}." for fault in reader.faults)


def _preview_of(project: Project, data: CocoData, plan: ImportPlan) -> ImportPreview:
    """Return what a plan would bring, or every reason why it cannot be done."""
    faults = [f"{fault}." for fault in plan.faults]
    try:
        diff = ProjectDiff.between(project, apply(project, plan.edit))
    except FmstudioError as error:
        faults += _refusals(project, plan.edit) or [str(error)]
    if faults:
        return ImportPreview(project, notes=plan.notes, faults=tuple(faults))
    added = len(diff.annotations.added)
    return ImportPreview(
        project,
        plan.edit,
        len(diff.images.added),
        len(diff.categories.added),
        added,
        len(data.annotations) - added,
        plan.n_missing,
        plan.notes,
    )


def _refusals(project: Project, edit: ImportAnnotations) -> list[str]:
    """Return why a project refuses images or categories of an import, one by one."""
    parts = [
        *((f"images[{i}]", ImportAnnotations((p,), (), ())) for i, p in enumerate(edit.images)),
        *(
            (f"categories[{i}]", ImportAnnotations((), (c,), ()))
            for i, c in enumerate(edit.categories)
        ),
    ]
    refusals = []
    for place, part in parts:
        try:
            apply(project, part)
        except FmstudioError as error:
            refusals.append(f"{place}: {error}")
    return refusals
