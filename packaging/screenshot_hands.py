"""The hands and the camera of `screenshots.py`: a window without a screen, driven and drawn."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QEventLoop, QPoint, QSettings, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QWidget

from fmstudio.ui.studio import Studio
from fmstudio.ui.workspaces import DockName

SIZE = (1280, 800)
LEFT = Qt.MouseButton.LeftButton
# A busy machine takes minutes to load the networks.
PATIENCE = 300.0
# The best quality that leaves a picture below so many bytes.
QUALITIES, MOST_BYTES = (86, 84, 82, 80, 77, 74, 70), 150_000
# So that whole names are to be read in a picture of a panel.
WIDE = 260


class Hands:
    """A window of its own, what a person does in it, and a camera."""

    def __init__(self, folder: Path, out: Path, theme: str = "dark") -> None:
        settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self.studio = Studio(settings, folder / "photos")
        self.out = out
        self.folder = folder
        self.studio.preferences.theme = theme
        # The strip of first steps has a picture of its own.
        self.studio.preferences.is_hint_dismissed = True
        self.window = self.studio.window
        self.window.resize(*SIZE)
        self.window.show()
        self.wait(0.4)

    @property
    def target(self) -> Any:
        """Return the right canvas."""
        return self.studio.canvases.target

    @property
    def reference(self) -> Any:
        """Return the left canvas."""
        return self.studio.canvases.reference

    # Time

    def wait(self, seconds: float = 0.15) -> None:
        """Let the window work for a while."""
        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()

    def until(self, is_so: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait until something is so."""
        start = time.monotonic()
        while not is_so():
            if time.monotonic() - start > seconds:
                self.shoot("timed-out")
                raise SystemExit(f"waited {seconds} s in vain for: {what}")
            self.wait(0.03)

    def ready(self) -> None:
        """Wait until the shown canvases have drawn their photos, and thumbnails have come."""
        canvases = [c for c in self.studio.canvases.canvases if c.isVisible()]
        self.until(lambda: all(canvas.is_ready for canvas in canvases), "the photos")
        self.wait(0.5)

    def rest(self) -> None:
        """Wait until nothing is computed, and clear away what was said."""
        self.wait(0.2)
        self.until(lambda: not self.studio.service.is_busy(), "the compute thread")
        self.wait(0.3)
        self.window.notices.clear()

    # Hands

    def act(self, id_: str) -> None:
        """Give a command."""
        self.studio.actions[id_].trigger()
        self.wait()

    def place(self, canvas: Any, x: float, y: float) -> QPoint:
        """Return where a pixel of an image is on a canvas."""
        at: QPoint = canvas.map_from_image(x, y).toPoint()
        return at

    def point(self, canvas: Any, x: float, y: float) -> None:
        """Move the pointer to a pixel of an image."""
        QTest.mouseMove(canvas.viewport(), self.place(canvas, x, y))
        self.wait(0.1)

    def click(self, canvas: Any, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        """Click a pixel of an image."""
        self.point(canvas, x, y)
        QTest.mouseClick(
            canvas.viewport(),
            button,
            Qt.KeyboardModifier.NoModifier,
            self.place(canvas, x, y),
        )
        self.wait(0.05)

    def drag(
        self,
        canvas: Any,
        way: Sequence[tuple[float, float]],
        modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        *,
        lets_go: bool = True,
    ) -> None:
        """Press, move along pixels of an image, let go."""
        viewport = canvas.viewport()
        QTest.mousePress(viewport, LEFT, modifier, self.place(canvas, *way[0]))
        for x, y in way[1:]:
            self.point(canvas, x, y)
        if lets_go:
            QTest.mouseRelease(viewport, LEFT, modifier, self.place(canvas, *way[-1]))
        self.wait()

    def show(self, name: str, *, on_reference: bool = False) -> None:
        """Show an image by its name."""
        controller = self.studio.controller
        images = controller.project.sorted_images()
        (id_,) = [image.id for image in images if image.file_name == name]
        (controller.show_reference if on_reference else controller.show_target)(id_)
        self.ready()

    def dialog(self) -> QDialog:
        """Return the dialog that has opened."""

        def visible() -> list[QDialog]:
            found = QApplication.topLevelWidgets()
            return [w for w in found if isinstance(w, QDialog) and w.isVisible()]

        self.until(visible, "a dialog")
        self.wait(0.4)
        return visible()[-1]

    def press_default(self, dialog: QDialog) -> None:
        """Press the button that Enter would press."""
        next(b for b in dialog.findChildren(QPushButton) if b.isDefault()).click()
        self.wait()

    # The camera

    def shoot(self, name: str, widget: QWidget | None = None) -> None:
        """Save what a widget shows, by default the whole window."""
        self.wait(0.25)
        save(grabbed(widget or self.window), self.out / f"{name}.jpg")

    def shoot_docks(self, name: str, *docks: DockName) -> None:
        """Save the part of the window that some docks take, wider than they are at first."""
        across = Qt.Orientation.Horizontal
        shown = [self.window.dock(dock) for dock in docks]
        before = [dock.width() for dock in shown]
        self.window.resizeDocks(shown, [WIDE] * len(shown), across)
        self.wait(0.4)
        whole = grabbed(self.window)
        rects = []
        for dock in shown:
            corner = dock.mapTo(self.window, QPoint(0, 0))
            rects.append(
                (corner.x(), corner.y(), corner.x() + dock.width(), corner.y() + dock.height())
            )
        left, top = min(r[0] for r in rects), min(r[1] for r in rects)
        right, bottom = max(r[2] for r in rects), max(r[3] for r in rects)
        save(whole.crop((left, top, right, bottom)), self.out / f"{name}.jpg")
        self.window.resizeDocks(shown, before, across)
        self.wait(0.2)

    def shoot_with_popup(self, name: str, text: str) -> None:
        """Type into the window that lies over the other, and save both."""
        popups = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
        (popup,) = [w for w in popups if w is not self.window]
        QTest.keyClicks(popup.focusWidget() or popup, text)
        self.wait(0.3)
        whole, corner = grabbed(self.window), popup.pos() - self.window.pos()
        whole.paste(grabbed(popup), (corner.x(), corner.y()))
        save(whole, self.out / f"{name}.jpg")
        popup.close()

    def end(self) -> None:
        """Close the window."""
        self.window.close()
        if not self.studio.shut_down():
            raise SystemExit("the compute thread did not end in time")


def grabbed(widget: QWidget) -> Image.Image:
    """Return what a widget shows."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    size, stride = (image.width(), image.height()), image.bytesPerLine()
    return Image.frombytes("RGB", size, bytes(image.constBits()), "raw", "RGB", stride)


def save(image: Image.Image, path: Path) -> None:
    """Write a picture."""
    for quality in QUALITIES:
        image.save(path, quality=quality, optimize=True, progressive=True)
        if path.stat().st_size < MOST_BYTES:
            break
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size / 1000:.0f} kB")
