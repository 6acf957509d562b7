"""The image list: search, thumbnails, where each image stands."""

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QLabel, QListView, QMenu, QVBoxLayout, QWidget

from fmstudio.project.edits import RemoveImages
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.image_model import ID_ROLE, ImageModel
from fmstudio.ui.panels.image_rows import ImageRow
from fmstudio.ui.panels.rows import MARGIN, Index
from fmstudio.ui.panels.search_field import SearchField
from fmstudio.ui.panels.thumbnails import Thumbnails


class ImagesPanel(QWidget):
    """Click an image to make it the target; select several to propagate to them.

    Parameters
    ----------
    controller : Controller
    thumbnails : Thumbnails
    """

    propagateRequested = Signal()
    """The person wants to propagate to the selected images."""

    def __init__(
        self, controller: Controller, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self.search = SearchField(self)
        self.model = ImageModel(controller, self)
        self.view = QListView(self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(ImageRow(controller, self.model, thumbnails, self.view))
        self.view.setUniformItemSizes(True)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setFrameShape(QListView.Shape.NoFrame)
        self.view.setAccessibleName(self.tr("Images"))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._count = QLabel(self)
        self._count.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._empty = QLabel(self.view.viewport())
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget, margin in ((self.search, MARGIN), (self.view, 0), (self._count, MARGIN)):
            widget.setContentsMargins(margin, 4, margin, 4) if margin else None
            layout.addWidget(widget, 1 if widget is self.view else 0)
        self.search.queryChanged.connect(self.model.set_query)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.customContextMenuRequested.connect(self._show_menu)
        for signal in (self.model.filtered, self.model.modelReset, self.model.rowsInserted):
            signal.connect(self._say_how_many)
        self.model.modelReset.connect(self._show_target)
        controller.shownChanged.connect(self._show_target)
        thumbnails.arrived.connect(self._on_thumbnail)
        self._say_how_many()
        self._show_target()

    def selected_ids(self) -> tuple[int, ...]:
        """Return the ids of the selected images, in the list's order."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedIndexes())
        return tuple(self.model.ids[row] for row in rows)

    def use_as_reference(self) -> None:
        """Make the current image the reference."""
        image = self.model.image_at(self.view.currentIndex())
        if image is not None:
            self._controller.show_reference(image.id)

    def _on_current(self, index: Index) -> None:
        """Show the image a person moves to."""
        image_id = index.data(ID_ROLE)
        if image_id is not None:
            self._controller.show_target(image_id)

    def _show_target(self) -> None:
        """Mark the target's row, if it is in the list."""
        row = self.model.row_of(self._controller.target_id)
        chosen = self.view.selectionModel()
        self.view.viewport().update()
        if row is None or row == self.view.currentIndex().row():
            return
        index = self.model.index(row)
        chosen.blockSignals(True)
        chosen.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        chosen.blockSignals(False)
        self.view.scrollTo(index)
        self.view.viewport().update()

    def _on_thumbnail(self, _key: str) -> None:
        """Paint a thumbnail that has come."""
        self.view.viewport().update()

    def _say_how_many(self) -> None:
        """Say how many images there are, and why there are none."""
        project = self._controller.project
        total = 0 if project is None else len(project.images)
        shown = self.model.rowCount()
        if self.model.is_searching:
            text = self.tr("Searching…")
        elif shown == total:
            text = counted(total, "image")
        else:
            text = self.tr("{0} of {1}").format(f"{shown:,}", counted(total, "image"))
        self._count.setText(text)
        if project is None or shown or self.model.is_searching:
            self._empty.hide()
            return
        self._empty.setText(
            self.tr("No image fits the search.") if total else self.tr("Drop photos here.")
        )
        self._empty.setGeometry(self.view.viewport().rect())
        self._empty.show()

    def _show_menu(self, at: QPoint) -> None:
        """Show what can be done with the images under the pointer."""
        ids = self.selected_ids()
        if not ids:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Use as reference"), self.use_as_reference)
        text = self.tr("Propagate to {0}…").format(counted(len(ids), "image"))
        menu.addAction(text, self.propagateRequested.emit)
        menu.addSeparator()
        remove = self.tr("Remove {0} from the project").format(counted(len(ids), "image"))
        menu.addAction(remove, lambda: self._controller.perform(RemoveImages(ids)))
        menu.popup(self.view.viewport().mapToGlobal(at))
