"""Try a built bundle, as a person has it: no Python, no environment, an empty home.

``python packaging/smoke.py BUNDLE [--pictures FOLDER]`` asks it for its version and its doctor,
runs the demo in an empty folder and reads the COCO that it wrote, lets it load networks of Stable
Diffusion's kind, and on Linux opens the window under Xvfb, computes in it and closes it.

BUNDLE may also be the program itself, such as ``/usr/bin/fmstudio``. Where Xvfb or xdotool is
missing, all but the window is tried, and the exit code is 77, which stands for "skipped".
"""

import argparse
import importlib.util
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from window_journey import NEEDED, PACKAGES, SKIPPED, display, xdotool

if TYPE_CHECKING:
    from PIL import Image

HERE = Path(__file__).resolve().parent
SIZE = "1280x800"
# Seconds that a command may take, and the window may need to show something.
_STEP, _WAIT = 600, 180
# Of 255, over the whole screen: more than a panel that opens, less than a painted canvas.
_PAINTED = 2.0


class SmokeError(Exception):
    """Something that the bundle should do and does not; the text says what."""


class Bundle:
    """A bundle's program, run in an empty folder with an empty home.

    Parameters
    ----------
    place : Path
        The bundle's folder, the ``.app``, or the program.
    folder : Path
        An empty one.
    """

    def __init__(self, place: Path, folder: Path) -> None:
        names = ("fmstudio", "fmstudio.exe", "Contents/MacOS/fmstudio")
        inside = [place / name for name in names if (place / name).is_file()]
        if not inside and not place.is_file():
            raise SmokeError(f"There is no program of fmstudio in {place}.")
        self.program = inside[0].resolve() if inside else place.absolute()
        self.folder, self.home = folder / "work", folder / "home"
        self.folder.mkdir()
        self.home.mkdir()

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of someone who has just signed in."""
        path = os.environ["PATH"] if sys.platform == "win32" else "/usr/bin:/bin"
        kept = {k: os.environ[k] for k in ("SYSTEMROOT", "TEMP", "TMP") if k in os.environ}
        own = {"HOME": str(self.home), "USERPROFILE": str(self.home), "LANG": "C.UTF-8"}
        return {"PATH": path, **kept, **own, **more}

    def run(self, *arguments: str) -> str:
        """Run a command and return what it prints; SmokeError unless it ends with 0."""
        start = time.monotonic()
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_STEP,
            check=False,
        )
        shown = " ".join(Path(a).name if os.sep in a else a for a in arguments)
        if done.returncode:
            raise SmokeError(f"fmstudio {shown} ended with {done.returncode}: {done.stderr}")
        print(f"fmstudio {shown}: {time.monotonic() - start:.1f} s", flush=True)
        return done.stdout


def try_commands(bundle: Bundle) -> None:
    """Ask for version and health, and run the demo."""
    said = bundle.run("--version").strip()
    version = runpy.run_path(str(HERE.parent / "fmstudio" / "__init__.py"))["__version__"]
    if said != f"fmstudio {version}":
        raise SmokeError(f"It calls itself '{said}', but this is fmstudio {version}.")
    found = json.loads(bundle.run("doctor", "--json"))
    home = bundle.program.resolve().parent
    for name in ("efficientnet-lite0", "efficientnet-lite2"):
        if not Path(found[f"weights {name}"]).is_relative_to(home):
            raise SmokeError(f"{name} is read from outside: {found[f'weights {name}']}.")
    bundle.run("demo")
    check_coco(bundle.folder / "fmstudio-demo" / "labels.coco.json")


def check_coco(path: Path) -> None:
    """Look at the COCO file of the demo: keypoints and a mask on every photo."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    images = {image["id"] for image in document["images"]}
    labelled = [
        a["image_id"]
        for a in document["annotations"]
        if a["segmentation"] and a["area"] > 0 and any(a["keypoints"])
    ]
    if len(images) < 10 or sorted(labelled) != sorted(images):
        raise SmokeError(f"Of {len(images)} photos {len(labelled)} have keypoints and a mask.")
    print(f"{path.name}: keypoints and a mask on each of {len(images)} photos")


