"""The files of a published set, read so that every fault names its file.

A set's files name other files. What they name is only ever looked for below the set's own folder.
"""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.io import loadmat

from fmstudio.errors import DatasetError, ImageError
from fmstudio.evaluation.datasets.labelled import Box
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import VISIBLE, Keypoints
from fmstudio.io.images import probe


class SetNotFoundError(DatasetError):
    """A published set is not in the folder that was given."""


def set_folder(root: Path, name: str, marker: str) -> Path:
    """Return the folder of a set: the root itself, or the folder that its archive unpacks to.

    Parameters
    ----------
    root : Path
        What the person gave.
    name : str
        The folder in the set's archive.
    marker : str
        What lies in that folder and in no other.

    Raises
    ------
    SetNotFoundError
        If the marker is in neither.
    """
    for folder in (root, root / name):
        if (folder / marker).exists():
            return folder
    raise SetNotFoundError(
        f"{root}: neither {marker} nor {name}/{marker} is here; unpack the set in this folder."
    )


def below(folder: Path, name: str, file: Path) -> Path:
    """Return where a path that ``file`` states lies below the set's folder.

    Raises
    ------
    DatasetError
        If it is empty, absolute, or goes up ("..").
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    is_absolute = name.startswith(("/", "\\")) or PureWindowsPath(name).drive != ""
    if not parts or is_absolute or ".." in parts:
        raise DatasetError(
            f'{file}: the path "{name}" leads out of the set\'s folder; fetch this file anew.'
        )
    return folder.joinpath(*parts)


def existing(path: Path, file: Path) -> Path:
    """Return the path of a file that ``file`` asks for.

    Raises
    ------
    DatasetError
        If it is not there.
    """
    if not path.is_file():
        raise DatasetError(
            f"{path}: this file is missing, and {file} asks for it; unpack the set anew."
        )
    return path


@contextmanager
def contents_of(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a file's contents inside the block into one sentence.

    Raises
    ------
    DatasetError
        If a field is missing or is not of its kind.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
        raise DatasetError(
            f"{file}: this file is not as its set describes it ({what}); fetch it anew."
        ) from error


def read_text(file: Path) -> str:
    """Return a file's text.

    Raises
    ------
    DatasetError
        If it cannot be read or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DatasetError(
            f"{file}: this file cannot be read ({error.strerror or error}); unpack the set anew."
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{file}: this file is not UTF-8 text; fetch it anew.") from error


def read_json(file: Path) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    DatasetError
        If it cannot be read or is not JSON.
    """
    text = read_text(file)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{file}: this file is not JSON ({error}); fetch it anew.") from error


def read_rows(file: Path) -> list[list[str]]:
    """Return the rows of a CSV file that are not empty, less its header.

    Raises
    ------
    DatasetError
        If it cannot be read or is not CSV.
    """
    lines = read_text(file).splitlines()
    try:
        return [row for row in csv.reader(lines[1:]) if row]
    except csv.Error as error:
        raise DatasetError(f"{file}: this file is not CSV ({error}); fetch it anew.") from error


def read_mat(file: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return arrays of a MATLAB file.

    Parameters
    ----------
    file : Path
    names : tuple of str
        All of them must be there; nothing else is read.

    Raises
    ------
    DatasetError
        If it cannot be read, or lacks one.
    """
    try:
        found = loadmat(file, variable_names=names)
    # Damaged bytes lead the reader anywhere: into zlib.error, TypeError, MemoryError and others.
    except Exception as error:
        raise DatasetError(
            f"{file}: this file cannot be read as MATLAB's ({error}); unpack the set anew."
        ) from error
    with contents_of(file):
        return {name: np.asarray(found[name]) for name in names}


def size_of(path: Path) -> ImageSize:
    """Return an image's size from its header, orientation applied.

    Raises
    ------
    DatasetError
        If it is no image.
    """
    try:
        return probe(path).size
    except ImageError as error:
        raise DatasetError(str(error)) from error


def keypoints_of(xy: ArrayLike) -> Keypoints:
    """Return the keypoints of a set that states coordinates alone.

    Parameters
    ----------
    xy : array_like, (m, 2)
        Pixels, taken as they stand; a row that is not finite is not labelled, any other visible.

    Raises
    ------
    ValueError
        If the shape is another.
    """
    values = np.asarray(xy, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(f"points are m x 2 numbers, not {values.shape}")
    is_there = np.asarray(np.isfinite(values).all(axis=1))
    return Keypoints.drawn(np.where(is_there[:, None], values, 0.0), np.where(is_there, VISIBLE, 0))


def box_between(corners: ArrayLike) -> Box:
    """Return (x, y, width, height) for the corners (x1, y1, x2, y2), in pixels.

    Raises
    ------
    ValueError
        If they are not four finite numbers.
    """
    values = np.asarray(corners, dtype=np.float64).ravel()
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError("a box is four finite numbers")
    x1, y1, x2, y2 = values.tolist()
    return x1, y1, x2 - x1, y2 - y1
