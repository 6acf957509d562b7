"""Image files with changed bytes: each becomes a picture or one sentence, soon and in bounds.

Read in a process of its own that may take two gigabytes, since what a decoder does to memory, or to
the process, cannot be seen from within.
"""

import io
import json
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.rounds import rounds

ROOT = Path(__file__).resolve().parents[2]

# Reads what it is given on its standard input, a path a line, and says what became of each.
READER = """
import json, sys, time
try:
    import resource
except ImportError:
    pass
else:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from pathlib import Path
from fmstudio.errors import ImageError
from fmstudio.io import images
for line in sys.stdin:
    path, began, said = Path(json.loads(line)), time.process_time(), ""
    for read in (images.probe, images.read_rgb, lambda path: images.thumbnail(path, 64)):
        try:
            read(path)
        except ImageError as error:
            said = str(error)
        except BaseException as error:
            said = f"!{type(error).__name__}: {error}"
        if said.startswith("!"):
            break
    print(json.dumps([said, time.process_time() - began]), flush=True)
"""


def picture() -> NDArray[np.uint8]:
    rows, cols = np.mgrid[0:24, 0:32]
    return np.stack([cols * 7, rows * 9, 255 - cols - rows], axis=-1).astype(np.uint8)


def saved(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, kind, **options)
    return buffer.getvalue()


def deep_tiff(**options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, picture().astype(np.uint16) * 16, photometric="rgb", **options)
    return buffer.getvalue()


def oriented() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


MAKERS: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved("PNG", exif=oriented()),
    "jpg": lambda: saved("JPEG", exif=oriented()),
    "tif": lambda: saved("TIFF", compression="tiff_lzw"),
    "bmp": lambda: saved("BMP"),
    "webp": lambda: saved("WEBP", exif=oriented()),
    "gif": lambda: saved("GIF", save_all=True, append_images=[Image.new("RGB", (32, 24))]),
    "jp2": lambda: saved("JPEG2000"),
    "deep.png": lambda: cv2.imencode(".png", picture().astype(np.uint16) * 16)[1].tobytes(),
    "deep.tif": deep_tiff,
    "packed.tif": lambda: deep_tiff(compression="zlib"),
}
COUNT = rounds(60)


def changed(data: bytes, rng: random.Random) -> bytes:
    """Return a file with 1 to 64 bytes changed, or cut, or with a huge number somewhere in it."""
    new = bytearray(data)
    how = rng.randrange(4)
    # Headers stand at either end.
    near = rng.choice([len(data), min(len(data), 120)])
    if how == 0:
        return bytes(new[: rng.randrange(len(data))])
    if how == 1:
        at = rng.randrange(max(near - 4, 1))
        huge = rng.choice([2**31 - 1, 2**31, 2**32 - 1, 20_000, 65_535, 0])
        new[at : at + 4] = struct.pack(rng.choice("<>") + "I", huge)
        return bytes(new)
    for _ in range(rng.randint(1, 64)):
        at = rng.randrange(near) if how == 2 else len(data) - 1 - rng.randrange(near)
        new[at] = rng.randrange(256)
    return bytes(new)


def read_all(paths: list[Path]) -> list[tuple[str, float]]:
    """Return what is said of each file, empty for a picture, and how long it took."""
    done = subprocess.run(
        [sys.executable, "-c", READER],
        input="".join(json.dumps(str(path)) + "\n" for path in paths),
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=280,
    )  # fmt: skip
    answers = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    place = paths[len(answers)] if len(answers) < len(paths) else ""
    assert done.returncode == 0, f"{place} ended the process: {done.stderr[-500:]}"
    return answers


def test_changed_images_are_read_or_refused_in_bounds(tmp_path: Path) -> None:
    rng = random.Random(7)
    paths = []
    for name, make in MAKERS.items():
        whole = make()
        for i in range(COUNT):
            path = tmp_path / f"{i}.{name}"
            path.write_bytes(changed(whole, rng))
            paths.append(path)
    answers = read_all(paths)
    for path, (said, seconds) in zip(paths, answers, strict=True):
        assert not said.startswith("!"), f"{path}: {said}"
        assert "\n" not in said, path
        assert seconds < 10, path
    n_read = sum(not said for said, _ in answers)
    assert 0 < n_read < len(answers)


def tiff(*tags: tuple[int, int, int, int], data: bytes = bytes(100)) -> bytes:
    """Return a TIFF of any tags, each (number, type, count, value), and some bytes."""
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", number, kind, count, start if value < 0 else value)
        for number, kind, count, value in tags
    )
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


SIDES = ((256, 4, 1, 16_000), (257, 4, 1, 16_000))
STRIP = ((273, 4, 1, -1), (278, 4, 1, 16_000), (279, 4, 1, 100))
BOMBS = {
    "many channels": tiff(
        *SIDES, (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), *STRIP[:1], (277, 3, 1, 60_000),
        *STRIP[1:],
    ),
    "wide numbers": tiff(
        *SIDES, (258, 3, 1, 64), (259, 3, 1, 1), (262, 3, 1, 1), *STRIP[:1], (277, 3, 1, 4),
        *STRIP[1:], (339, 3, 1, 3),
    ),
    "many layers": tiff(
        *SIDES, (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), *STRIP[:1], (277, 3, 1, 1),
        *STRIP[1:], (32997, 4, 1, 10_000),
    ),
    "many strips": tiff(
        *SIDES, (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 2**31, -1),
        (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, 2**31, -1),
    ),
    "nothing in it": tiff(
        *SIDES, (258, 3, 1, 16), (259, 3, 1, 8), (262, 3, 1, 1), *STRIP[:1], (277, 3, 1, 3),
        *STRIP[1:],
    ),
}  # fmt: skip


def test_headers_that_claim_more_than_there_is_take_no_memory(tmp_path: Path) -> None:
    paths = []
    for name, data in BOMBS.items():
        path = tmp_path / f"{name}.tif"
        path.write_bytes(data)
        paths.append(path)
    for path, (said, seconds) in zip(paths, read_all(paths), strict=True):
        assert said, path
        assert not said.startswith("!"), f"{path}: {said}"
        assert "does not fit into memory" not in said, path
        assert seconds < 10, path


def test_sides_of_twenty_thousand_pixels_are_refused_by_their_header(tmp_path: Path) -> None:
    side = 20_000
    paths = [tmp_path / name for name in ("a.png", "a.jpg", "a.bmp")]
    whole = saved("PNG")
    head = b"IHDR" + struct.pack(">II", side, side) + whole[24:29]
    paths[0].write_bytes(whole[:12] + head + struct.pack(">I", zlib.crc32(head)) + whole[33:])
    whole = saved("JPEG")
    at = whole.index(b"\xff\xc0") + 5
    paths[1].write_bytes(whole[:at] + struct.pack(">HH", side, side) + whole[at + 4 :])
    whole = saved("BMP")
    paths[2].write_bytes(whole[:18] + struct.pack("<II", side, side) + whole[26:])
    said = [text for text, _ in read_all(paths)]
    assert all("20,000 x 20,000 pixels, more than the limit" in text for text in said)
