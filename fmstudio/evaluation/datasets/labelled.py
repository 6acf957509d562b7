"""What a benchmark judges: images with one object each, grouped by category."""

from dataclasses import dataclass
from pathlib import Path

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

Box = tuple[float, float, float, float]

THRESHOLDS = ("box", "image")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledImage:
    """An image with the one object that is judged on it.

    Attributes
    ----------
    id : int
        The image's id in its file; where the set gives none, its number by name.
    path : Path
    size : ImageSize
        In pixels, as the set states it; where it does not, as the image's header does.
    keypoints : Keypoints or None
    mask : Mask or None
    box : tuple of float, or None
        (x, y, width, height) in pixels, both sides not 0: as the file states it; where it does not,
        around the mask, else around the labelled keypoints.
    """

    id: int
    path: Path
    size: ImageSize
    keypoints: Keypoints | None
    mask: Mask | None
    box: Box | None


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """The images of one category, and how they are judged.

    Attributes
    ----------
    name : str
        The category's; "folder/category" where several sets of a collection share it.
    folder : Path
    images : tuple of LabelledImage
        Every image with an annotation of the category, by id; each once.
    pairs : tuple of (int, int), or None
        The set's own pairs in its own order, each (source id, target id); None where the set states
        none and the benchmark draws them.
    threshold : str
        What alpha of PCK is a share of: "box", the longest side of the target's box, or "image",
        the longer side of the target image.

    Raises
    ------
    ValueError
        If a pair has an id that no image has or one image twice, or the threshold is neither.
    """

    name: str
    folder: Path
    images: tuple[LabelledImage, ...]
    pairs: tuple[tuple[int, int], ...] | None = None
    threshold: str = "box"

    def __post_init__(self) -> None:
        if self.threshold not in THRESHOLDS:
            raise ValueError(f"a threshold is one of {THRESHOLDS}, not {self.threshold!r}")
        ids = {image.id for image in self.images}
        for pair in self.pairs or ():
            if pair[0] == pair[1] or not ids.issuperset(pair):
                raise ValueError(f"{pair} is no pair of two different images of this set")


def box_of(stated: Box | None, mask: Mask | None, keypoints: Keypoints | None) -> Box | None:
    """Return the first box that has an extent: stated, of the mask, of the keypoints."""
    if stated is not None and max(stated[2:]) > 0:
        return stated
    around: Box | None = None if mask is None else mask.bbox
    if around is None and keypoints is not None:
        around = keypoints.bbox()
    return around if around is not None and max(around[2:]) > 0 else None
