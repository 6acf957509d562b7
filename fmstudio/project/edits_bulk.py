"""Edits that bring many parts at once: what the engine proposes, and what a file holds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fmstudio.errors import ProjectError
from fmstudio.project.changes import Changes
from fmstudio.project.edits_proposals import is_pending
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    Project,
    Propagated,
    Provenance,
    Status,
)
from fmstudio.project.wording import counted

# Larger ids fit neither JavaScript's numbers nor some readers of COCO.
_MAX_ID = 2**53


@dataclass(frozen=True, slots=True)
class LandProposals:
    """Add what the engine proposes, in place of what it proposed before.

    For each image and category, earlier proposals that nobody reviewed go; what a person accepted
    or rejected stays as it is, and so does what a person corrected and put back to review. Where
    there is an accepted or corrected annotation already nothing is added, nor what equals a
    rejected one.
    """

    annotations: tuple[Annotation, ...]

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Propagate to {counted(len({a.image_id for a in self.annotations}), 'image')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        groups: defaultdict[tuple[int, int], list[Annotation]] = defaultdict(list)
        for annotation in self.annotations:
            if not is_pending(annotation):
                raise ProjectError("Only what was propagated and not reviewed can be landed.")
            groups[annotation.image_id, annotation.category_id].append(annotation)
        for (image_id, category_id), group in groups.items():
            changes.image(image_id)
            there = [a for a in changes.annotations_of(image_id) if a.category_id == category_id]
            for old in there:
                if is_pending(old):
                    changes.remove_annotation(old.id)
            for annotation in group:
                if not blocks(there, annotation):
                    changes.add_annotation(annotation)


def blocks(there: Iterable[Annotation], proposal: Annotation) -> bool:
    """Return whether reviewed work on an image leaves no place for a proposal.

    So it does if an annotation of the same category is accepted, or corrected and not rejected,
    or a rejected one is equal.
    """
    return any(
        a.category_id == proposal.category_id
        and (
            a.status is Status.ACCEPTED
            or (a.status is Status.PROPOSED and isinstance(a.provenance, Corrected))
            or (a.status is Status.REJECTED and _same_content(a, proposal))
        )
        for a in there
    )


@dataclass(frozen=True, slots=True)
class ImportAnnotations:
    """Add what a file of labels holds, as one step.

    Ids are the file's own, and only tie the three together. They are kept where none of a kind
    was ever used in the project; else all of that kind get new ones. An image with a path, or a
    category with a name, that the project has already is that one. An annotation that is
    there already, equal in content, is not added again.
    """

    images: tuple[ImageItem, ...]
    categories: tuple[Category, ...]
    annotations: tuple[Annotation, ...]

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return (
            f"Import {counted(len(self.annotations), 'annotation')} "
            f"on {counted(len(self.images), 'image')}"
        )

    def make(self, changes: Changes) -> None:
        """Make the change."""
        image_ids = self._add_images(changes)
        category_ids = self._add_categories(changes)
        fresh: list[Annotation] = []
        ids: dict[int, int] = {}
        for of_file in self.annotations:
            annotation = _renumbered(of_file, image_ids, category_ids)
            there = _equal_one(changes.before, annotation)
            if there is None:
                fresh.append(annotation)
            else:
                ids[of_file.id] = there
        keep = _can_keep([a.id for a in fresh], changes.next_ids.annotation)
        for number, annotation in enumerate(fresh, changes.next_ids.annotation):
            ids[annotation.id] = annotation.id if keep else number
        for annotation in fresh:
            provenance = _with_sources(annotation.provenance, ids)
            changes.add_annotation(replace(annotation, provenance=provenance), keep_id=keep)

    def _add_images(self, changes: Changes) -> dict[int, int]:
        """Add the images that are new; return the project's id for each of the file's."""
        ids: dict[int, int] = {}
        new = []
        for image in self.images:
            known = changes.before.of_path.get(image.path)
            if known is None:
                new.append(image)
                continue
            there = changes.image(known)
            if there.size != image.size:
                raise ProjectError(
                    f"'{image.path}' is {image.size.width} x {image.size.height} pixels in the "
                    f"file and {there.size.width} x {there.size.height} in the project."
                )
            ids[image.id] = known
        keep = _can_keep([image.id for image in new], changes.next_ids.image)
        for image in new:
            ids[image.id] = changes.add_image(image, keep_id=keep)
        return ids

    def _add_categories(self, changes: Changes) -> dict[int, int]:
        """Add the categories that are new; return the project's id for each of the file's."""
        by_name = {c.name: c for c in changes.before.categories.values()}
        ids: dict[int, int] = {}
        new = []
        for category in self.categories:
            there = by_name.get(category.name)
            if there is None:
                new.append(category)
                continue
            if there.keypoints != category.keypoints:
                raise ProjectError(
                    f"Category '{category.name}' names other keypoints in the file "
                    f"({_listed(category.keypoints)}) than in the project "
                    f"({_listed(there.keypoints)}): rename one of the two categories."
                )
            ids[category.id] = there.id
        keep = _can_keep([category.id for category in new], changes.next_ids.category)
        for category in new:
            ids[category.id] = changes.add_category(category, keep_id=keep)
        return ids


def _can_keep(ids: list[int], next_id: int) -> bool:
    """Return whether a file's ids can be the project's: distinct, and never used before."""
    return bool(ids) and len(set(ids)) == len(ids) and next_id <= min(ids) and max(ids) < _MAX_ID


def _renumbered(
    annotation: Annotation, image_ids: Mapping[int, int], category_ids: Mapping[int, int]
) -> Annotation:
    """Return an annotation of a file with the project's ids of its image and category."""
    if annotation.image_id not in image_ids or annotation.category_id not in category_ids:
        raise ProjectError(
            f"Annotation {annotation.id} of the file belongs to image {annotation.image_id} and "
            f"category {annotation.category_id}, and one of them is not in the file."
        )
    return replace(
        annotation,
        image_id=image_ids[annotation.image_id],
        category_id=category_ids[annotation.category_id],
    )


def _equal_one(project: Project, annotation: Annotation) -> int | None:
    """Return the id of an annotation that is there already and covers the same, or None."""
    for there in project.annotations_of(annotation.image_id):
        if there.category_id == annotation.category_id and _same_content(there, annotation):
            return there.id
    return None


def _with_sources(provenance: Provenance, ids: Mapping[int, int]) -> Provenance:
    """Return a provenance with the project's ids of its sources; unknown ones are dropped."""
    match provenance:
        case Propagated(sources, key):
            return Propagated(tuple(ids[id_] for id_ in sources if id_ in ids), key)
        case Corrected(of):
            kept = tuple(ids[id_] for id_ in of.sources if id_ in ids)
            return Corrected(Propagated(kept, of.key))
        case Drawn():
            return provenance


def _same_content(a: Annotation, b: Annotation) -> bool:
    """Return whether two annotations of one category cover the same."""
    return (a.keypoints, a.mask, a.bbox, a.is_crowd) == (b.keypoints, b.mask, b.bbox, b.is_crowd)


def _listed(names: tuple[str, ...]) -> str:
    """Return names for a sentence."""
    return ", ".join(names) or "none"
