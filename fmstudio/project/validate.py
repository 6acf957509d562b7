"""What holds in every project, each rule with the sentence a person reads when it does not."""

import math
import re
from collections.abc import Iterable, Iterator

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import MAX_PIXELS
from fmstudio.project.diff import IdChange, ProjectDiff
from fmstudio.project.model import Annotation, Category, Project

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def check(project: Project, diff: ProjectDiff | None = None) -> None:
    """Raise ProjectError with the first broken rule, if any.

    Parameters
    ----------
    project : Project
    diff : ProjectDiff or None
        How it differs from a project that is known to be good: only what this touches is looked
        at. None looks at everything.
    """
    fault = next(faults(project, diff), None)
    if fault is not None:
        raise ProjectError(fault)


def faults(project: Project, diff: ProjectDiff | None = None) -> Iterator[str]:
    """Yield a sentence per broken rule; parameters as in `check`."""
    if not project.name.strip():
        yield "A project needs a name: give it at least one letter."
    yield from _counter_faults(project, diff)
    yield from _image_faults(
        project, _present(diff.images.present if diff else None, project.images)
    )
    for id_ in _present(diff.categories.present if diff else None, project.categories):
        yield from _category_faults(id_, project.categories[id_])
    yield from _category_name_faults(project, diff)
    for id_ in _annotations_to_check(project, diff):
        yield from _annotation_faults(project, id_, project.annotations[id_])
    if diff is None:
        yield from _index_faults(project)


def _present(some: Iterable[int] | None, every: Iterable[int]) -> list[int]:
    """Return the ids to look at, ascending."""
    return sorted(every if some is None else some)


def _annotations_to_check(project: Project, diff: ProjectDiff | None) -> list[int]:
    """Return the ids of the annotations that a change could have broken, ascending."""
    if diff is None or diff.categories.changed or diff.categories.removed:
        return sorted(project.annotations)
    ids = set(diff.annotations.present)
    for image_id in diff.images.changed + diff.images.removed:
        ids.update(project.of_image.get(image_id, ()))
    return sorted(ids)


def _counter_faults(project: Project, diff: ProjectDiff | None) -> Iterator[str]:
    """Yield faults of ids and of the counters for new ones."""
    change = diff or ProjectDiff()
    kinds: tuple[tuple[str, Iterable[int], IdChange, int], ...] = (
        ("image", project.images, change.images, project.next_ids.image),
        ("category", project.categories, change.categories, project.next_ids.category),
        ("annotation", project.annotations, change.annotations, project.next_ids.annotation),
    )
    for kind, parts, changed, next_id in kinds:
        ids = _present(None if diff is None else changed.present, parts)
        low, high = min(ids, default=1), max(ids, default=0)
        if low < 1:
            yield f"The {kind} id {low} is below 1: ids count from 1."
        if high >= next_id:
            yield f"The {kind} id {high} is not below the counter for new ids, {next_id}."


def _image_faults(project: Project, ids: Iterable[int]) -> Iterator[str]:
    """Yield the faults of images."""
    images, of_path = project.images, project.of_path
    for id_ in ids:
        image = images[id_]
        path = image.path
        if image.id != id_:
            yield f"Image {id_} calls itself {image.id}."
        if not path or "\x00" in path:
            yield f"Image {id_} has no usable path: give it one."
        if of_path.get(path) != id_:
            yield f"The image '{path}' is in the project twice, or is missing from its index."
        if image.size.width * image.size.height > MAX_PIXELS:
            sides = f"{image.size.width} x {image.size.height}"
            yield f"'{path}' has {sides} pixels, more than the limit of {MAX_PIXELS}."
        if not 1 <= image.orientation <= 8:
            yield f"'{path}' has orientation {image.orientation}; EXIF knows 1 to 8."


