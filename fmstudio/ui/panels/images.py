"""The image list: search, thumbnails, where each image stands."""

from PySide6.QtCore import QItemSelectionModel, QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QMenu, QStackedWidget, QVBoxLayout, QWidget

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import RemoveImages
from fmstudio.project.search import Query
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.empty_page import EmptyPage
from fmstudio.ui.panels.image_model import ID_ROLE, ImageModel
from fmstudio.ui.panels.image_rows import ROW, ImageRow
from fmstudio.ui.panels.row_view import RowView
from fmstudio.ui.panels.rows import MARGIN, Index
from fmstudio.ui.panels.search_field import SearchField
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.plain import PlainLabel


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
        self.search.setContentsMargins(MARGIN, 4, MARGIN, 4)
        self.model = ImageModel(controller, self)
        self.view = RowView(ROW, self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(ImageRow(controller, self.model, thumbnails, self.view))
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.view.setAccessibleName(self.tr("Images"))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty = EmptyPage(self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.view)
        self._pages.addWidget(self._empty)
        self._count = PlainLabel(self)
        self._count.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._count.setContentsMargins(MARGIN, 4, MARGIN, 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.search)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._count)
        self._connect(thumbnails)
        self._on_session()

    def selected_ids(self) -> tuple[int, ...]:
        """Return the ids of the selected images, in the list's order."""
        return tuple(self.model.ids[row] for row in self.view.selected_rows())

    def use_as_reference(self) -> None:
        """Make the current image the reference."""
        image = self.model.image_at(self.view.currentIndex())
        if image is not None:
            self._controller.show_reference(image.id)

    def _connect(self, thumbnails: Thumbnails) -> None:
        """Follow what the person does, and what becomes of the project."""
        controller, model = self._controller, self.model
        self.search.queryChanged.connect(self._on_query)
        self.search.leftDownwards.connect(self._enter_list)
        self.view.selectionModel().currentChanged.connect(self._on_current)
        self.view.selectionModel().selectionChanged.connect(self._say_how_many)
        self.view.customContextMenuRequested.connect(self._show_menu)
        self._empty.pressed.connect(self._clear_search)
        for signal in (model.filtered, model.modelReset, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._say_how_many)
        model.modelReset.connect(self._show_target)
        controller.shownChanged.connect(self._show_target)
        controller.sessionChanged.connect(self._on_session)
        controller.projectChanged.connect(self._on_project)
        thumbnails.arrived.connect(self._on_thumbnail)

    # What the person does

    def _on_query(self, query: Query) -> None:
        """Search."""
        self.model.set_query(query)
        self._say_how_many()

    def _clear_search(self) -> None:
        """Show all images again."""
        self.search.set_text("")
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _enter_list(self) -> None:
        """Go on from the search to what it found."""
        if self.model.rowCount():
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)
            if not self.view.currentIndex().isValid():
                self.view.setCurrentIndex(self.model.index(0))

    def _on_current(self, index: Index) -> None:
        """Show the image a person moves to."""
        image_id = index.data(ID_ROLE)
        if image_id is not None:
            self._controller.show_target(image_id)

    def _show_menu(self, at: QPoint) -> None:
        """Show what can be done with the images under the pointer."""
        ids = self.selected_ids()
        if not ids:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Use as reference"), self.use_as_reference)
        text = self.tr("Propagate to {0}\u2026").format(counted(len(ids), "image"))
        menu.addAction(text, self.propagateRequested.emit)
        menu.addSeparator()
        remove = self.tr("Remove {0} from the project").format(counted(len(ids), "image"))
        menu.addAction(remove, lambda: self._controller.perform(RemoveImages(ids)))
        menu.popup(self.view.viewport().mapToGlobal(at))

    # Following the project

    def _on_session(self) -> None:
        """Show another project's images, all of them."""
        self.search.forget()
        self._offer_categories()
        self._say_how_many()
        self._show_target()

    def _on_project(self, diff: ProjectDiff) -> None:
        """Follow an edit; the model does so itself."""
        if diff.categories:
            self._offer_categories()

    def _offer_categories(self) -> None:
        """Offer the project's categories to the search."""
        project = self._controller.project
        names = [category.name for category in project.sorted_categories()] if project else []
        self.search.set_categories(names)

    def _show_target(self) -> None:
        """Mark the target's row, if it is in the list."""
        row = self.model.row_of(self._controller.target_id)
        self.view.viewport().update()
        if row is None or row == self.view.currentIndex().row():
            return
        index = self.model.index(row)
        with QSignalBlocker(self.view.selectionModel()):
            self.view.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
        self.view.scrollTo(index)
        self._say_how_many()

    def _on_thumbnail(self, _key: str) -> None:
        """Paint a thumbnail that has come."""
        self.view.viewport().update()

    def _say_how_many(self) -> None:
        """Say how many images there are, or why there are none."""
        project = self._controller.project
        total = 0 if project is None else len(project.images)
        shown = self.model.rowCount()
        chosen = len(self.view.selected_rows())
        if self.model.is_searching:
            text = self.tr("Searching\u2026")
        elif chosen > 1:
            text = self.tr("{0} of {1} selected").format(f"{chosen:,}", f"{shown:,}")
        elif shown == total:
            text = counted(total, "image")
        else:
            text = self.tr("{0} of {1}").format(f"{shown:,}", counted(total, "image"))
        self._count.setText(text)
        if total:
            self._empty.say(self.tr("No image fits the search."), self.tr("Clear the search"))
        else:
            self._empty.say(self.tr("Drop photos here."))
        is_empty = project is not None and not shown and not self.model.is_searching
        self._pages.setCurrentWidget(self._empty if is_empty else self.view)
