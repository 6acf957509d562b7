"""One frozen value per gesture, and `apply`, which makes the next version of a project.

Edits of categories are in ``edits_schema``, those that bring many parts at once in
``edits_bulk``; all of them are part of the union `Edit`.
"""

from dataclasses import dataclass, replace

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.changes import Changes
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits_bulk import ImportAnnotations, LandProposals
from fmstudio.project.edits_category import SetCategory
from fmstudio.project.edits_proposals import ReviseProposals, SettlePoints, SwapAlternatives
from fmstudio.project.edits_schema import AddCategory, ChangeCategory, RemoveCategory
from fmstudio.project.model import (
    Annotation,
    Corrected,
    ImageItem,
    Project,
    Propagated,
    Review,
    Status,
)
from fmstudio.project.validate import check
from fmstudio.project.wording import counted

__all__ = [
    "AddAnnotation",
    "AddCategory",
    "AddImages",
    "ChangeAnnotation",
    "ChangeCategory",
    "Edit",
    "ImportAnnotations",
    "LandProposals",
    "RelocateImage",
    "RelocateImages",
    "RemoveAnnotations",
    "RemoveCategory",
    "RemoveImages",
    "RenameProject",
    "ReviseProposals",
    "SetCategory",
    "SetStatus",
    "SettlePoints",
    "SwapAlternatives",
    "apply",
]


@dataclass(frozen=True, slots=True)
class AddImages:
    """Add images; their ids are given in this order, whatever they say."""

    images: tuple[ImageItem, ...]

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Add {counted(len(self.images), 'image')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        for image in self.images:
            changes.add_image(image)


@dataclass(frozen=True, slots=True)
class RemoveImages:
    """Remove images and everything on them; their files stay."""

    ids: tuple[int, ...]

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Remove {counted(len(self.ids), 'image')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        for id_ in self.ids:
            changes.remove_image(id_)


@dataclass(frozen=True, slots=True)
class RelocateImage:
    """Say where an image's file is now, and what its bytes are.

    Attributes
    ----------
    id : int
    path, sha256 : str
        As in `ImageItem`.
    size : ImageSize or None
    orientation : int or None
        None keeps them; a changed size does not fit masks that are there.
    """

    id: int
    path: str
    sha256: str
    size: ImageSize | None = None
    orientation: int | None = None

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Relocate '{self.path}'"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        RelocateImages((self,)).make(changes)

    def relocated(self, old: ImageItem) -> ImageItem:
        """Return the image as it is afterwards."""
        return ImageItem(
            self.id,
            self.path,
            self.size or old.size,
            self.sha256,
            self.orientation or old.orientation,
        )


@dataclass(frozen=True, slots=True)
class RelocateImages:
    """Say where several images' files are now, as one step; they may change places."""

    moves: tuple[RelocateImage, ...]

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Relocate {counted(len(self.moves), 'image')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        if len({move.id for move in self.moves}) != len(self.moves):
            raise ProjectError("An image can move to one place only.")
        pairs = [(old := changes.image(move.id), move.relocated(old)) for move in self.moves]
        changes.put_images(new for old, new in pairs if new != old)


@dataclass(frozen=True, slots=True)
class AddAnnotation:
    """Add one annotation; its id is given, whatever it says."""

    annotation: Annotation

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return "Add an annotation"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        changes.add_annotation(self.annotation)


@dataclass(frozen=True, slots=True)
class ChangeAnnotation:
    """Give an annotation other keypoints and another mask.

    What the engine carried there becomes Corrected, and whatever a person changed is ACCEPTED.
    A box that stood in for keypoints and mask goes once there is one of them.
    """

    id: int
    keypoints: Keypoints | None
    mask: Mask | None

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return "Change an annotation"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        old = changes.annotation(self.id)
        if (old.keypoints, old.mask) == (self.keypoints, self.mask):
            return
        provenance = old.provenance
        if isinstance(provenance, Propagated):
            provenance = Corrected(provenance)
        has_content = self.keypoints is not None or self.mask is not None
        changes.put_annotation(
            replace(
                old,
                keypoints=self.keypoints,
                mask=self.mask,
                status=Status.ACCEPTED,
                provenance=provenance,
                bbox=None if has_content else old.bbox,
            )
        )


@dataclass(frozen=True, slots=True)
class RemoveAnnotations:
    """Remove annotations."""

    ids: tuple[int, ...]

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Remove {counted(len(self.ids), 'annotation')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        for id_ in self.ids:
            changes.remove_annotation(id_)


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Accept, reject, or put annotations back to be reviewed.

    Attributes
    ----------
    ids : tuple of int
    status : Status
    review : Review or None
        How that comes about. None keeps what an annotation says, except that one which is put back
        is to be seen.
    """

    ids: tuple[int, ...]
    status: Status
    review: Review | None = None

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        if self.review is Review.AUDITED:
            return f"Draw {counted(len(self.ids), 'annotation')} to audit"
        verb = {
            Status.ACCEPTED: "Accept",
            Status.REJECTED: "Reject",
            Status.PROPOSED: "Put back to review",
        }[self.status]
        return f"{verb} {counted(len(self.ids), 'annotation')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        for id_ in self.ids:
            old = changes.annotation(id_)
            if old.status is not self.status:
                review = self._review_of(old)
                changes.put_annotation(replace(old, status=self.status, review=review))

    def _review_of(self, old: Annotation) -> Review:
        """Return how the decision on an annotation comes about."""
        if self.review is not None:
            return self.review
        is_put_back = self.status is Status.PROPOSED and old.review is Review.UNSEEN
        return Review.SEEN if is_put_back else old.review


@dataclass(frozen=True, slots=True)
class RenameProject:
    """Give the project another name."""

    name: str

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return f"Rename the project to '{self.name}'"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        changes.name = self.name


Edit = (
    AddImages
    | RemoveImages
    | RelocateImage
    | RelocateImages
    | AddCategory
    | ChangeCategory
    | RemoveCategory
    | AddAnnotation
    | ChangeAnnotation
    | RemoveAnnotations
    | SetCategory
    | SetStatus
    | LandProposals
    | SwapAlternatives
    | ReviseProposals
    | SettlePoints
    | ImportAnnotations
    | RenameProject
)


def apply(project: Project, edit: Edit) -> Project:
    """Return the next version of a project, or the same object if the edit changes nothing.

    Raises
    ------
    ProjectError
        If the edit does not fit the project or would break one of its rules; nothing has
        changed then.
    """
    changes = Changes(project)
    edit.make(changes)
    after = changes.finish()
    if after is not project:
        check(after, ProjectDiff.between(project, after))
    return after
