"""The project as one immutable value: images, categories, annotations.

Collections are persistent hash maps, so that a new version shares all but a few nodes with the
old one and an edit of a project with a million annotations still takes microseconds.
"""

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from immutables import Map

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Vote
from fmstudio.project.doubt import Doubt


class Status(StrEnum):
    """Where an annotation stands in the review; says nothing of visibility or confidence."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Review(StrEnum):
    """How a decision on a proposal came about; of what is not decided on yet, how it is to.

    SEEN: a person looked. UNSEEN: accepted with all that were sure enough. AUDITED: drawn at random
    from what was accepted unseen, for a person to look at.
    """

    SEEN = "seen"
    UNSEEN = "unseen"
    AUDITED = "audited"


class ImageState(StrEnum):
    """Where an image stands in the review, from the states of its annotations."""

    NONE = "none"
    PROPOSED = "proposed"
    PARTLY_REVIEWED = "partly reviewed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Placed by a person, or read from a file of labels."""


@dataclass(frozen=True, slots=True)
class Propagated:
    """Carried here by the engine.

    Attributes
    ----------
    sources : tuple of int
        Ids of the annotations it was carried from; these may have been removed since.
    key : str
        Content key of the settings and images it came from.
    """

    sources: tuple[int, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """Carried here by the engine, then changed by a person."""

    of: Propagated


Provenance = Drawn | Propagated | Corrected


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of object and its keypoint schema.

    Attributes
    ----------
    id : int
        At least 1; 0 in a category that is still to be added.
    name : str
    supercategory : str
    keypoints : tuple of str
        Names, in the order that is the contract of every annotation and export.
    skeleton, flip_pairs : tuple of (int, int)
        0-based indices into ``keypoints``: limbs to draw, and points that swap under a mirror.
        Files count from 1; only ``fmstudio.io.coco`` knows that.
    sigmas : tuple of float
        OKS falloff per keypoint, above 0; empty when unknown.
    colors : tuple of str
        ``#rrggbb`` per keypoint, or one for the whole category, or empty.
    """

    id: int
    name: str
    supercategory: str = "object"
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    flip_pairs: tuple[tuple[int, int], ...] = ()
    sigmas: tuple[float, ...] = ()
    colors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageItem:
    """An image of the project; its pixels stay in their file.

    Attributes
    ----------
    id : int
        At least 1; 0 in an image that is still to be added.
    path : str
        With forward slashes; relative to the project's folder when inside it, else absolute.
    size : ImageSize
        In pixels, orientation applied.
    sha256 : str
        Of the file's bytes, hexadecimal: a moved or changed file is noticed by it. Empty when the
        file was not there yet (an import may come before its images).
    orientation : int
        The EXIF tag, 1 to 8; 1 when there is none.
    """

    id: int
    path: str
    size: ImageSize
    sha256: str
    orientation: int = 1

    @property
    def file_name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One object on one image: its keypoints and its mask together.

    Attributes
    ----------
    id : int
        At least 1; 0 in an annotation that is still to be added.
    image_id, category_id : int
    keypoints : Keypoints or None
        As many points as the category names.
    mask : Mask or None
        Of the image's size.
    status : Status
    provenance : Drawn, Propagated or Corrected
    confidence : float or None
        Of the engine, in [0, 1]; None for what a person drew.
    bbox : tuple of float or None
        (x, y, width, height) in pixels, as given by a file that has neither keypoints nor mask.
    is_crowd : bool
        COCO's ``iscrowd``: a region of many objects that evaluators ignore.
    doubt : Doubt or None
        Why the engine's proposal may be wrong; stays as it was when a person changes it.
    review : Review
    votes : tuple of Vote
        Each reference's own word on the engine's proposal; stays as it was when a person changes
        the keypoints.
    alternative : AlternativeMark or None
        The object by another map that is supported about as well.
    """

    id: int
    image_id: int
    category_id: int
    keypoints: Keypoints | None
    mask: Mask | None
    status: Status = Status.ACCEPTED
    provenance: Provenance = Drawn()
    confidence: float | None = None
    bbox: tuple[float, float, float, float] | None = None
    is_crowd: bool = False
    doubt: Doubt | None = None
    review: Review = Review.SEEN
    votes: tuple[Vote, ...] = ()
    alternative: AlternativeMark | None = None

    @property
    def is_reviewed(self) -> bool:
        """Return whether a person has decided on it."""
        return self.status is not Status.PROPOSED

    def content_key(self) -> str:
        """Return a hash (hexadecimal) of what a map would carry: category, keypoints, mask."""
        digest = hashlib.sha256(str(self.category_id).encode())
        if self.keypoints is not None:
            digest.update(b"keypoints" + self.keypoints.xy.astype("<f8").tobytes())
            digest.update(self.keypoints.visibility.tobytes())
        if self.mask is not None:
            digest.update(b"mask%d,%d:" % (self.mask.size.width, self.mask.size.height))
            digest.update(self.mask.counts.astype("<u4").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """What the engine sent for one image and no edit has landed yet; survives a killed process.

    Attributes
    ----------
    image_id : int
    annotations : tuple of Annotation
        PROPOSED and Propagated, with id 0.
    source_keys : tuple of (int, str)
        For each source annotation, its id and its `Annotation.content_key` when the engine was
        asked: a source that differs now makes the entry outdated.
    notes : tuple of str
        Every degradation taken on the way, as sentences.
    id : int
        The store's number for it, ascending with arrival; 0 before it is stored.
    """

    image_id: int
    annotations: tuple[Annotation, ...]
    source_keys: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class NextIds:
    """The ids that the next image, category and annotation get.

    They only grow, so no id is used twice; undoing an edit makes its ids unused again.
    """

    image: int = 1
    category: int = 1
    annotation: int = 1


@dataclass(frozen=True, slots=True)
class Touched:
    """The ids that one step may have added, changed or removed."""

    images: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()
    annotations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that is known of a collection, at one moment.

    Make one with `Project.build`; change it with ``fmstudio.project.edits.apply``.

    Attributes
    ----------
    name : str
    images, categories, annotations : Map of int to ImageItem, Category, Annotation
        By id.
    of_image : Map of int to tuple of int
        Ids of each image's annotations, ascending; images without any are absent.
    of_path : Map of str to int
        Id of the image at each path.
    next_ids : NextIds
    stamp, parent, touched : object, object or None, Touched or None
        Which version this is, which one it was made from and what differs: a comparison of the two
        then need not look at everything. No part of the value; a parent is not kept alive.
    """

    name: str
    images: Map[int, ImageItem] = field(default_factory=Map)
    categories: Map[int, Category] = field(default_factory=Map)
    annotations: Map[int, Annotation] = field(default_factory=Map)
    of_image: Map[int, tuple[int, ...]] = field(default_factory=Map)
    of_path: Map[str, int] = field(default_factory=Map)
    next_ids: NextIds = NextIds()
    stamp: object = field(default_factory=object, compare=False, repr=False)
    parent: object | None = field(default=None, compare=False, repr=False)
    touched: Touched | None = field(default=None, compare=False, repr=False)

    @classmethod
    def build(
        cls,
        name: str,
        images: Iterable[ImageItem] = (),
        categories: Iterable[Category] = (),
        annotations: Iterable[Annotation] = (),
        next_ids: NextIds | None = None,
    ) -> "Project":
        """Return a project of numbered parts, with its indexes made.

        ``next_ids`` of None means one above the highest id of each kind. Nothing is validated
        here: ``fmstudio.project.validate.check`` does that.
        """
        image_map = {image.id: image for image in images}
        category_map = {category.id: category for category in categories}
        annotation_map = {annotation.id: annotation for annotation in annotations}
        of_image: dict[int, list[int]] = {}
        for id_ in sorted(annotation_map):
            of_image.setdefault(annotation_map[id_].image_id, []).append(id_)
        return cls(
            name,
            Map(image_map),
            Map(category_map),
            Map(annotation_map),
            Map({id_: tuple(ids) for id_, ids in of_image.items()}),
            Map({image.path: image.id for image in image_map.values()}),
            next_ids
            or NextIds(
                max(image_map, default=0) + 1,
                max(category_map, default=0) + 1,
                max(annotation_map, default=0) + 1,
            ),
        )

    def annotations_of(self, image_id: int) -> tuple[Annotation, ...]:
        """Return the annotations of an image, by ascending id."""
        ids = self.of_image.get(image_id)
        return () if ids is None else tuple([self.annotations[id_] for id_ in ids])

    def image_state(self, image_id: int) -> ImageState:
        """Return where an image stands in the review."""
        # Lists ask this of every image: no sets, because an enum's hash is slow.
        statuses = [annotation.status for annotation in self.annotations_of(image_id)]
        if not statuses:
            return ImageState.NONE
        waiting = statuses.count(Status.PROPOSED)
        if waiting:
            is_all = waiting == len(statuses)
            return ImageState.PROPOSED if is_all else ImageState.PARTLY_REVIEWED
        return ImageState.ACCEPTED if Status.ACCEPTED in statuses else ImageState.REJECTED

    def sorted_images(self) -> tuple[ImageItem, ...]:
        """Return the images by ascending id."""
        return tuple(self.images[id_] for id_ in sorted(self.images))

    def sorted_categories(self) -> tuple[Category, ...]:
        """Return the categories by ascending id."""
        return tuple(self.categories[id_] for id_ in sorted(self.categories))

    def find_images(self, names: Iterable[str]) -> tuple[ImageItem, ...]:
        """Return the images of these names, each once, in the order given.

        A name is a path as the project knows it, or as much of its end as makes it unique: the
        file name alone, or with some of its folders.

        Raises
        ------
        ProjectError
            If a name fits no image, or several; names the near misses.
        """
        found = {self._find_image(name): None for name in names}
        return tuple(self.images[id_] for id_ in found)

    def category_named(self, name: str) -> Category:
        """Return the category of this name.

        Raises
        ------
        ProjectError
            If there is none; names those there are.
        """
        for category in self.categories.values():
            if category.name == name:
                return category
        known = ", ".join(sorted(c.name for c in self.categories.values())) or "none yet"
        raise ProjectError(f"There is no category '{name}'; the project has: {known}.")

    def _find_image(self, name: str) -> int:
        """Return the id of the one image a name means."""
        exact = self.of_path.get(name)
        if exact is not None:
            return exact
        end = "/" + name.removeprefix("./")
        ids = [id_ for path, id_ in self.of_path.items() if ("/" + path).endswith(end)]
        if len(ids) == 1:
            return ids[0]
        if ids:
            several = ", ".join(sorted(self.images[id_].path for id_ in ids)[:5])
            raise ProjectError(
                f"'{name}' could be any of {len(ids)} images ({several}): give more of its path."
            )
        names = {image.file_name for image in self.images.values()} | set(self.of_path)
        near = difflib.get_close_matches(name, names, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see the project's image list."
        raise ProjectError(f"There is no image '{name}' in the project; {hint}")
