"""DAVIS-2017: videos in which the objects of the first frame are followed.

What is stated by whom: the index of a pixel in ``Annotations`` is the number of its object, 0 the
background, 255 not to be judged; the objects are those of the first frame. The set's own evaluation
leaves out the first frame, which is given, and the last.

References
----------
Pont-Tuset et al. 2017, "The 2017 DAVIS challenge on video object segmentation", arXiv 1704.00675.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.files import below, existing, read_text, set_folder

FOLDER = "DAVIS"
SPLITS = ("train", "val")
LAYOUT = """DAVIS/
  ImageSets/2017/{train,val}.txt
  JPEGImages/480p/<sequence>/00000.jpg ...
  Annotations/480p/<sequence>/00000.png ..."""

_SIZE = "480p"
_VOID = 255


@dataclass(frozen=True, slots=True)
class VideoSequence:
    """A video and the objects of its frames.

    Attributes
    ----------
    name : str
    frames, annotations : tuple of Path
        In the order of time, one annotation a frame.
    """

    name: str
    frames: tuple[Path, ...]
    annotations: tuple[Path, ...]

    @property
    def judged(self) -> range:
        """Return the frames that are judged: all but the first and the last."""
        return range(1, len(self.frames) - 1)

    def objects(self, frame: int) -> NDArray[np.uint8]:
        """Return the number of the object at each pixel of a frame, (H, W); 0 is none.

        Raises
        ------
        DatasetError
            If the annotation is no picture of numbers.
        """
        path = self.annotations[frame]
        try:
            with Image.open(path) as picture:
                if picture.mode not in ("P", "L"):
                    raise DatasetError(f"{path}: this is no picture of numbers; fetch it anew.")
                return np.array(picture, dtype=np.uint8)
        except OSError as error:
            raise DatasetError(f"{path}: this picture cannot be read ({error}).") from error


def numbers_of(objects: NDArray[np.uint8]) -> list[int]:
    """Return the numbers of the objects in a frame, ascending."""
    return [int(i) for i in np.unique(objects) if i not in (0, _VOID)]


def read_davis(root: Path, split: str) -> tuple[VideoSequence, ...]:
    """Return the sequences of a split, by name.

    Raises
    ------
    SetNotFoundError
        If the set is not in the folder.
    DatasetError
        If a file of it is missing.
    """
    folder = set_folder(root, FOLDER, f"ImageSets/2017/{split}.txt")
    listed = folder / "ImageSets" / "2017" / f"{split}.txt"
    names = sorted(set(read_text(listed).split()))
    if not names:
        raise DatasetError(f"{listed}: no sequence is listed; unpack the set anew.")
    return tuple(_sequence(folder, name, listed) for name in names)


def _sequence(folder: Path, name: str, listed: Path) -> VideoSequence:
    """Return one sequence."""
    shown = below(folder / "JPEGImages" / _SIZE, name, listed)
    marked = below(folder / "Annotations" / _SIZE, name, listed)
    frames = tuple(sorted(shown.glob("*.jpg")))
    if len(frames) < 3:
        raise DatasetError(
            f"{shown}: {len(frames)} frames are too few to judge any between the first and the "
            "last; unpack the set anew."
        )
    annotations = tuple(existing(marked / f"{frame.stem}.png", listed) for frame in frames)
    return VideoSequence(name, frames, annotations)
