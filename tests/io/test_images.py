"""Every odd kind of image file, made for real, either reads or gets one sentence."""

import binascii
import hashlib
import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fmstudio.errors import ImageError
from fmstudio.geometry.grid import ImageSize
from fmstudio.io import images
from fmstudio.io.images_decode import apply_orientation, window_to_uint8

HEIGHT, WIDTH = 48, 64


@pytest.fixture
def rgb() -> NDArray[np.uint8]:
    """A smooth picture without any symmetry."""
    rows, cols = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([cols * 3, rows * 4, 255 - cols - rows], axis=-1).astype(np.uint8)


def save(path: Path, array: NDArray[np.uint8] | Image.Image, **options: object) -> Path:
    picture = array if isinstance(array, Image.Image) else Image.fromarray(array)
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


def sentence(path: Path) -> str:
    """Return the one sentence with which an image is refused."""
    with pytest.raises(ImageError) as caught:
        images.read_rgb(path)
    text = str(caught.value)
    assert path.name in text
    assert "\n" not in text
    assert text.endswith(".")
    return text


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
def test_lossless_files_come_back_exactly(
    tmp_path: Path, rgb: NDArray[np.uint8], suffix: str
) -> None:
    read = images.read_rgb(save(tmp_path / f"a{suffix}", rgb))
    assert np.array_equal(read, rgb)
    assert read.dtype == np.uint8
    assert not read.flags.writeable
    assert read.flags.c_contiguous


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".jp2"])
def test_lossy_files_come_back_nearly(tmp_path: Path, rgb: NDArray[np.uint8], suffix: str) -> None:
    read = images.read_rgb(save(tmp_path / f"a{suffix}", rgb, quality=95))
    assert np.abs(read.astype(int) - rgb).mean() < 6