def _category_faults(id_: int, category: Category) -> Iterator[str]:
    """Yield the faults of one category."""
    name, m = category.name, len(category.keypoints)
    if category.id != id_:
        yield f"Category {id_} calls itself {category.id}."
    if not name.strip():
        yield f"Category {id_} needs a name: give it at least one letter."
    if len(set(category.keypoints)) != m or not all(k.strip() for k in category.keypoints):
        yield f"The keypoints of category '{name}' need names that are all different."
    for what, pairs in (("skeleton", category.skeleton), ("flip pairs", category.flip_pairs)):
        for pair in pairs:
            if len(pair) != 2 or pair[0] == pair[1] or not all(0 <= i < m for i in pair):
                yield f"The {what} of category '{name}' join {pair}, but it has {m} keypoints."
    flipped = [i for pair in category.flip_pairs for i in pair]
    if len(set(flipped)) != len(flipped):
        yield f"A keypoint of category '{name}' is in two flip pairs."
    if len(category.sigmas) not in (0, m):
        yield f"Category '{name}' has {len(category.sigmas)} sigmas for {m} keypoints."
    if not all(math.isfinite(sigma) and sigma > 0 for sigma in category.sigmas):
        yield f"The sigmas of category '{name}' must be above 0."
    if len(category.colors) not in (0, 1, m):
        yield f"Category '{name}' has {len(category.colors)} colours for {m} keypoints."
    if not all(_COLOR.fullmatch(color) for color in category.colors):
        yield f"The colours of category '{name}' must be written #rrggbb."


def _category_name_faults(project: Project, diff: ProjectDiff | None) -> Iterator[str]:
    """Yield a fault per name that two categories share."""
    if diff is not None and not diff.categories:
        return
    seen = set()
    for category in project.sorted_categories():
        if category.name in seen:
            yield f"There is a category '{category.name}' already: choose another name."
        seen.add(category.name)


def _annotation_faults(project: Project, id_: int, annotation: Annotation) -> Iterator[str]:
    """Yield the faults of one annotation."""
    image = project.images.get(annotation.image_id)
    category = project.categories.get(annotation.category_id)
    if annotation.id != id_:
        yield f"Annotation {id_} calls itself {annotation.id}."
    if image is None or category is None:
        kind = "image" if image is None else "category"
        number = annotation.image_id if image is None else annotation.category_id
        yield f"Annotation {id_} belongs to {kind} {number}, which is not in the project."
        return
    if id_ not in project.of_image.get(annotation.image_id, ()):
        yield f"Annotation {id_} is missing from the index of '{image.path}'."
    where = f"Annotation {id_} on '{image.path}'"
    keypoints, mask, box = annotation.keypoints, annotation.mask, annotation.bbox
    m = len(category.keypoints)
    if keypoints is not None and len(keypoints) != m:
        yield f"{where} has {len(keypoints)} keypoints; category '{category.name}' names {m}."
    if mask is not None and mask.size != image.size:
        sizes = f"{mask.size.width} x {mask.size.height}"
        yield (
            f"{where} has a mask of {sizes} pixels; "
            f"the image has {image.size.width} x {image.size.height}."
        )
    has_points = keypoints is not None and bool(keypoints.visibility.any())
    if not has_points and (mask is None or mask.area == 0) and box is None:
        yield f"{where} is empty: it needs a labelled keypoint, a mask or a box."
    if box is not None and not (all(map(math.isfinite, box)) and box[2] > 0 and box[3] > 0):
        yield f"{where} has the box {box}, which has no area."
    if annotation.confidence is not None and not 0 <= annotation.confidence <= 1:
        yield f"{where} has confidence {annotation.confidence}; it lies between 0 and 1."


def _index_faults(project: Project) -> Iterator[str]:
    """Yield the faults of indexes that point at what is not there."""
    listed = sum(len(ids) for ids in project.of_image.values())
    if listed != len(project.annotations) or not all(project.of_image.values()):
        yield "The index of annotations by image does not fit the annotations."
    if any(list(ids) != sorted(set(ids)) for ids in project.of_image.values()):
        yield "The index of annotations by image is out of order."
    if len(project.of_path) != len(project.images):
        yield "The index of images by path does not fit the images."
