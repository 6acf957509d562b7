"""The images of a project as a list that stays fast with a hundred thousand rows."""

from collections.abc import Iterator
from itertools import islice

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, QTimer, Signal

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import ImageItem
from fmstudio.project.search import Query
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.rows import Index

ID_ROLE = int(Qt.ItemDataRole.UserRole)
# So many images are looked at before the window gets a turn.
_SLICE = 2000


class ImageModel(QAbstractListModel):
    """Ids of the images that a query finds; all else is asked of the snapshot when painted."""

    filtered = Signal()
    """A search has come to its end."""

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._query = Query()
        self._ids: list[int] = []
        self._row_of: dict[int, int] = {}
        self._search: Iterator[ImageItem] | None = None
        self._found: list[int] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._go_on)
        controller.sessionChanged.connect(self.refresh)
        controller.projectChanged.connect(self._on_project)
        self.refresh()

    @property
    def is_searching(self) -> bool:
        """Return whether a search is under way."""
        return self._search is not None

    @property
    def ids(self) -> list[int]:
        """Return the ids of the rows, in order."""
        return self._ids

    def set_query(self, query: Query) -> None:
        """Show only the images that a query finds."""
        self._query = query
        self.refresh()

    def row_of(self, image_id: int | None) -> int | None:
        """Return the row of an image, or None if it is not in the list."""
        return None if image_id is None else self._row_of.get(image_id)

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
            return f"{image.path}\n{image.size.width} x {image.size.height}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            project = self._controller.project
            assert project is not None
            return f"{image.file_name}, {project.image_state(image.id)}"
        return None

    def refresh(self) -> None:
        """Look through all images again, a slice at a time."""
        project = self._controller.project
        if project is None:
            self._search = None
            self._timer.stop()
            self._show([])
        elif not self._query.tests:
            self._search = None
            self._timer.stop()
            self._show(sorted(project.images))
            self.filtered.emit()
        else:
            self._search = iter(project.sorted_images())
            self._found = []
            self._timer.start(0)

    def _go_on(self) -> None:
        """Look at the next slice of images."""
        project = self._controller.project
        if self._search is None or project is None:
            self._timer.stop()
            return
        part = list(islice(self._search, _SLICE))
        self._found += [image.id for image in part if self._query.matches(project, image)]
        if len(part) < _SLICE:
            self._search = None
            self._timer.stop()
            self._show(self._found)
            self.filtered.emit()

    def _show(self, ids: list[int]) -> None:
        """Make these the rows."""
        self.beginResetModel()
        self._ids = ids
        self._row_of = {image_id: row for row, image_id in enumerate(ids)}
        self.endResetModel()

    def _on_project(self, diff: ProjectDiff) -> None:
        """Follow an edit: rows come and go with images, and are painted anew where work changed.

        A row that no longer fits the query stays until the next search: it would vanish under
        the person's hands.
        """
        if diff.images.removed:
            self.refresh()
        elif diff.images.added:
            self._add(diff.images.added)
        project = self._controller.project
        assert project is not None
        touched = set(diff.images.changed)
        for number in (*diff.annotations.added, *diff.annotations.changed):
            touched.add(project.annotations[number].image_id)
        if diff.annotations.removed or len(touched) > _SLICE:
            self._repaint(0, len(self._ids) - 1)
            return
        for image_id in touched:
            row = self._row_of.get(image_id)
            if row is not None:
                self._repaint(row, row)

    def _add(self, added: tuple[int, ...]) -> None:
        """Add new images at the end, where their ids put them."""
        project = self._controller.project
        assert project is not None
        fitting = [i for i in sorted(added) if self._query.matches(project, project.images[i])]
        if self._search is not None or (self._ids and fitting and fitting[0] < self._ids[-1]):
            self.refresh()
        elif fitting:
            first = len(self._ids)
            self.beginInsertRows(QModelIndex(), first, first + len(fitting) - 1)
            self._ids = [*self._ids, *fitting]
            self._row_of |= {image_id: first + row for row, image_id in enumerate(fitting)}
            self.endInsertRows()

    def _repaint(self, first: int, last: int) -> None:
        """Have rows painted anew."""
        if last >= first:
            self.dataChanged.emit(self.index(first), self.index(last))
