"""PF-WILLOW: pairs of photos of ten kinds of car, motorbike, duck and wine bottle, ten points each.

What is stated by whom: the photos are the archive of Ham et al., a folder for each class. The pairs
are a CSV file of a later group that all use: both images and their points,
``imageA, imageB, XA1 ... XA10, YA1 ... YA10, XB1 ... XB10, YB1 ... YB10``. Two names of it are in
use, ``test_pairs.csv`` and ``test_pairs_pf.csv``; both are looked for, in the set's folder and
beside it. The MATLAB files next to the photos hold the same points and are not read.

The set states no boxes. Customary is the longest side of the box around the points. Published
numbers are from several such boxes, also from one around points filled up with -1, which makes
about 80 of about 70 percent for one method (https://github.com/juhongm999/dhpf, issue 3). Here it
is the box around the target's ten points. The longer side of the image is in use as well.

References
----------
Ham, Cho, Schmid, Ponce 2018, "Proposal Flow: Semantic Correspondences from Object Proposals",
IEEE TPAMI 40 (7), doi 10.1109/TPAMI.2017.2724510 (arXiv 1703.07144).
Min, Lee, Ponce, Cho 2019, "Hyperpixel Flow: Semantic Correspondence with Multi-layer Neural
Features", arXiv 1908.06537: alpha as a share of the box.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.files import (
    SetNotFoundError,
    below,
    contents_of,
    existing,
    keypoints_of,
    read_rows,
    size_of,
)
from fmstudio.evaluation.datasets.labelled import LabelledImage, LabelledSet, box_of

FOLDER = "PF-dataset"
SPLITS = ("test",)
LAYOUT = """PF-dataset/
  test_pairs.csv     (or test_pairs_pf.csv)
  <class>/<image>.png"""

N_POINTS = 10

_Seen = tuple[str, bytes]
"""An image as one row states it: where it lies in the set's folder, and its points."""


def read_pf_willow(root: Path, split: str) -> tuple[LabelledSet, ...]:
    """Return the labelled sets, one for each class, by name, with the list's pairs.

    Ids number a class's images by their names, from 1. An image whose points differ from row to row
    counts once for each.

    Parameters
    ----------
    root : Path
        The folder PF-dataset, or the one that it lies in.
    split : str
        "test": there is no other.

    Raises
    ------
    DatasetError
        If the set is not there, or a file is missing or not as described.
    """
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    file = _list_file(folder, root, split)
    pairs: dict[str, list[tuple[_Seen, _Seen]]] = {}
    for row in read_rows(file):
        source, target = _row(row, file)
        pairs.setdefault(source[0].partition("/")[0], []).append((source, target))
    if not pairs:
        raise DatasetError(f"{file}: no pair is in it; fetch it anew.")
    return tuple(_class(folder, file, name, pairs[name]) for name in sorted(pairs))


def _list_file(folder: Path, root: Path, split: str) -> Path:
    """Return the list of pairs, under either name, in the set's folder or beside it."""
    names = (f"{split}_pairs.csv", f"{split}_pairs_pf.csv")
    for path in (place / name for place in (folder, root) for name in names):
        if path.is_file():
            return path
    if folder.name != FOLDER or not folder.is_dir():
        raise SetNotFoundError(f"{root}: neither {names[0]} nor the folder {FOLDER} is here.")
    raise DatasetError(
        f"{folder / names[0]}: the pairs are missing; they are published apart from the photos "
        "(docs/datasets.md says where) and belong here."
    )


def _row(row: list[str], file: Path) -> tuple[_Seen, _Seen]:
    """Return both images of a row with their points."""
    with contents_of(file):
        if len(row) != 2 + 4 * N_POINTS:
            raise ValueError(f"a row has {len(row)} values, not {2 + 4 * N_POINTS}")
        numbers = np.array([float(value or "nan") for value in row[2:]])
        source, target = (_seen(row[i], file, numbers.reshape(2, 2, N_POINTS)[i]) for i in (0, 1))
    if source[0].partition("/")[0] != target[0].partition("/")[0]:
        raise DatasetError(
            f"{file}: {source[0]} and {target[0]} are a pair, but of two classes; fetch it anew."
        )
    return source, target


def _seen(stated: str, file: Path, columns: NDArray[np.float64]) -> _Seen:
    """Return an image's place, "class/name", and its points' bytes; columns are (2, m)."""
    place = below(Path(), stated.strip(), file).as_posix().removeprefix(f"{FOLDER}/")
    if place.count("/") != 1:
        raise ValueError(f'"{stated}" is not "{FOLDER}/class/image"')
    return place, np.ascontiguousarray(columns.T).tobytes()


def _class(folder: Path, file: Path, name: str, pairs: list[tuple[_Seen, _Seen]]) -> LabelledSet:
    """Return the labelled set of one class."""
    seen = sorted({image for pair in pairs for image in pair})
    ids = {image: i for i, image in enumerate(seen, start=1)}
    with contents_of(file):
        return LabelledSet(
            name=name,
            folder=folder,
            images=tuple(_image(existing(folder / s[0], file), ids[s], s[1]) for s in seen),
            pairs=tuple(dict.fromkeys((ids[s], ids[t]) for s, t in pairs)),
            threshold="box",
        )


def _image(path: Path, number: int, points: bytes) -> LabelledImage:
    """Return one image with its points and the box around them."""
    keypoints = keypoints_of(np.frombuffer(points, dtype=np.float64).reshape(N_POINTS, 2))
    return LabelledImage(
        id=number,
        path=path,
        size=size_of(path),
        keypoints=keypoints,
        mask=None,
        box=box_of(None, None, keypoints),
    )
