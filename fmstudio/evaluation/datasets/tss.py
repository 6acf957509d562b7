"""TSS: 400 pairs of like objects, with flow and mask in both directions.

What is stated by whom: ``flow1.flo`` says where the pixels of ``image1.png`` lie in the second
image and ``flow2.flo`` the other way; where ``flip_gt.txt`` holds 1, in the other image mirrored
from left to right. So do the authors of the set and of CNNGeometric's evaluation read them. Flow
counts within the object's mask; it is right within 5 pixels after the longer side of the image was
brought to 100, that is within 0.05 of that side; later papers also take 0.05 of the longer side of
the object's box. Both are in the report.

References
----------
Taniai, Sinha and Sato 2016, "Joint Recovery of Dense Correspondence and Cosegmentation in Two
Images", doi:10.1109/CVPR.2016.460.
Rocco, Arandjelovic and Sivic 2017, "Convolutional neural network architecture for geometric
matching", arXiv 1703.05593.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import DatasetError, FormatError
from fmstudio.evaluation.datasets.dense import DensePair, by_pixel
from fmstudio.evaluation.datasets.files import existing, read_text, set_folder
from fmstudio.geometry.masks import Mask
from fmstudio.io.flow import read_flow
from fmstudio.io.images import read_rgb

FOLDER = "TSS_CVPR2016"
GROUPS = ("FG3DCar", "JODS", "PASCAL")
SPLITS = ("test",)
LAYOUT = """TSS_CVPR2016/
  {FG3DCar,JODS,PASCAL}/<pair>/
    image1.png  image2.png  flow1.flo  flow2.flo  mask1.png  mask2.png  flip_gt.txt"""


@dataclass(frozen=True, slots=True)
class DenseSet:
    """Pairs on disk, read one by one.

    Attributes
    ----------
    folders : tuple of Path
        One for each pair of images.
    """

    folders: tuple[Path, ...]

    def __len__(self) -> int:
        """Return how many pairs there are: two directions of each."""
        return 2 * len(self.folders)

    def pairs(self) -> Iterator[DensePair]:
        """Yield each pair in both directions, one in memory at a time.

        Raises
        ------
        DatasetError
            If a file of a pair is missing or not as its authors describe it.
        """
        for folder in self.folders:
            for target, source in ((1, 2), (2, 1)):
                yield _read(folder, target, source)


def read_tss(root: Path, split: str) -> DenseSet:
    """Return the set's pairs; ``split`` is "test", the only one.

    Raises
    ------
    SetNotFoundError
        If the set is not in the folder.
    DatasetError
        If it holds no pair.
    """
    del split
    folder = set_folder(root, FOLDER, GROUPS[0])
    found = [p for group in GROUPS for p in sorted((folder / group).glob("*/")) if p.is_dir()]
    if not found:
        raise DatasetError(f"{folder}: there is no pair in it; unpack the set anew.")
    return DenseSet(tuple(found))


def _read(folder: Path, target: int, source: int) -> DensePair:
    """Return one direction of a pair."""

    def file(name: str) -> Path:
        return existing(folder / name, folder)

    target_rgb, source_rgb = (read_rgb(file(f"image{i}.png")) for i in (target, source))
    is_mirrored = read_text(file("flip_gt.txt")).strip() == "1"
    source_mask = _mask(file(f"mask{source}.png"), source_rgb)
    if is_mirrored:
        source_rgb = np.ascontiguousarray(source_rgb[:, ::-1])
        source_mask = source_mask[:, ::-1]
    try:
        flow = read_flow(file(f"flow{target}.flo"))
    except FormatError as error:
        raise DatasetError(str(error)) from error
    if flow.shape[:2] != target_rgb.shape[:2]:
        raise DatasetError(
            f"{folder}/flow{target}.flo: the flow is {flow.shape[1]} x {flow.shape[0]} pixels, its "
            f"image {target_rgb.shape[1]} x {target_rgb.shape[0]}; fetch it anew."
        )
    visible = _mask(file(f"mask{target}.png"), target_rgb) & np.isfinite(flow).all(axis=2)
    box = Mask.from_array(source_mask).bbox
    side = None if box is None else float(max(box[2:]))
    name = f"{folder.name} {source} to {target}"
    group = folder.parent.name
    return DensePair(name, group, source_rgb, target_rgb, by_pixel(flow), visible, side)


def _mask(path: Path, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return a mask (H, W) of an image's size."""
    mask = read_rgb(path).max(axis=2) > 127
    if mask.shape != rgb.shape[:2]:
        raise DatasetError(
            f"{path}: the mask is {mask.shape[1]} x {mask.shape[0]} pixels, its image "
            f"{rgb.shape[1]} x {rgb.shape[0]}; fetch it anew."
        )
    return np.asarray(mask)
