"""A whole window, and the hands of a person over it."""

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QDialog

from fmstudio.ui.studio import Studio

LEFT = Qt.MouseButton.LeftButton


class Hands:
    """Clicks and types as a person does: at fractions of an image, on what is visible."""

    def __init__(self, qtbot, studio):
        self._qtbot, self._studio = qtbot, studio
        self.canvas = studio.canvases.target

    def place(self, share):
        whole = self.canvas.image_rect()
        point = self.canvas.map_from_image(share[0] * whole.width(), share[1] * whole.height())
        return point.toPoint()

    def click(self, share):
        self._qtbot.mouseMove(self.canvas.viewport(), self.place(share))
        self._qtbot.mouseClick(self.canvas.viewport(), LEFT, pos=self.place(share))

    def drag(self, start: QPoint, by: QPoint):
        viewport = self.canvas.viewport()
        self._qtbot.mousePress(viewport, LEFT, pos=start)
        for step in (1, 2, 3):
            self._qtbot.mouseMove(viewport, start + by * step / 3)
        self._qtbot.mouseRelease(viewport, LEFT, pos=start + by)

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        # Without a window manager nobody else makes it active again when a dialog has closed.
        self._studio.window.activateWindow()
        self._qtbot.waitUntil(self._studio.window.isActiveWindow)
        self.canvas.setFocus()
        self._qtbot.keyClick(self.canvas, key, modifier)

    def dialog(self, kind=QDialog):
        self._qtbot.waitUntil(
            lambda: any(d.isVisible() for d in self._studio.window.findChildren(kind))
        )
        return next(d for d in self._studio.window.findChildren(kind) if d.isVisible())

    def wait_for_image(self, name):
        def is_shown():
            project, shown = self._studio.controller.project, self.canvas.image_id
            return self.canvas.is_ready and project.images[shown].file_name == name

        self._qtbot.waitUntil(is_shown, timeout=30_000)


@pytest.fixture
def studio(qtbot, tmp_path):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    studio = Studio(settings, tmp_path / "data")
    qtbot.addWidget(studio.window)
    studio.window.resize(1280, 800)
    studio.window.show()
    qtbot.waitActive(studio.window)
    yield studio
    studio.window.close()
    assert studio.shut_down()


@pytest.fixture
def hands(qtbot, studio):
    return Hands(qtbot, studio)
