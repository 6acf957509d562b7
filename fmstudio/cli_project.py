"""Commands on a project file: new, import-coco, export, info."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fmstudio.cli_output import note, progress, say, say_json, warn
from fmstudio.errors import ImageError
from fmstudio.io.coco import CocoOptions
from fmstudio.project.model import ImageState, Project, Status
from fmstudio.project.wording import counted
from fmstudio.session import Session


def new_project(path: Path, images: Sequence[Path], *, as_json: bool) -> None:
    """Make a project of images and say what is in it.

    Raises
    ------
    StoreError
        If the project exists already or cannot be written.
    ImageError
        If none of the images can be added: then no project is left behind.
    """
    session = Session.create(path)
    created = session.path
    added: tuple[int, ...] = ()
    skipped: tuple[str, ...] = ()
    try:
        with session:
            if images:
                with progress("Reading images", "images") as report:
                    result = session.add_images(images, report)
                added, skipped = result.added, result.skipped
    finally:
        # Also when it was stopped: the same command must then work again.
        if images and not added:
            created.unlink()
    if images and not added:
        why = skipped[0] if len(skipped) == 1 else "none of these files is an image, or none is new"
        if len(skipped) > 1:
            warn(skipped)
        raise ImageError(f"No project was made: {why.rstrip('.')}.")
    if as_json:
        say_json({"project": str(created), "images": len(added), "skipped": list(skipped)})
        return
    warn(skipped)
    say(f"Created {created} with {counted(len(added), 'image')}.")


def import_coco(path: Path, coco: Path, images: Path | None, *, as_json: bool) -> None:
    """Import a COCO file into a project, whole or not at all."""
    with Session.open(path) as session:
        with progress("Reading images", "images") as report:
            done = session.import_coco(coco, images, report)
        with_marks = counted(len(done.annotations), "annotation")
    if as_json:
        say_json(
            {
                "images": len(done.images),
                "categories": len(done.categories),
                "annotations": len(done.annotations),
                "notes": list(done.notes),
            }
        )
        return
    warn(done.notes)
    new = f"{counted(len(done.images), 'image')} and {len(done.categories):,} of its categories"
    say(f"Imported {with_marks}; {new} are new in the project.")


def export_coco(
    path: Path,
    coco: Path,
    *,
    has_proposals: bool,
    polygons: bool,
    image_root: Path | None,
    as_json: bool,
) -> None:
    """Write a project's annotations as COCO: what is accepted, and if asked proposals too."""
    statuses = (Status.ACCEPTED, Status.PROPOSED) if has_proposals else (Status.ACCEPTED,)
    options = CocoOptions(statuses=statuses, polygons=polygons, image_root=image_root)
    with Session.open(path) as session:
        done = session.export_coco(coco, options)
        waiting = len(session.inbox)
    if as_json:
        say_json(
            {
                "file": str(done.path),
                "images": done.n_images,
                "annotations": done.n_annotations,
                "left_out": done.n_left_out,
                "warnings": list(done.warnings),
            }
        )
        return
    warn(done.warnings)
    if waiting:
        note(f"{_kept(waiting)}: they are not in this file.")
    left = f"; {counted(done.n_left_out, 'other annotation')} left out" if done.n_left_out else ""
    what = f"{counted(done.n_annotations, 'annotation')} on {counted(done.n_images, 'image')}"
    say(f"Wrote {done.path}: {what}{left}.")


def show_info(path: Path, *, check: bool, as_json: bool) -> None:
    """Say what is in a project; with ``check``, whether its image files are as they were."""
    with Session.open(path) as session:
        summary = summarise(session.project)
        summary = {"project": str(session.path), **summary, "inbox": len(session.inbox)}
        if check:
            faults = session.missing_or_changed()
            summary["faults"] = [{"image": i.path, "fault": fault} for i, fault in faults]
    if as_json:
        say_json(summary)
        return
    for line in _info_lines(summary):
        say(line)


def summarise(project: Project) -> dict[str, Any]:
    """Return a project's name and numbers as JSON values."""
    states = Counter(project.image_state(id_) for id_ in project.images)
    statuses = Counter(a.status for a in project.annotations.values())
    of_category = Counter(a.category_id for a in project.annotations.values())
    return {
        "name": project.name,
        "images": {"total": len(project.images), **{s.value: states[s] for s in ImageState}},
        "annotations": {
            "total": len(project.annotations),
            **{s.value: statuses[s] for s in Status},
        },
        "categories": [
            {
                "id": category.id,
                "name": category.name,
                "keypoints": list(category.keypoints),
                "annotations": of_category[category.id],
            }
            for category in project.sorted_categories()
        ],
    }


def _kept(waiting: int) -> str:
    """Return the words for proposals in the inbox."""
    return f"{counted(waiting, 'proposal')} of a run that was cut short wait in the inbox"


def _info_lines(summary: dict[str, Any]) -> list[str]:
    """Return a project's summary as lines for a person."""

    def parts(counts: dict[str, int]) -> str:
        shown = [f"{n:,} {name}" for name, n in counts.items() if n and name != "total"]
        return f"{counts['total']:>7,}   {', '.join(shown)}".rstrip()

    lines = [
        f"{summary['name']} ({summary['project']})",
        f"images      {parts(summary['images'])}",
        f"annotations {parts(summary['annotations'])}",
        f"categories  {len(summary['categories']):>7,}",
    ]
    for category in summary["categories"]:
        points = len(category["keypoints"])
        schema = counted(points, "keypoint") if points else "no keypoints"
        number = counted(category["annotations"], "annotation")
        lines.append(f"  {category['id']}: {category['name']} ({schema}, {number})")
    if summary["inbox"]:
        lines.append(f"{_kept(summary['inbox'])}: the next propagate lands them.")
    if "faults" in summary:
        lines += [f"{f['fault']}: {f['image']}" for f in summary["faults"]]
        if not summary["faults"]:
            lines.append("Every image file is as it was when it was added.")
    return lines
