"""The projects a person had open last, each with a small picture of how it looked."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QDateTime, QFileInfo, QLocale, Qt
from PySide6.QtGui import QPixmap

MOST = 12
PICTURE_WIDTH, PICTURE_HEIGHT = 416, 232


@dataclass(frozen=True, slots=True)
class RecentProject:
    """A project in the list of those that were open.

    Attributes
    ----------
    path : Path
    picture : Path or None
        A small picture, if one was taken.
    is_there : bool
        Whether the file is still where it was.
    changed : str
        When it was written last, as the person's system writes dates; empty if it is gone.
    """

    path: Path
    picture: Path | None
    is_there: bool
    changed: str

    @property
    def name(self) -> str:
        """Return what to call it."""
        return self.path.stem


def listed(paths: Iterable[str], folder: Path) -> tuple[RecentProject, ...]:
    """Return recent projects.

    Parameters
    ----------
    paths : iterable of str
        Latest first.
    folder : Path
        Where the pictures are.
    """
    found = []
    for text in paths:
        path = Path(text)
        picture = picture_of(path, folder)
        file = QFileInfo(text)
        changed = _day(file.lastModified()) if file.exists() else ""
        found.append(
            RecentProject(path, picture if picture.exists() else None, file.exists(), changed)
        )
    return tuple(found)


def remembered(paths: Iterable[str], path: Path) -> list[str]:
    """Return the paths with one put first, and no more than are worth a list."""
    return [str(path), *(text for text in paths if text != str(path))][:MOST]


def picture_of(path: Path, folder: Path) -> Path:
    """Return where a project's picture is, or would be."""
    return folder / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.png"


def keep_picture(path: Path, folder: Path, picture: QPixmap) -> None:
    """Keep a small copy of a picture for a project, cut to the shape of the list's pictures."""
    if picture.isNull():
        return
    folder.mkdir(parents=True, exist_ok=True)
    scaled = picture.scaled(
        PICTURE_WIDTH,
        PICTURE_HEIGHT,
        Qt.AspectRatioMode.KeepAspectRatioByExpanding,
        Qt.TransformationMode.SmoothTransformation,
    )
    left = (scaled.width() - PICTURE_WIDTH) // 2
    top = (scaled.height() - PICTURE_HEIGHT) // 2
    scaled.copy(left, top, PICTURE_WIDTH, PICTURE_HEIGHT).save(str(picture_of(path, folder)))


def _day(when: QDateTime) -> str:
    """Return a moment as a short date."""
    return QLocale().toString(when.date(), QLocale.FormatType.ShortFormat)
