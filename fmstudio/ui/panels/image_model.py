"""The images of a project as a list that stays fast with a hundred thousand rows."""

import time
from array import array
from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    Qt,
    QTimer,
    Signal,
)

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import ImageItem, ImageState, Project
from fmstudio.project.search import Query
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.rows import Index
from fmstudio.ui.plain import plain_tip

ID_ROLE = int(Qt.ItemDataRole.UserRole)
# How long a search may hold the window, and how often it looks at the clock.
_TURN_S = 0.008
_AT_ONCE = 200
# So many rows come and go one by one; of more, the list is made anew.
_FEW = 64


def state_words(state: ImageState) -> str:
    """Return where an image stands, in words as short as a narrow list needs."""
    words = {
        ImageState.NONE: QCoreApplication.translate("ImageState", "nothing"),
        ImageState.PROPOSED: QCoreApplication.translate("ImageState", "proposed"),
        ImageState.PARTLY_REVIEWED: QCoreApplication.translate("ImageState", "partly reviewed"),
        ImageState.ACCEPTED: QCoreApplication.translate("ImageState", "accepted"),
        ImageState.REJECTED: QCoreApplication.translate("ImageState", "rejected"),
    }
    return words[state]


class ImageModel(QAbstractListModel):
    """Ids of the images that a query finds; all else is asked of the snapshot when painted.

    Rows stand by ascending id, so a row is found by bisection.
    """

    filtered = Signal()
    """A search has come to its end, or there is nothing to search for."""

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._query = Query()
        self._ids = array("q")
        self._search: _Search | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)
        controller.sessionChanged.connect(self._on_session)
        controller.projectChanged.connect(self._on_project)
        self.refresh()

    @property
    def is_searching(self) -> bool:
        """Return whether a search is under way."""
        return self._search is not None

    @property
    def is_filtered(self) -> bool:
        """Return whether only what a query finds is shown."""
        return bool(self._query.tests)

    @property
    def ids(self) -> "array[int]":
        """Return the ids of the rows, in order."""
        return self._ids

    def set_query(self, query: Query) -> None:
        """Show only the images that a query finds."""
        self._query = query
        self.refresh()

    def row_of(self, image_id: int | None) -> int | None:
        """Return the row of an image, or None if it is not in the list."""
        if image_id is None:
            return None
        row = bisect_left(self._ids, image_id)
        return row if row < len(self._ids) and self._ids[row] == image_id else None

    def image_at(self, index: Index) -> ImageItem | None:
        """Return the image of a row."""
        project = self._controller.project
        if project is None or not 0 <= index.row() < len(self._ids):
            return None
        return project.images.get(self._ids[index.row()])

    # The model

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self._ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's id, name or full path."""
        image = self.image_at(index)
        if image is None:
            return None
        if role == ID_ROLE:
            return image.id
        if role == Qt.ItemDataRole.DisplayRole:
            return image.file_name
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{image.path}\n{image.size.width} \u00d7 {image.size.height}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            project = self._controller.project
            assert project is not None
            return f"{image.file_name}, {state_words(project.image_state(image.id))}"
        return None

    def refresh(self) -> None:
        """Look through all images again, a little at a time."""
        project = self._controller.project
        self._search = None
        self._timer.stop()
        if project is None or not self._query.tests:
            self._show(array("q", sorted(project.images) if project else ()))
            self.filtered.emit()
        else:
            self._search = _Search(self._query, array("q", sorted(project.images)))
            self._timer.start(0)

    def _go_on(self) -> None:
        """Search for a few milliseconds more."""
        project = self._controller.project
        if self._search is None or project is None:
            self._timer.stop()
        elif self._search.go_on(project):
            found = self._search.found
            self._search = None
            self._timer.stop()
            self._show(found)
            self.filtered.emit()

    def _show(self, ids: "array[int]") -> None:
        """Make these the rows."""
        self.beginResetModel()
        self._ids = ids
        self.endResetModel()

    # Following edits

    def _on_session(self) -> None:
        """Show all images of another project."""
        self.set_query(Query())

    def _on_project(self, diff: ProjectDiff) -> None:
        """Follow an edit: rows come and go with images, and are painted anew where work changed.

        A row that no longer fits the query stays until the next search, for it would vanish under
        the person's hands; one that fits now comes.
        """
        images = diff.images
        if not images and not diff.annotations:
            return
        project = self._controller.project
        assert project is not None
        touched = {*images.added, *images.changed}
        for number in (*diff.annotations.added, *diff.annotations.changed):
            touched.add(project.annotations[number].image_id)
        is_large = len(touched) + len(images.removed) > _FEW
        is_search = bool(self._query.tests)
        is_scattered = bool(is_search or images.removed or not self._come_last(images.added))
        if self._search is not None or (is_large and is_scattered):
            self.refresh()
        else:
            for image_id in images.removed:
                self._remove(image_id)
            fitting = [
                id_
                for id_ in (sorted(touched) if is_search else images.added)
                if self._query.matches(project, project.images[id_])
            ]
            self._insert(fitting)
        if is_large or diff.annotations.removed:
            self._repaint(0, len(self._ids) - 1)
            return
        for image_id in touched:
            row = self.row_of(image_id)
            if row is not None:
                self._repaint(row, row)

    def _come_last(self, ids: Sequence[int]) -> bool:
        """Return whether images come after all rows, as new ones do."""
        return not ids or not self._ids or ids[0] > self._ids[-1]

    def _insert(self, ids: Sequence[int]) -> None:
        """Add rows for images, unless they are there; new images come at the end, at once."""
        if ids and self._come_last(ids):
            self.beginInsertRows(QModelIndex(), len(self._ids), len(self._ids) + len(ids) - 1)
            self._ids.extend(ids)
            self.endInsertRows()
            return
        for image_id in ids:
            row = bisect_left(self._ids, image_id)
            if row == len(self._ids) or self._ids[row] != image_id:
                self.beginInsertRows(QModelIndex(), row, row)
                self._ids.insert(row, image_id)
                self.endInsertRows()

    def _remove(self, image_id: int) -> None:
        """Take a row away, if it is there."""
        row = self.row_of(image_id)
        if row is not None:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._ids[row]
            self.endRemoveRows()

    def _repaint(self, first: int, last: int) -> None:
        """Have rows painted anew."""
        if last >= first:
            self.dataChanged.emit(self.index(first), self.index(last))


class _Search:
    """A look through all images, broken off and taken up again."""

    def __init__(self, query: Query, ids: "array[int]") -> None:
        self._query, self._ids, self._at = query, ids, 0
        self.found = array("q")

    def go_on(self, project: Project) -> bool:
        """Look at images for a few milliseconds; return whether all have been looked at."""
        end = time.perf_counter() + _TURN_S
        images, matches = project.images, self._query.matches
        while self._at < len(self._ids):
            part = self._ids[self._at : self._at + _AT_ONCE]
            self.found.extend(i for i in part if matches(project, images[i]))
            self._at += _AT_ONCE
            if time.perf_counter() >= end:
                break
        return self._at >= len(self._ids)