def test_grey_is_repeated(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    read = images.read_rgb(save(tmp_path / "a.png", rgb[..., 0]))
    assert np.array_equal(read, np.repeat(rgb[..., :1], 3, axis=2))


def test_black_and_white(tmp_path: Path) -> None:
    bits = np.eye(8, dtype=np.uint8) * 255
    read = images.read_rgb(save(tmp_path / "a.png", Image.fromarray(bits).convert("1")))
    assert np.array_equal(read[..., 1], bits)


@pytest.mark.parametrize("kind", ["gray", "rgb"])
@pytest.mark.parametrize("top", [4095, 65535])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_windowed(
    tmp_path: Path, rgb: NDArray[np.uint8], kind: str, top: int, suffix: str
) -> None:
    picture = rgb if kind == "rgb" else rgb[..., 0]
    deep = np.rint(picture.astype(float) / 255 * top).astype(np.uint16)
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        stored = deep[..., ::-1] if kind == "rgb" else deep
        path.write_bytes(cv2.imencode(".png", stored)[1].tobytes())
    else:
        tifffile.imwrite(path, deep, photometric="rgb" if kind == "rgb" else "minisblack")
    read = images.read_rgb(path)
    low, high = np.percentile(deep, (0.1, 99.9))
    wanted = np.clip((deep - low) / (high - low), 0, 1) * 255
    if kind == "gray":
        wanted = np.repeat(wanted[..., None], 3, axis=2)
    assert np.abs(read - wanted).max() <= 1
    assert read.max() == 255
    assert images.probe(path).size == ImageSize(WIDTH, HEIGHT)


def test_a_compressed_sixteen_bit_tiff(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = tmp_path / "a.tif"
    lzw = [cv2.IMWRITE_TIFF_COMPRESSION, 5]
    stored = np.ascontiguousarray(rgb[..., ::-1]).astype(np.uint16) * 10
    path.write_bytes(cv2.imencode(".tif", stored, lzw)[1].tobytes())
    read = images.read_rgb(path)
    for channel in range(3):
        assert np.corrcoef(read[..., channel].ravel(), rgb[..., channel].ravel())[0, 1] > 0.999


def test_planar_and_floating_point_tiffs(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    planar = tmp_path / "planar.tif"
    tifffile.imwrite(
        planar,
        np.moveaxis(rgb, -1, 0).astype(np.uint16),
        photometric="rgb",
        planarconfig="separate",
    )
    assert images.read_rgb(planar).shape == rgb.shape
    floating = tmp_path / "float.tif"
    values = rgb[..., 0].astype(np.float32) / 7
    values[0, 0] = np.nan
    tifffile.imwrite(floating, values)
    read = images.read_rgb(floating)
    assert read[0, 0].tolist() == [0, 0, 0]
    assert read.max() == 255


def test_a_tiff_whose_white_is_zero(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    deep, flat = tmp_path / "deep.tif", tmp_path / "flat.tif"
    tifffile.imwrite(deep, rgb[..., 0].astype(np.uint16) * 100, photometric="miniswhite")
    tifffile.imwrite(flat, rgb[..., 0], photometric="miniswhite")
    for path in (deep, flat):
        read = images.read_rgb(path)[..., 0].astype(int)
        assert read[0, 0] > 240
        assert read[0, -1] < 70


def test_of_a_stack_the_first_page_is_taken(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([rgb, 255 - rgb]), photometric="rgb")
    assert np.array_equal(images.read_rgb(path), rgb)


def test_cmyk_jpeg(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(rgb).convert("CMYK"), quality=95)
    assert np.abs(images.read_rgb(path).astype(int) - rgb).mean() < 6


def test_sixteen_bit_cmyk_tiff(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = tmp_path / "a.tif"
    ink = (255 - rgb).astype(np.uint16) * 257
    black = np.zeros((HEIGHT, WIDTH, 1), np.uint16)
    tifffile.imwrite(path, np.concatenate([ink, black], axis=2), photometric="separated")
    assert np.abs(images.read_rgb(path).astype(int) - rgb).max() <= 1


def test_palette(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    palette = Image.fromarray(rgb).quantize(32)
    read = images.read_rgb(save(tmp_path / "a.png", palette))
    assert np.array_equal(read, np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("mode", ["P", "P-bytes", "LA", "RGBA", "PA", "L-key", "RGB-key"])
def test_transparency_is_laid_over_white(tmp_path: Path, mode: str) -> None:
    black = np.zeros((4, 4), np.uint8)
    half = np.zeros((4, 4), np.uint8)
    half[:, 2:] = 255
    options: dict[str, object] = {}
    if mode.startswith("P"):
        picture = Image.fromarray(half // 255).convert("P")
        picture.putpalette([0, 0, 0, 0, 0, 0])
        options["transparency"] = b"\x00\xff" if mode == "P-bytes" else 0
    elif mode == "LA":
        picture = Image.merge("LA", [Image.fromarray(black), Image.fromarray(half)])
    elif mode == "RGBA":
        picture = Image.fromarray(np.dstack([black, black, black, half]))
    elif mode == "L-key":
        picture, options["transparency"] = Image.fromarray(255 - half), 255
    else:
        picture = Image.fromarray(np.dstack([255 - half, black, black]))
        options["transparency"] = (255, 0, 0)
    read = images.read_rgb(save(tmp_path / "a.png", picture, **options))
    assert (read[:, :2] == 255).all()
    assert (read[:, 2:] == 0).all()


def test_sixteen_bit_transparency_is_laid_over_white(tmp_path: Path) -> None:
    deep = np.zeros((4, 4, 4), np.uint16)
    deep[:, :, 0] = [[0, 1000, 2000, 4000]] * 4
    deep[:, :2, 3] = 65535
    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    read = images.read_rgb(path)
    assert (read[:, 2:] == 255).all()
    assert (read[:, :2, :2] == 0).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_all_orientations(tmp_path: Path, rgb: NDArray[np.uint8], tag: int, suffix: str) -> None:
    stored = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[274] = tag
    upright = ImageOps.exif_transpose(_with_exif(stored, exif))
    path = save(tmp_path / f"a{suffix}", stored, exif=exif, quality=95)
    read = images.read_rgb(path)
    info = images.probe(path)
    assert read.shape[:2] == (upright.height, upright.width)
    assert np.abs(read.astype(int) - np.asarray(upright)).mean() < 6
    assert info.size == ImageSize(upright.width, upright.height)
    assert info.orientation == tag
    small = images.thumbnail(path, 32)
    assert small.shape[:2] == ((32, 24) if tag >= 5 else (24, 32))


def _with_exif(picture: Image.Image, exif: Image.Exif) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif)
    return Image.open(buffer)


@pytest.mark.parametrize("tag", [3, 6])
def test_a_sixteen_bit_tiff_is_oriented(tmp_path: Path, rgb: NDArray[np.uint8], tag: int) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, rgb.astype(np.uint16), photometric="rgb", extratags=[(274, "H", 1, tag, True)]
    )
    upright = apply_orientation(rgb, tag)
    assert np.abs(images.read_rgb(path).astype(int) - upright).mean() < 5
    assert images.probe(path).size == ImageSize(upright.shape[1], upright.shape[0])


def test_exif_behind_the_pixels_of_a_png(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.png", rgb)
    exif = Image.Exif()
    exif[274] = 6
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", binascii.crc32(body))
    data = path.read_bytes()
    path.write_bytes(data[:-12] + chunk + data[-12:])
    assert images.probe(path).size == ImageSize(HEIGHT, WIDTH)
    assert np.array_equal(images.read_rgb(path), apply_orientation(rgb, 6))


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff", b"Exif\0\0rubbish"])
def test_broken_exif_is_no_orientation(tmp_path: Path, rgb: NDArray[np.uint8], exif: bytes) -> None:
    path = save(tmp_path / "a.jpg", rgb, exif=exif)
    assert images.probe(path).orientation == 1
    assert images.read_rgb(path).shape == rgb.shape


def test_orientation_nine_is_none(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    exif = Image.Exif()
    exif[274] = 9
    assert images.probe(save(tmp_path / "a.jpg", rgb, exif=exif)).orientation == 1


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "lime", "blue")]
    options: dict[str, object] = {"save_all": True, "append_images": frames[1:]}
    path = save(tmp_path / f"a{suffix}", frames[0], lossless=True, **options)
    assert images.read_rgb(path)[3, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".tif", ".webp"])
def test_a_file_cut_short(tmp_path: Path, rgb: NDArray[np.uint8], suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, rgb.shape, dtype=np.uint8)
    path = save(tmp_path / f"a{suffix}", noise)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "damaged" in sentence(path) or "not an image" in sentence(path)


def test_a_sixteen_bit_png_cut_short(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (40, 40, 3), dtype=np.uint16)
    path = tmp_path / "a.png"
    data = cv2.imencode(".png", noise)[1].tobytes()
    path.write_bytes(data[: len(data) // 2])
    assert "damaged" in sentence(path)


def test_a_sixteen_bit_tiff_cut_short(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (40, 40, 3), dtype=np.uint16)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise, photometric="rgb")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "damaged" in sentence(path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")
    assert "empty" in sentence(path)
    with pytest.raises(ImageError, match="empty"):
        images.probe(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    for name in ("pipe.jpg", "zero.jpg"):
        for read in (images.read_rgb, images.probe, images.file_sha256):
            with pytest.raises(ImageError, match="a device or a pipe, not an image"):
                read(tmp_path / name)


def test_a_text_named_jpg(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_text("Dear all,\nplease find attached")
    assert "not an image" in sentence(path)


def test_a_postscript_file_is_refused_without_starting_ghostscript(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    assert "not an image" in sentence(path)


def test_a_missing_file_a_folder_and_a_name_too_long(tmp_path: Path) -> None:
    assert "no file" in sentence(tmp_path / "missing.png")
    (tmp_path / "folder.png").mkdir()
    assert sentence(tmp_path / "folder.png")
    assert sentence(tmp_path / ("x" * 300 + ".png"))


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode there")
def test_a_name_that_is_not_unicode(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    try:
        save(path, rgb)
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    with pytest.raises(ImageError, match="Unicode") as caught:
        images.probe(path)
    assert str(caught.value).encode("utf-8")


def test_unicode_spaces_and_long_paths(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    folder = tmp_path / "Fotos von Ümläuten" / ("深い" * 20) / ("x" * 100)
    folder.mkdir(parents=True)
    path = save(folder / ("絵 🦊 " + "y" * 150 + ".png"), rgb)
    assert np.array_equal(images.read_rgb(path), rgb)
    deep = folder / "日本.png"
    deep.write_bytes(cv2.imencode(".png", rgb.astype(np.uint16) * 16)[1].tobytes())
    assert images.read_rgb(deep).shape == rgb.shape


def _png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = binascii.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def _tiff_claiming(width: int, height: int) -> bytes:
    tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1)]
    tags += [(278, height), (279, 1000)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)


@pytest.mark.parametrize("make", [_png_claiming, _tiff_claiming])
def test_a_header_claiming_too_much_is_refused_without_allocating(tmp_path: Path, make) -> None:
    path = tmp_path / "huge.img"
    path.write_bytes(make(60_000, 60_000))
    tracemalloc.start()
    try:
        text = sentence(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "60,000 x 60,000" in text
    assert "268 million" in text
    assert peak < 10_000_000
    with pytest.raises(ImageError, match="60,000"):
        images.probe(path)


def test_the_limit_can_be_set(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.png", rgb)
    with pytest.raises(ImageError, match="64 x 48"):
        images.read_rgb(path, max_pixels=HEIGHT * WIDTH - 1)
    assert images.read_rgb(path, max_pixels=HEIGHT * WIDTH).shape == rgb.shape


def test_more_pixels_than_pillow_alone_would_take(tmp_path: Path) -> None:
    """Pillow warns above 89 million pixels, and a warning is an error here."""
    path = save(tmp_path / "a.png", Image.new("1", (10_000, 9_000)))
    before = Image.MAX_IMAGE_PIXELS
    assert images.probe(path).size == ImageSize(10_000, 9_000)
    assert images.thumbnail(path, 100).shape == (90, 100, 3)
    assert before == Image.MAX_IMAGE_PIXELS


def test_probe_hashes_the_bytes_and_reads_no_pixels(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.png", rgb)
    data = path.read_bytes()
    path.write_bytes(data[:200])
    info = images.probe(path)
    assert info.sha256 == hashlib.sha256(data[:200]).hexdigest() == images.file_sha256(path)
    assert info.size == ImageSize(WIDTH, HEIGHT)


def test_thumbnails_shrink_and_never_grow(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.jpg", np.repeat(np.repeat(rgb, 10, 0), 10, 1), quality=95)
    small = images.thumbnail(path, 64)
    assert small.shape == (48, 64, 3)
    assert np.abs(small.astype(int) - rgb).mean() < 8
    tiny = save(tmp_path / "b.png", rgb)
    assert np.array_equal(images.thumbnail(tiny, 500), rgb)
    thin = save(tmp_path / "c.png", np.zeros((1000, 1), np.uint8))
    assert images.thumbnail(thin, 100).shape == (100, 1, 3)


def test_write_png(tmp_path: Path, rgb: NDArray[np.uint8]) -> None:
    images.write_png(tmp_path / "a.png", rgb)
    assert np.array_equal(images.read_rgb(tmp_path / "a.png"), rgb)
    with pytest.raises(ImageError, match=r"missing.*a\.png"):
        images.write_png(tmp_path / "missing" / "a.png", rgb)


@given(
    hnp.arrays(
        st.sampled_from([np.uint16, np.int16, np.int32, np.float32]),
        hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6),
        elements=st.integers(0, 1000),
    )
)
def test_a_window_keeps_order_and_fills_the_range(values: NDArray[np.generic]) -> None:
    shown = window_to_uint8(values)
    assert shown.shape == values.shape
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()
    if values.min() < values.max():
        assert shown.min() == 0
        assert shown.max() == 255
    else:
        assert (shown == 128).all()


def test_values_that_are_not_finite_become_black() -> None:
    values = np.array([[np.nan, np.inf, -np.inf], [0.0, 1.0, 2.0]])
    assert window_to_uint8(values).tolist() == [[0, 0, 0], [0, 128, 255]]
    assert (window_to_uint8(np.full((2, 2), np.nan)) == 128).all()
