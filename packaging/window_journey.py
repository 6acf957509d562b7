"""The window's journey with real mouse and key events: Xvfb, xdotool, a picture of every step.

``python packaging/window_journey.py OUT [--size 1280x800] [--theme dark]`` opens the sample's
photos, defines a schema, annotates one cat, propagates, corrects, accepts and exports, as a person
would, and saves a screenshot of each step to OUT. The window runs in this process, so that the
script knows where things are; every press goes through the X server.

Needs Xvfb, xdotool and the libraries of Qt's xcb plugin; where one is missing it says so and ends
with code 77, which stands for "skipped".
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SKIPPED = 77
SAMPLE = Path(__file__).resolve().parents[1] / "resources" / "sample" / "cats"
NEEDED = ("Xvfb", "xdotool")
PACKAGES = "xvfb xdotool libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1"


@contextmanager
def display(size: str) -> Iterator[str]:
    """Run an X server of a size and name it."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            yield f":{numbers.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


class Hands:
    """Presses and types through the X server, and lets the window answer."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._step = 0
        out.mkdir(parents=True, exist_ok=True)

    def wait(self, seconds: float = 0.15) -> None:
        """Let the window work for a while."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    def until(self, is_so: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait until something is so."""
        start = time.monotonic()
        while not is_so():
            if time.monotonic() - start > seconds:
                self.shoot("timed-out")
                raise SystemExit(f"waited {seconds} s in vain for: {what}")
            self.wait(0.05)

    def point(self, widget, x: float, y: float) -> None:  # type: ignore[no-untyped-def]
        """Move the pointer to a place of a widget."""
        from PySide6.QtCore import QPoint

        ratio = widget.devicePixelRatioF()
        at = widget.mapToGlobal(QPoint(round(x), round(y)))
        xdotool("mousemove", str(round(at.x() * ratio)), str(round(at.y() * ratio)))
        self.wait(0.06)

    def click(
        self, widget, x: float | None = None, y: float | None = None, button: int = 1
    ) -> None:  # type: ignore[no-untyped-def]
        """Click a widget, in its middle unless told where."""
        middle = widget.rect().center()
        self.point(widget, middle.x() if x is None else x, middle.y() if y is None else y)
        xdotool("click", str(button))
        self.wait()

    def drag(self, widget, places: list[tuple[float, float]]) -> None:  # type: ignore[no-untyped-def]
        """Press, move along places, let go."""
        self.point(widget, *places[0])
        xdotool("mousedown", "1")
        for place in places[1:]:
            self.point(widget, *place)
        xdotool("mouseup", "1")
        self.wait()

    def key(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            xdotool("key", key)
            self.wait(0.12)

    def type(self, text: str) -> None:
        """Type a text."""
        xdotool("type", "--delay", "8", text)
        self.wait(0.3)

    def focus(self, widget) -> None:  # type: ignore[no-untyped-def]
        """Give a window the keyboard: there is no window manager to do it."""
        xdotool("windowfocus", "--sync", str(int(widget.window().winId())))
        self.wait()

    def shoot(self, name: str) -> None:
        """Save what the screen shows."""
        from PIL import ImageGrab

        self._step += 1
        self.wait(0.3)
        path = self._out / f"{self._step:02d}-{name}.png"
        ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).save(path)
        print(path)


def xdotool(*words: str) -> None:
    """Run one command of xdotool."""
    subprocess.run(["xdotool", *words], check=True, stderr=subprocess.DEVNULL)


def journey(out: Path, theme: str, size: tuple[int, int]) -> None:
    """Go all the way, from the welcome page to the exported file."""
    from PySide6.QtCore import QSettings

    from fmstudio.app import make_application
    from fmstudio.ui.studio import Studio

    make_application()
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "cats"
        shutil.copytree(SAMPLE / "images", photos)
        settings = QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat)
        studio = Studio(settings, Path(folder) / "data")
        studio.preferences.theme = theme
        window, hands = studio.window, Hands(out)
        window.setGeometry(0, 0, *size)
        window.show()
        hands.wait(1)
        hands.focus(window)
        hands.shoot("welcome")
        studio.opening.open_paths([photos])
        hands.until(lambda: len(studio.controller.project.images) == 5, "five photos")
        hands.wait(1)
        hands.shoot("opened")
        define_schema(studio, hands)
        annotate(studio, hands)
        propagate(studio, hands)
        review(studio, hands)
        export(studio, hands, Path(folder) / "labels.json")
        window.close()
        if not studio.shut_down():
            raise SystemExit("the compute thread did not end in time")


def open_dialog(hands: Hands):  # type: ignore[no-untyped-def]
    """Return the dialog that has opened, with the keyboard."""
    from PySide6.QtWidgets import QApplication, QDialog

    def visible() -> list[QDialog]:
        found = QApplication.topLevelWidgets()
        return [w for w in found if isinstance(w, QDialog) and w.isVisible()]

    hands.until(visible, "a dialog")
    hands.focus(visible()[0])
    return visible()[0]


