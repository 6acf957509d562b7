"""Categories: a list to choose from and to edit, and boxes that choose one."""

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QListView,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import RemoveCategory
from fmstudio.project.model import Category, Project
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.category_editor import CategoryEditor
from fmstudio.ui.icons import icon
from fmstudio.ui.panels import glyphs
from fmstudio.ui.panels.category_list import (
    CATEGORY_ROLE,
    COUNT_ROLE,
    CategoryDelegate,
    CategoryModel,
)
from fmstudio.ui.plain import PlainLabel


def category_at(project: Project | None, number: int) -> int | None:
    """Return the id of the category that a number key, from 1, stands for; None without one."""
    if project is None or not 1 <= number <= len(project.categories):
        return None
    return project.sorted_categories()[number - 1].id


class CategoryBox(QComboBox):
    """A box of the project's categories; scrolling past does not change it."""

    chosen = Signal(int)
    """A person chose the category of this id."""

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._shown_id: int | None = None
        self._listed: tuple[Category, ...] = ()
        self.setAccessibleName(self.tr("Category"))
        self.setIconSize(QSize(16, 16))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.activated.connect(self._choose)
        controller.sessionChanged.connect(self._fill)
        controller.projectChanged.connect(self._take_over)
        self._fill()

    def show_category(self, category_id: int | None) -> None:
        """Show a category as chosen; None shows none."""
        self._shown_id = category_id
        self.setCurrentIndex(self.findData(category_id) if category_id is not None else -1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what scrolls."""
        event.ignore()

    def _choose(self, row: int) -> None:
        """Pass a choice on."""
        category_id = self.itemData(row)
        if category_id != self._shown_id:
            self.chosen.emit(category_id)

    def _take_over(self, diff: ProjectDiff) -> None:
        """Follow an edit."""
        if diff.categories:
            self._fill()

    def _fill(self) -> None:
        """List the categories that there are."""
        project = self._controller.project
        categories = () if project is None else project.sorted_categories()
        if categories != self._listed:
            self._listed = categories
            self.clear()
            for category in categories:
                swatch = glyphs.swatch_icon(glyphs.category_rgb(category))
                self.addItem(swatch, category.name, category.id)
        self.setEnabled(bool(categories))
        self.show_category(self._shown_id)


class CategoryCombo(CategoryBox):
    """The box that says what new annotations are."""

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(controller, parent)
        self.setAccessibleName(self.tr("Category of new annotations"))
        self.setToolTip(self.tr("What new annotations are (1 to 9)"))
        self.setPlaceholderText(self.tr("No category"))
        self.chosen.connect(controller.set_category)
        controller.categoryChanged.connect(self._follow)
        controller.sessionChanged.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        """Show what the controller says."""
        self.show_category(self._controller.category_id)


class CategoriesPanel(QWidget):
    """The list of categories; choosing one makes it that of new annotations."""

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._model = CategoryModel(self)
        self.setAccessibleName(self.tr("Categories"))
        self.list = self._make_list()
        self.add_button = self._button("plus", self.tr("Add a category"), self.add)
        self.edit_button = self._button("skeleton", self.tr("Edit the category"), self.edit)
        self.remove_button = self._button("minus", self.tr("Remove the category"), self.remove)
        self.question = _Question(self)
        self.question.agreed.connect(self._remove_with_annotations)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self._make_empty_page())
        self._lay_out()
        controller.sessionChanged.connect(self._show_session)
        controller.projectChanged.connect(self._take_over)
        controller.categoryChanged.connect(self._follow)
        self._show_session()

    @property
    def current(self) -> Category | None:
        """Return the category of the current row, or None."""
        index = self.list.currentIndex()
        return index.data(CATEGORY_ROLE) if index.isValid() else None

    def add(self) -> CategoryEditor:
        """Open the editor on a new category; return it."""
        editor = CategoryEditor(self._controller, None, self.window())
        editor.open()
        return editor

    def edit(self) -> CategoryEditor | None:
        """Open the editor on the current category; return it, None without one."""
        if self.current is None:
            return None
        editor = CategoryEditor(self._controller, self.current.id, self.window())
        editor.open()
        return editor

    def remove(self) -> None:
        """Remove the current category; if it has annotations, ask in the panel first."""
        category = self.current
        if category is None:
            return
        n = self.list.currentIndex().data(COUNT_ROLE)
        if n == 0:
            self._controller.perform(RemoveCategory(category.id))
        else:
            self.question.ask(
                category.id,
                self.tr("'{0}' has {1}: remove both?").format(
                    category.name, counted(n, "annotation")
                ),
            )

    # Private

    def _make_list(self) -> QListView:
        """Return the list."""
        view = QListView()
        view.setAccessibleName(self.tr("Categories"))
        view.setModel(self._model)
        view.setItemDelegate(CategoryDelegate(view))
        view.setUniformItemSizes(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.selectionModel().currentChanged.connect(self._choose)
        view.doubleClicked.connect(self.edit)
        return view

    def _make_empty_page(self) -> QWidget:
        """Return what is shown while there is no category."""
        page = QWidget()
        self.empty_label = PlainLabel()
        self.empty_label.setWordWrap(True)
        self.empty_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.first_button = QPushButton(self.tr("Add a category..."))
        self.first_button.clicked.connect(self.add)
        column = QVBoxLayout(page)
        column.setContentsMargins(8, 16, 8, 16)
        column.setSpacing(12)
        column.addWidget(self.empty_label)
        column.addWidget(self.first_button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        return page

    def _button(self, drawing: str, name: str, slot: object) -> QToolButton:
        """Return a button of the row below the list."""
        button = QToolButton()
        button.setIcon(icon(drawing))
        button.setFixedSize(28, 28)
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for button in (self.add_button, self.edit_button, self.remove_button):
            row.addWidget(button)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._pages, 1)
        column.addWidget(self.question)
        column.addLayout(row)
        self.setFocusProxy(self.list)

    def _show_session(self) -> None:
        """Show another project."""
        self.question.hide()
        self._model.show(self._controller.project)
        self._follow()

    def _take_over(self, diff: ProjectDiff) -> None:
        """Follow an edit."""
        project = self._controller.project
        assert project is not None
        if diff.categories or diff.annotations:
            self.question.hide()
            self._model.update(project, diff)
            self._follow()

    def _follow(self) -> None:
        """Show which category new annotations get, and what can be done."""
        project = self._controller.project
        row = self._model.row_of(self._controller.category_id)
        if row is not None:
            self.list.setCurrentIndex(self._model.index(row))
        has_rows = self._model.rowCount() > 0
        self._pages.setCurrentIndex(0 if has_rows else 1)
        self.first_button.setVisible(project is not None)
        self.empty_label.setText(
            self.tr("No project is open.")
            if project is None
            else self.tr("A category names the keypoints of one kind of object. There is none yet.")
        )
        self.add_button.setEnabled(project is not None)
        for button in (self.edit_button, self.remove_button):
            button.setEnabled(row is not None)

    def _choose(self, current: QModelIndex) -> None:
        """Make the current category that of new annotations."""
        self.question.hide()
        if current.isValid():
            self._controller.set_category(current.data(CATEGORY_ROLE).id)

    def _remove_with_annotations(self, category_id: int) -> None:
        """Remove a category and its annotations."""
        self._controller.perform(RemoveCategory(category_id, with_annotations=True))

    def _show_menu(self, at: QPoint) -> None:
        """Show what can be done with the row under the mouse."""
        if not self.list.indexAt(at).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("skeleton"), self.tr("Edit..."), self.edit)
        menu.addAction(icon("minus"), self.tr("Remove"), self.remove)
        menu.popup(self.list.viewport().mapToGlobal(at))


class _Question(QFrame):
    """A question in the panel that it concerns, with the two answers."""

    agreed = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._category_id = 0
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.label = PlainLabel()
        self.label.setWordWrap(True)
        self.yes_button = QPushButton(self.tr("Remove both"))
        self.no_button = QPushButton(self.tr("Keep"))
        self.yes_button.clicked.connect(self._agree)
        self.no_button.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.yes_button)
        row.addWidget(self.no_button)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.label)
        column.addLayout(row)
        self.hide()

    def ask(self, category_id: int, text: str) -> None:
        """Show a question about a category."""
        self._category_id = category_id
        self.label.setText(text)
        self.show()
        self.no_button.setFocus()

    def _agree(self) -> None:
        """Pass the yes on."""
        self.hide()
        self.agreed.emit(self._category_id)
