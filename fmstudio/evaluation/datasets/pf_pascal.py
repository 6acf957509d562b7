"""PF-PASCAL: pairs of photos of the 20 classes of PASCAL VOC, alike in viewpoint.

What is stated by whom: photos and annotations are the archive of Ham et al. (one MATLAB file an
image, ``kps`` (m, 2) with NaN where a point is not seen and ``bbox`` (x1, y1, x2, y2)). The splits
came later, as CSV files of other groups: source image, target image, class (from 1, in the order of
PASCAL VOC) and, for training, whether both are mirrored. Two names of these files are in use,
``<split>_pairs.csv`` and ``<split>_pairs_pf_pascal.csv``; both are looked for, in the set's folder
and beside it.

References
----------
Ham, Cho, Schmid, Ponce 2018, "Proposal Flow: Semantic Correspondences from Object Proposals",
IEEE TPAMI 40 (7), doi 10.1109/TPAMI.2017.2724510 (arXiv 1703.07144).
Han et al. 2017, "SCNet: Learning Semantic Correspondence", arXiv 1705.04043: the splits.
Min, Lee, Ponce, Cho 2019, "Hyperpixel Flow: Semantic Correspondence with Multi-layer Neural
Features", arXiv 1908.06537: alpha as a share of the image's longer side.
"""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.files import (
    below,
    box_between,
    contents_of,
    existing,
    keypoints_of,
    read_mat,
    read_rows,
    set_folder,
    size_of,
)
from fmstudio.evaluation.datasets.labelled import Box, LabelledImage, LabelledSet, box_of
from fmstudio.evaluation.datasets.voc import VOC_CLASSES

FOLDER = "PF-dataset-PASCAL"
SPLITS = ("trn", "val", "test")
LAYOUT = """PF-dataset-PASCAL/
  {trn,val,test}_pairs.csv     (or {...}_pairs_pf_pascal.csv)
  Annotations/<class>/<image>.mat
  JPEGImages/<image>.jpg"""


def read_pf_pascal(root: Path, split: str) -> tuple[LabelledSet, ...]:
    """Return the labelled sets of a split, one for each class, by name, with the split's pairs.

    Ids number a class's images of the split by their names, from 1. Rows that ask for mirrored
    images are an augmentation for training and passed over. Alpha is a share of the target image's
    longer side. Where the images of a class have different numbers of points, the shorter lists are
    filled up with points that are not labelled.

    Parameters
    ----------
    root : Path
        The folder PF-dataset-PASCAL, or the one that it lies in.
    split : str
        "trn", "val" or "test".

    Raises
    ------
    DatasetError
        If the set or the split's file is not there, or a file is missing or not as described.
    """
    folder = set_folder(root, FOLDER, "Annotations")
    file = _split_file(root, folder, split)
    pairs = _pairs(file, folder)
    return tuple(_class(folder, file, name, pairs[name]) for name in sorted(pairs))


def _split_file(root: Path, folder: Path, split: str) -> Path:
    """Return the file of a split, under either name, in the set's folder or beside it."""
    stems = [split, "train"] if split == "trn" else [split]
    names = [f"{stem}_pairs{end}.csv" for stem in stems for end in ("", "_pf_pascal")]
    for path in (place / name for place in (folder, root) for name in names):
        if path.is_file():
            return path
    raise DatasetError(
        f"{folder / names[0]}: the pairs of this split are missing; they are published apart from "
        "the photos (docs/datasets.md says where) and belong here."
    )


def _pairs(file: Path, folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the file names of each class's pairs, in the file's order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in read_rows(file):
        with contents_of(file):
            source, target, number = row[0], row[1], int(float(row[2]))
            if not 1 <= number <= len(VOC_CLASSES):
                raise ValueError(f"class {number} is not between 1 and {len(VOC_CLASSES)}")
            # The evaluation lists go on with coordinates, which hold several numbers.
            is_mirrored = len(row) == 4 and float(row[3]) != 0
        if not is_mirrored:
            pair = _name(source, file, folder), _name(target, file, folder)
            found.setdefault(VOC_CLASSES[number - 1], []).append(pair)
    if not found:
        raise DatasetError(f"{file}: no pair is in it; fetch it anew.")
    return found


def _name(stated: str, file: Path, folder: Path) -> str:
    """Return an image's file name; what stands before it differs from list to list."""
    return below(folder, stated.strip(), file).name


def _class(folder: Path, file: Path, name: str, pairs: list[tuple[str, str]]) -> LabelledSet:
    """Return the labelled set of one class."""
    names = sorted({image for pair in pairs for image in pair})
    ids = {image: i for i, image in enumerate(names, start=1)}
    read = {image: _annotation(folder, file, name, image) for image in names}
    m = max(len(xy) for xy, _ in read.values())
    with contents_of(file):
        return LabelledSet(
            name=name,
            folder=folder,
            images=tuple(
                _image(existing(folder / "JPEGImages" / image, file), ids[image], *read[image], m)
                for image in names
            ),
            pairs=tuple(dict.fromkeys((ids[s], ids[t]) for s, t in pairs)),
            threshold="image",
        )


def _annotation(folder: Path, file: Path, name: str, image: str) -> tuple[NDArray[np.float64], Box]:
    """Return the points, (m, 2) with NaN, and the box of an image's MATLAB file."""
    path = folder / "Annotations" / name / f"{PurePosixPath(image).stem}.mat"
    found = read_mat(existing(path, file), ("kps", "bbox"))
    with contents_of(path):
        xy = np.asarray(found["kps"], dtype=np.float64)
        if xy.ndim != 2 or xy.shape[1] != 2:
            raise ValueError(f"kps is m x 2 numbers, not {xy.shape}")
        return xy, box_between(found["bbox"])


def _image(path: Path, number: int, xy: NDArray[np.float64], box: Box, m: int) -> LabelledImage:
    """Return one image with its points, filled up to m of them, and its box."""
    keypoints = keypoints_of(np.pad(xy, ((0, m - len(xy)), (0, 0)), constant_values=np.nan))
    return LabelledImage(
        id=number,
        path=path,
        size=size_of(path),
        keypoints=keypoints,
        mask=None,
        box=box_of(box, None, keypoints),
    )