def define_schema(studio, hands: Hands) -> None:  # type: ignore[no-untyped-def]
    """Add a category with six keypoints in the editor."""
    from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

    names = json.loads((SAMPLE / "coco.json").read_text())["categories"][0]["keypoints"]
    hands.key("ctrl+k")
    editor = open_dialog(hands)
    hands.click(editor.findChildren(QLineEdit)[0])
    hands.key("ctrl+a")
    hands.type("cat face")
    QApplication.clipboard().setText("\n".join(names))
    hands.click(editor.keypoints.paste_button)
    hands.shoot("schema")
    defaults = [b for b in editor.findChildren(QPushButton) if b.isDefault() and b.isVisible()]
    hands.click(defaults[0])
    hands.until(lambda: studio.controller.project.categories, "the category")
    hands.focus(studio.window)


def annotate(studio, hands: Hands) -> None:  # type: ignore[no-untyped-def]
    """Place the keypoints of one cat and outline its face."""
    document = json.loads((SAMPLE / "coco.json").read_text())
    truth = document["annotations"][0]
    name = document["images"][0]["file_name"]
    model, view = studio.images.model, studio.images.view
    row = next(r for r in range(model.rowCount()) if model.data(model.index(r)) == Path(name).name)
    place = view.visualRect(model.index(row)).center()
    hands.click(view.viewport(), place.x(), place.y())
    canvas = studio.canvases.target
    hands.until(lambda: canvas.is_ready, "the photo")
    hands.key("k")
    flat = truth["keypoints"]
    for index in range(0, len(flat), 3):
        if flat[index + 2]:
            at = canvas.map_from_image(flat[index], flat[index + 1])
            hands.click(canvas.viewport(), at.x(), at.y(), 1 if flat[index + 2] == 2 else 3)
    hands.shoot("keypoints")
    hands.key("p")
    x, y, width, height = truth["bbox"]
    outline = ((0.02, 0.0), (0.3, 0.3), (0.65, 0.33), (0.95, 0.05), (1.0, 0.5), (0.85, 0.85),
               (0.5, 1.0), (0.12, 0.85), (0.0, 0.5))  # fmt: skip
    for fx, fy in outline:
        at = canvas.map_from_image(x + fx * width, y + fy * height)
        hands.click(canvas.viewport(), at.x(), at.y())
    hands.shoot("outline")
    hands.key("Return")
    hands.until(
        lambda: any(a.mask for a in studio.controller.project.annotations.values()), "a mask"
    )
    hands.key("v", "shift+r")
    hands.shoot("annotated")


def propagate(studio, hands: Hands) -> None:  # type: ignore[no-untyped-def]
    """Carry the annotation to the four other cats."""
    from PySide6.QtWidgets import QPushButton

    hands.key("ctrl+b")
    dialog = open_dialog(hands)
    hands.shoot("propagate")
    hands.click(next(b for b in dialog.findChildren(QPushButton) if b.isDefault()))
    hands.focus(studio.window)
    hands.until(lambda: studio.controller.session.inbox, "the first ghost", 120)
    hands.shoot("running")
    hands.until(lambda: not studio.propagation.is_running, "the end of the run", 120)
    hands.shoot("proposed")


def review(studio, hands: Hands) -> None:  # type: ignore[no-untyped-def]
    """Look at the most doubtful first, correct a point, accept the rest."""
    canvas = studio.canvases.target
    hands.click(canvas.viewport(), 20, 20)
    hands.key("space")
    hands.until(lambda: canvas.is_ready and studio.controller.selected is not None, "a proposal")
    hands.wait(0.5)
    hands.shoot("review")
    points = studio.controller.selected.keypoints
    index = int(points.labelled.argmax())
    at = canvas.map_from_image(*points.xy[index].tolist())
    hands.drag(
        canvas.viewport(), [(at.x(), at.y()), (at.x() + 12, at.y() + 8), (at.x() + 24, at.y() + 10)]
    )
    hands.shoot("corrected")
    while studio.queue.model.rowCount():
        left = studio.queue.model.rowCount()
        hands.key("space", "y")
        hands.until(lambda n=left: studio.queue.model.rowCount() < n, "an accepted proposal")  # type: ignore[misc]
    hands.shoot("reviewed")


def export(studio, hands: Hands, path: Path) -> None:  # type: ignore[no-untyped-def]
    """Export, and look at what was written."""
    from PySide6.QtWidgets import QLineEdit, QPushButton

    hands.key("ctrl+e")
    dialog = open_dialog(hands)
    hands.click(dialog.findChildren(QLineEdit)[0])
    hands.key("ctrl+a")
    hands.type(str(path))
    hands.shoot("export")
    hands.click(next(b for b in dialog.findChildren(QPushButton) if b.isDefault()))
    hands.until(path.exists, "the file")
    hands.focus(studio.window)
    hands.shoot("exported")
    document = json.loads(path.read_text())
    if len(document["annotations"]) != 5:
        raise SystemExit(f"{len(document['annotations'])} annotations were exported instead of 5")
    hands.key("F1")
    hands.shoot("keys")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    given = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed (Debian: {PACKAGES})")
        return SKIPPED
    width, height = (int(side) for side in given.size.split("x"))
    with display(given.size) as name:
        os.environ |= {"DISPLAY": name, "QT_QPA_PLATFORM": "xcb"}
        # Where a library of the plugin is missing, Qt ends its whole process.
        code = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"
        if subprocess.run([sys.executable, "-c", code], capture_output=True).returncode:
            print(f"skipped: Qt's xcb plugin does not start here (Debian: {PACKAGES})")
            return SKIPPED
        journey(given.out, given.theme, (width, height))
    return 0


if __name__ == "__main__":
    sys.exit(main())