def try_diffusion(bundle: Bundle) -> None:
    """Match two photos by networks of Stable Diffusion's classes, which are imported lazily."""
    if importlib.util.find_spec("diffusers") is None:
        raise SmokeError("The smoke test needs diffusers, to make the networks: install '.[dev]'.")
    folder = bundle.folder / "tiny"
    command = [sys.executable, str(HERE / "tiny_diffusion.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    photos = bundle.folder / "fmstudio-demo" / "cats" / "images"
    pair = [str(path) for path in sorted(photos.iterdir())[:2]]
    chosen = f"descriptor_extractors=sd15:blocks=1+2:path={folder}"
    small = ("--set", "long_side=256", "--set", chosen)
    bundle.run("match", *pair, "--out", "match.png", *small)
    if not (bundle.folder / "match.png").is_file():
        raise SmokeError("It matched two photos and wrote no picture.")


def try_window(bundle: Bundle, pictures: Path) -> None:
    """Open the demo's project in the window, compute in it, look at it, and close it."""
    project = bundle.folder / "fmstudio-demo" / "demo.fmstudio"
    with display(SIZE) as name:
        os.environ["DISPLAY"] = name
        environment = bundle.environment(DISPLAY=name, QT_QPA_PLATFORM="xcb")
        start = time.monotonic()
        window = subprocess.Popen(
            [str(bundle.program), "gui", str(project)],
            cwd=bundle.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            number = until(window, lambda: window_of("demo"), "the window")
            print(f"the window is there after {time.monotonic() - start:.1f} s")
            drive(window, number, pictures)
            said, _ = window.communicate(timeout=60)
        finally:
            window.kill()
    if window.returncode or "Traceback" in said:
        raise SmokeError(f"The window ended with {window.returncode}: {said}")
    print("the window closed with 0")


def drive(window: subprocess.Popen[str], number: str, pictures: Path) -> None:
    """Look at the photos, let the inspector carry the colours over, and quit."""
    # There is no window manager to give the window the keyboard.
    xdotool("windowmove", number, "0", "0", "windowsize", number, *SIZE.split("x"))
    xdotool("windowfocus", "--sync", number)
    time.sleep(5)
    before = shoot(pictures, "window")
    xdotool("key", "i")
    xdotool("key", "shift+c")
    # Torch comes in on the compute thread, the pair is matched, and one canvas is painted.
    until(window, lambda: difference(before, seen()) > _PAINTED, "the colours carried over")
    shoot(pictures, "inspector")
    xdotool("key", "ctrl+q")


def until(window: subprocess.Popen[str], found: Callable[[], Any], what: str) -> Any:
    """Wait until something is there, and return it."""
    end = time.monotonic() + _WAIT
    while time.monotonic() < end:
        if window.poll() is not None:
            said = window.stdout.read() if window.stdout else ""
            raise SmokeError(f"The window ended by itself with {window.returncode}: {said}")
        if value := found():
            return value
        time.sleep(0.2)
    raise SmokeError(f"Waited in vain for {what}.")


def window_of(title: str) -> str:
    """Return the number of the window whose title holds a word, or ""."""
    done = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", title],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()[0] if done.stdout.split() else ""


def seen() -> "Image.Image":
    """Return what the screen shows."""
    from PIL import ImageGrab

    return ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB")


def difference(a: "Image.Image", b: "Image.Image") -> float:
    """Return by how much two pictures differ, of 255 on average."""
    from PIL import ImageChops, ImageStat

    return max(ImageStat.Stat(ImageChops.difference(a, b)).mean)


def shoot(folder: Path, name: str) -> "Image.Image":
    """Save and return what the screen shows; SmokeError if that is one colour."""
    from PIL import ImageStat

    folder.mkdir(parents=True, exist_ok=True)
    picture = seen()
    picture.save(folder / f"{name}.png")
    print(folder / f"{name}.png")
    if max(ImageStat.Stat(picture).stddev) < 5:
        raise SmokeError(f"The window is empty: {folder / name}.png.")
    return picture


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--pictures", type=Path, default=Path("smoke"), help="for screenshots")
    given = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    with tempfile.TemporaryDirectory() as folder:
        try:
            bundle = Bundle(given.bundle, Path(folder))
            try_commands(bundle)
            try_diffusion(bundle)
            if not missing:
                try_window(bundle, given.pictures)
        except SmokeError as error:
            print(error, file=sys.stderr)
            return 1
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (Debian: {PACKAGES})")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
