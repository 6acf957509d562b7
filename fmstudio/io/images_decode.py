"""Headers and pixels of open image files: what `fmstudio.io.images` reads with.

Functions here raise whatever their decoders raise; `fmstudio.io.images` makes sentences of it.
"""

import os
import struct
import threading
import warnings
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fmstudio.errors import ImageError

# Not all that Pillow has: its EPS reader, for one, starts another program.
_FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_ORIENTATION_TAG = 274
_Value = TypeVar("_Value", bound=np.generic)
_WINDOW = (0.1, 99.9)
# Of stored values for each pixel that is allowed: three channels of single precision.
_BYTES_PER_PIXEL = 12
# No picture of something packs more pixels into a byte; one below the size does no harm.
_PIXELS_PER_BYTE, _HARMLESS = 100_000, 2**24
_WINDOW_SAMPLES = 4_000_000
_BAND_PIXELS = 2**22

# Pillow's own pixel limit and Python's warning filters belong to the whole process; they are
# changed only while a header is read, by one thread at a time.
_header_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Header:
    """What an open file's header says; the picture itself is not decoded yet.

    ``pil`` is None where only tifffile understands the file; ``is_deep`` says that Pillow would
    lose bits; ``width`` and ``height`` are as stored, before orientation. ``n_bytes`` is what its
    stored values take, 0 where Pillow sees to that.
    """

    pil: Image.Image | None
    width: int
    height: int
    orientation: int
    is_deep: bool
    is_tiff: bool
    n_bytes: int = 0


def read_header(file: BufferedReader, path: Path, max_pixels: int) -> Header:
    """Return the header of an open image file, refusing empty and too large ones."""
    start = file.read(32)
    file.seek(0)
    if not start:
        raise ImageError(f"{path} is empty (0 bytes): copy it again from its source.")
    header = _tiff_header(file) if start.startswith(_TIFF_STARTS) else _pillow_header(file, start)
    if header.width * header.height > max_pixels:
        raise ImageError(
            f"{path} has {header.width:,} x {header.height:,} pixels, more than the limit of"
            f" {max_pixels / 1e6:,.0f} million: scale it down or cut it into parts."
        )
    if header.width < 1 or header.height < 1:
        raise ImageError(f"{path} has no pixels ({header.width} x {header.height}).")
    _check_packing(header, path, os.fstat(file.fileno()).st_size, max_pixels)
    return header


def _check_packing(header: Header, path: Path, size: int, max_pixels: int) -> None:
    """Refuse an image whose values would take far more memory than any that a camera made."""
    pixels = header.width * header.height
    if header.n_bytes > _BYTES_PER_PIXEL * max_pixels:
        raise ImageError(
            f"{path} would take {header.n_bytes / 1e9:,.0f} GB of memory: save fewer channels, "
            "or fewer bits of each."
        )
    if pixels > max(_HARMLESS, _PIXELS_PER_BYTE * size):
        raise ImageError(
            f"{path} claims {header.width:,} x {header.height:,} pixels in {size:,} bytes: it is"
            " damaged, so copy it again from its source."
        )


def decode(file: BufferedReader, header: Header) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3), oriented."""
    if header.is_tiff and header.pil is None:
        return apply_orientation(_deep_to_rgb(*_decode_deep_tiff(file)), header.orientation)
    if header.pil is None:
        raise AssertionError("only a TIFF is read without Pillow")
    # Also for deep PNGs, which OpenCV decodes: Pillow is the one that notices a cut file.
    header.pil.load()
    if header.is_deep:
        rgb = _deep_to_rgb(_decode_with_opencv(file), is_cmyk=False)
    else:
        rgb = _pillow_to_rgb(header.pil)
    # Pillow turns TIFFs itself while loading, and takes the tag away when it has done so.
    if header.is_tiff and header.pil.getexif().get(_ORIENTATION_TAG, 1) == 1:
        return rgb
    return apply_orientation(rgb, header.orientation)


def apply_orientation(array: NDArray[_Value], orientation: int) -> NDArray[_Value]:
    """Return a stored picture (H, W, ...) turned as its EXIF orientation asks.

    The tag's meaning is that of EXIF 2.32, section 4.6.4; values other than 2 to 8 do nothing.
    """
    turned = array.swapaxes(0, 1) if orientation in {5, 6, 7, 8} else array
    if orientation in {2, 3, 6, 7}:
        turned = turned[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        turned = turned[::-1]
    return turned


def window_to_uint8(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Map values (H, W, ...) of any number type to 0..255 between their 0.1 and 99.9 percentiles.

    All channels share one window, so colours keep their balance. Values that are not finite
    become 0; a picture of one value becomes mid grey. Percentiles of large pictures are taken
    from at most about four million evenly spaced values.
    """
    step = max(1, round((array.size / _WINDOW_SAMPLES) ** 0.5))
    sample = array[::step, ::step].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    low, high = np.percentile(sample, _WINDOW) if sample.size else (0.0, 0.0)
    if high <= low:
        low, high = (sample.min(), sample.max()) if sample.size else (0.0, 0.0)
    if high <= low:
        return np.full(array.shape, 128, dtype=np.uint8)
    scaled: NDArray[np.float32] = (array.astype(np.float32) - np.float32(low)) * np.float32(
        255.0 / (high - low)
    )
    scaled = np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _open_pillow(file: BufferedReader) -> Image.Image:
    """Open a file with Pillow, without its process-wide pixel limit and its warnings."""
    with _header_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.init()
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=[name for name in _FORMATS if name in Image.OPEN])
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _pillow_header(file: BufferedReader, start: bytes) -> Header:
    """Return the header of a file that is not a TIFF."""
    is_png = start.startswith(_PNG_START)
    late_exif = _png_exif(file) if is_png else None
    file.seek(0)
    image = _open_pillow(file)
    if late_exif is not None:
        image.info["exif"] = late_exif
    is_deep = is_png and len(start) > 24 and start[24] == 16
    return Header(image, *image.size, _orientation(image), is_deep, is_tiff=False)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 when there is none or the EXIF data are broken."""
    try:
        with _header_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The base class's: PNG's own decodes all pixels in search of a late EXIF chunk.
            value = Image.Image.getexif(image).get(_ORIENTATION_TAG, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, IndexError, OSError, struct.error):
        return 1
    return _valid_orientation(value)


def _valid_orientation(value: object) -> int:
    """Return an orientation that makes sense: 1 for any other value."""
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def _png_exif(file: BufferedReader) -> bytes | None:
    """Return a PNG's EXIF chunk, which may stand behind the pixels, without decoding these."""
    file.seek(len(_PNG_START))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"eXIf":
            return b"Exif\0\0" + file.read(min(length, 1 << 20))
        if kind == b"IEND":
            return None
        file.seek(length + 4, os.SEEK_CUR)
    return None


