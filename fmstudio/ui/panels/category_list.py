"""The categories of a project as a list: number keys, colours, counts."""

from collections import Counter
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import QStyleOptionViewItem

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Category, Project
from fmstudio.project.wording import counted
from fmstudio.ui.panels import glyphs
from fmstudio.ui.panels.rows import MARGIN, RIGHT, Index, RowDelegate
from fmstudio.ui.plain import plain_tip

CATEGORY_ROLE = Qt.ItemDataRole.UserRole
"""The row's Category."""
COUNT_ROLE = Qt.ItemDataRole.UserRole + 1
"""How many annotations it has."""

_ROOT = QModelIndex()
_N_KEYS = 9


class CategoryCounts:
    """How many annotations each category has, brought up to date by what an edit touched."""

    def __init__(self) -> None:
        self._seen: Project | None = None
        self._counts: Counter[int] = Counter()

    def __getitem__(self, category_id: int) -> int:
        return self._counts[category_id]

    def show(self, project: Project | None) -> None:
        """Count all of a project."""
        self._seen = project
        annotations = () if project is None else project.annotations.values()
        self._counts = Counter(annotation.category_id for annotation in annotations)

    def update(self, project: Project, diff: ProjectDiff) -> set[int]:
        """Take over an edit; return the categories whose count has changed."""
        before, self._seen = self._seen, project
        assert before is not None
        change: Counter[int] = Counter()
        for id_ in (*diff.annotations.present, *diff.annotations.removed):
            for version, sign in ((before, -1), (project, 1)):
                annotation = version.annotations.get(id_)
                if annotation is not None:
                    change[annotation.category_id] += sign
        for category_id, n in change.items():
            self._counts[category_id] += n
        return {category_id for category_id, n in change.items() if n}


class CategoryModel(QAbstractListModel):
    """The categories by ascending id, which is the order of their number keys."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._categories: tuple[Category, ...] = ()
        self._counts = CategoryCounts()

    def show(self, project: Project | None) -> None:
        """Show another project."""
        self.beginResetModel()
        self._categories = () if project is None else project.sorted_categories()
        self._counts.show(project)
        self.endResetModel()

    def update(self, project: Project, diff: ProjectDiff) -> None:
        """Take over an edit."""
        touched = self._counts.update(project, diff) | set(diff.categories.changed)
        if diff.categories.added or diff.categories.removed:
            self.beginResetModel()
            self._categories = project.sorted_categories()
            self.endResetModel()
            return
        if diff.categories.changed:
            self._categories = project.sorted_categories()
        for i, category in enumerate(self._categories):
            if category.id in touched:
                self.dataChanged.emit(self.index(i), self.index(i))

    def row_of(self, category_id: int | None) -> int | None:
        """Return where a category stands, None if it is not here."""
        ids = [category.id for category in self._categories]
        return ids.index(category_id) if category_id in ids else None

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many categories there are."""
        return 0 if parent.isValid() else len(self._categories)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row's category, its count, or its words."""
        if not index.isValid():
            return None
        category = self._categories[index.row()]
        count = self._counts[category.id]
        if role == CATEGORY_ROLE:
            return category
        if role == COUNT_ROLE:
            return count
        if role == Qt.ItemDataRole.DisplayRole:
            return category.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            words = [
                category.name,
                counted(len(category.keypoints), "keypoint"),
                counted(count, "annotation"),
            ]
            if index.row() < _N_KEYS:
                words.append(self.tr("key {0}").format(index.row() + 1))
            said = ", ".join(words)
            return plain_tip(said) if role == Qt.ItemDataRole.ToolTipRole else said
        return None


class CategoryDelegate(RowDelegate):
    """Number key, swatch, name, count."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        """Return the size of a row."""
        return QSize(120, 28)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        self.draw_background(painter, option, index)
        category: Category = index.data(CATEGORY_ROLE)
        box: QRect = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        font: QFont = option.font
        text = self.color(option, QPalette.ColorRole.Text)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        if index.row() < _N_KEYS:
            key = QRect(box.left(), box.top(), 12, box.height())
            self.draw_text(painter, key, str(index.row() + 1), glyphs.caption_font(font), muted)
        swatch = QRect(box.left() + 16, box.top(), 16, box.height())
        glyphs.draw_swatch(painter, swatch, glyphs.category_rgb(category))
        count = QRect(box.right() - 56, box.top(), 56, box.height())
        number = f"{index.data(COUNT_ROLE):,}"
        self.draw_text(painter, count, number, glyphs.tabular(font), muted, RIGHT)
        width = glyphs.text_width(number, glyphs.tabular(font))
        left = swatch.right() + 8
        name = QRect(left, box.top(), box.right() - width - 8 - left, box.height())
        self.draw_text(painter, name, category.name, font, text)
