"""Read image files as people see them: oriented, eight bits, three channels, within a budget.

What every odd kind becomes: grey is repeated in three channels; transparency is laid over white;
CMYK is converted without its colour profile; of animations and stacks the first picture is taken;
more than eight bits per channel (16-bit, 12-in-16, floating point) are windowed between two
percentiles, because their values rarely fill the range and would look black.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fmstudio.errors import ImageError
from fmstudio.geometry.grid import MAX_PIXELS, ImageSize
from fmstudio.io.atomic import write_bytes
from fmstudio.io.images_decode import decode, read_header
from fmstudio.io.regular import is_file_or_folder

SUFFIXES = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"}
    | {".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
"""Endings, in lower case, by which a folder's images are found."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What is known of an image file without decoding its pixels.

    Attributes
    ----------
    size : ImageSize
        In pixels, orientation applied.
    orientation : int
        The EXIF tag, 1 to 8; 1 when there is none or it makes no sense.
    sha256 : str
        Of the file's bytes, hexadecimal.
    """

    size: ImageSize
    orientation: int
    sha256: str


def read_rgb(path: Path, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read an image as people see it.

    Parameters
    ----------
    path : Path
    max_pixels : int
        Width times height above which the file is refused, before anything is allocated.

    Returns
    -------
    rgb : ndarray, (H, W, 3) uint8, read-only
        Orientation applied; see the module for what odd kinds become.

    Raises
    ------
    ImageError
        If the file is missing, empty, no image, damaged, cut short or too large.
    """
    with _opened(path) as file:
        header = read_header(file, path, max_pixels)
        return _frozen(decode(file, header))


def probe(path: Path, *, max_pixels: int = MAX_PIXELS) -> ImageInfo:
    """Return size, orientation and hash of an image without decoding its pixels.

    A file whose header is whole but whose pixels are damaged passes; `read_rgb` finds that out.

    Raises
    ------
    ImageError
        If the file is missing, empty, no image or too large.
    """
    with _opened(path) as file:
        header = read_header(file, path, max_pixels)
        size = ImageSize(header.width, header.height)
        if header.orientation >= 5:
            size = ImageSize(header.height, header.width)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ImageInfo(size, header.orientation, digest)


def thumbnail(path: Path, side: int, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read an image scaled so that its longer side is at most ``side`` pixels; never enlarged.

    Returns
    -------
    rgb : ndarray, (h, w, 3) uint8, read-only

    Raises
    ------
    ImageError
        As `read_rgb`.
    """
    with _opened(path) as file:
        header = read_header(file, path, max_pixels)
        if header.pil is not None and header.pil.format in {"JPEG", "MPO"}:
            # JPEG decodes at 1/2, 1/4 or 1/8 far faster; twice the size keeps the result sharp.
            header.pil.draft(None, (2 * side, 2 * side))
        rgb = decode(file, header)
        height, width = rgb.shape[:2]
        scale = min(1.0, side / max(width, height))
        if scale < 1.0:
            small = (max(1, round(width * scale)), max(1, round(height * scale)))
            rgb = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        return _frozen(rgb)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal.

    Raises
    ------
    ImageError
        If it cannot be read.
    """
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write a (H, W, 3) uint8 picture as PNG, whole or not at all.

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, format="PNG")
    write_picture(path, buffer.getvalue())


def write_picture(path: Path, data: bytes) -> None:
    """Write an encoded picture, whole or not at all.

    Raises
    ------
    ImageError
        If it cannot be written.
    """
    try:
        write_bytes(path, data)
    except OSError as error:
        raise ImageError(f"The picture {path} cannot be written: {_reason(error)}.") from error


def _frozen(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a contiguous read-only array."""
    rgb = np.ascontiguousarray(rgb)
    rgb.setflags(write=False)
    return rgb


def _reason(error: OSError) -> str:
    """Return the system's own words for an error, without the path they repeat."""
    return error.strerror or str(error) or type(error).__name__


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file and turn whatever goes wrong with it into one sentence."""
    name = os.fspath(path)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "backslashreplace").decode("utf-8")
        raise ImageError(f"The name of {shown} is not valid Unicode: rename the file.") from None
    try:
        if not is_file_or_folder(Path(path)):
            raise ImageError(f"{name} is a device or a pipe, not an image.")
        with Path(path).open("rb") as file:
            yield file
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {name}.") from error
    except IsADirectoryError as error:
        raise ImageError(f"{name} is a folder, not an image.") from error
    except MemoryError as error:
        raise ImageError(f"{name} does not fit into memory: scale it down first.") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not an image, or of a kind that cannot be read here:"
            " save it as PNG, JPEG or TIFF."
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise ImageError(f"{name} cannot be read: {_reason(error)}.") from error
        raise ImageError(_damaged(name, error)) from error
    # Decoders raise nearly every exception there is when they meet damaged data.
    except Exception as error:
        raise ImageError(_damaged(name, error)) from error


def _damaged(name: str, error: Exception) -> str:
    """Return the sentence for a file that starts like an image and cannot be decoded."""
    detail = str(error).strip().rstrip(".") or type(error).__name__
    return f"{name} is damaged or cut short ({detail}): copy it again from its source."