def _tiff_header(file: BufferedReader) -> Header:
    """Return the header of a TIFF: tifffile tells depth and orientation for every kind."""
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        tag = page.tags.get(_ORIENTATION_TAG)
        orientation = _valid_orientation(tag.value if tag is not None else 1)
        is_deep = page.dtype is not None and page.dtype not in (np.dtype("u1"), np.dtype("?"))
        width, height = int(page.imagewidth), int(page.imagelength)
        n_bytes = int(page.nbytes)
    image = None
    if not is_deep:
        file.seek(0)
        try:
            image = _open_pillow(file)
        except UnidentifiedImageError:
            image = None
    return Header(image, width, height, orientation, is_deep, is_tiff=True, n_bytes=n_bytes)


def _pillow_to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return a loaded picture as (H, W, 3)."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _deep_to_rgb(np.asarray(image), is_cmyk=False)
    width, height = image.size
    rgb = np.empty((height, width, 3), dtype=np.uint8)
    # All at once, Pillow would hold the picture four times over.
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        rgb[top:bottom] = _band_to_rgb(image.crop((0, top, width, bottom)))
    return rgb


def _band_to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return a part of a picture as (h, W, 3), on white where it is transparent."""
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return np.asarray(image.convert("RGB"))


def _decode_with_opencv(file: BufferedReader) -> NDArray[Any]:
    """Return the stored values of a deep picture: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA."""
    file.seek(0)
    encoded = np.frombuffer(file.read(), dtype=np.uint8)
    values = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ValueError("its pixels cannot be decoded")
    if values.ndim == 3 and values.shape[2] >= 3:
        order = [2, 1, 0, *range(3, values.shape[2])]
        return np.asarray(values[..., order])
    return np.asarray(values)


def _decode_deep_tiff(file: BufferedReader) -> tuple[NDArray[Any], bool]:
    """Return the first page's stored values (H, W) or (H, W, channels), and whether it is CMYK."""
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        is_cmyk = page.photometric == tifffile.PHOTOMETRIC.SEPARATED
        try:
            values = np.asarray(page.asarray())
        except (KeyError, ValueError, ImportError):
            # tifffile alone does not know every compression; OpenCV's own libtiff may.
            return _decode_with_opencv(file), is_cmyk
        if page.axes.startswith("S") and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            values = values.max() - values
    return values, is_cmyk


def _deep_to_rgb(values: NDArray[Any], is_cmyk: bool) -> NDArray[np.uint8]:
    """Return stored values of any depth as (H, W, 3); beyond four channels the first three."""
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3:
        raise ValueError(f"its pixels have {values.ndim} dimensions")
    channels = values.shape[2]
    if is_cmyk and channels >= 4 and values.dtype.kind == "u":
        light = 1 - values[..., :4].astype(np.float32) / np.iinfo(values.dtype).max
        return np.rint(255 * light[..., :3] * light[..., 3:]).astype(np.uint8)
    rgb = window_to_uint8(values[..., : 1 if channels < 3 else 3])
    if channels in {2, 4} and values.dtype.kind == "u":
        alpha = values[..., -1:].astype(np.float32) / np.iinfo(values.dtype).max
        rgb = np.rint(rgb * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb
