"""Lists of annotations and of keypoints; each tells its view only of the rows that differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from fmstudio.drawing.colors import Rgb, keypoint_colors
from fmstudio.geometry.points import HIDDEN, NOT_LABELLED, VISIBLE
from fmstudio.project.model import Annotation, Category, Corrected, Drawn, Project, Propagated
from fmstudio.ui.plain import plain_tip

ITEM_ROLE = Qt.ItemDataRole.UserRole
"""The row's own value: an AnnotationRow or a KeypointRow."""

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class AnnotationModel(QAbstractListModel):
    """The annotations of one image, by ascending id."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project: Project | None = None
        self._rows: list[Annotation] = []

    def show(self, project: Project | None, image_id: int | None) -> None:
        """Show an image's annotations as they are in a project."""
        rows: Sequence[Annotation] = ()
        if project is not None and image_id is not None:
            rows = project.annotations_of(image_id)
        before, self._project = self._project, project
        self._remove({annotation.id for annotation in rows})
        known = {annotation.id for annotation in self._rows}
        for i, annotation in enumerate(rows):
            if annotation.id not in known:
                self.beginInsertRows(_ROOT, i, i)
                self._rows.insert(i, annotation)
                self.endInsertRows()
            elif self._rows[i] is not annotation or _renamed(before, project, annotation):
                self._rows[i] = annotation
                self.dataChanged.emit(self.index(i), self.index(i))

    def row_of(self, annotation_id: int | None) -> int | None:
        """Return where an annotation stands, None if it is not here."""
        ids = [annotation.id for annotation in self._rows]
        return ids.index(annotation_id) if annotation_id in ids else None

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Return how many annotations there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row's annotation, or its words."""
        if not index.isValid() or self._project is None:
            return None
        annotation = self._rows[index.row()]
        if role == ITEM_ROLE:
            return annotation
        if role == Qt.ItemDataRole.DisplayRole:
            return self.category_of(annotation).name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = [self.category_of(annotation).name, annotation.status.value]
            words.append(self.provenance_text(annotation))
            if annotation.confidence is not None:
                words.append(f"{annotation.confidence:.2f}")
            return ", ".join(words)
        if role == Qt.ItemDataRole.ToolTipRole:
            title = f"{self.category_of(annotation).name}, {annotation.status.value}"
            return plain_tip(f"{title}\n{self.provenance_text(annotation)}")
        return None

    def category_of(self, annotation: Annotation) -> Category:
        """Return the category of a row's annotation."""
        assert self._project is not None
        return self._project.categories[annotation.category_id]

    def provenance_text(self, annotation: Annotation) -> str:
        """Return in a few words where an annotation comes from."""
        match annotation.provenance:
            case Propagated() as carried:
                return self.tr("propagated from {0}").format(self._sources(carried))
            case Corrected(carried):
                return self.tr("corrected, from {0}").format(self._sources(carried))
            case Drawn():
                return self.tr("drawn") if annotation.bbox is None else self.tr("box from a file")

    def _sources(self, carried: Propagated) -> str:
        """Return the names of the images that an annotation was carried from."""
        assert self._project is not None
        sources = [self._project.annotations.get(id_) for id_ in carried.sources]
        names = {
            self._project.images[source.image_id].file_name: None
            for source in sources
            if source is not None
        }
        if not names:
            return self.tr("a removed annotation")
        first, more = next(iter(names)), len(names) - 1
        return self.tr("{0} and {1} more").format(first, more) if more else first

    def _remove(self, staying: set[int]) -> None:
        """Remove the rows of annotations that do not stay."""
        for i in reversed(range(len(self._rows))):
            if self._rows[i].id not in staying:
                self.beginRemoveRows(_ROOT, i, i)
                del self._rows[i]
                self.endRemoveRows()


@dataclass(frozen=True, slots=True)
class KeypointRow:
    """One keypoint of the shown annotation.

    Attributes
    ----------
    index : int
        Its place in the schema.
    name : str
    color : tuple of int
    visibility : int
        0, 1 or 2 as in `Keypoints`.
    score : float or None
        Confidence in [0, 1]; None where there is none: not labelled, or placed by a person.
    """

    index: int
    name: str
    color: Rgb
    visibility: int
    score: float | None


class KeypointModel(QAbstractListModel):
    """The keypoints of one annotation, in the schema's order or the most doubtful first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[KeypointRow] = []
        self._schema: tuple[str, ...] = ()
        self._is_doubtful_first = False

    def show(self, annotation: Annotation | None, category: Category | None) -> None:
        """Show an annotation's keypoints; None shows none."""
        rows = [] if annotation is None or category is None else _rows_of(annotation, category)
        schema = tuple(row.name for row in rows)
        rows = self._ordered(rows)
        same_order = [row.index for row in rows] == [row.index for row in self._rows]
        if schema != self._schema or not same_order:
            self.beginResetModel()
            self._rows, self._schema = rows, schema
            self.endResetModel()
            return
        for i, row in enumerate(rows):
            if row != self._rows[i]:
                self._rows[i] = row
                self.dataChanged.emit(self.index(i), self.index(i))

    def set_doubtful_first(self, is_wanted: bool) -> None:
        """Put the most doubtful first, or go back to the schema's order."""
        self.beginResetModel()
        self._is_doubtful_first = is_wanted
        self._rows = self._ordered(self._rows)
        self.endResetModel()

    def row_of(self, keypoint: int | None) -> int | None:
        """Return where a keypoint of the schema stands, None if it is not here."""
        order = [row.index for row in self._rows]
        return order.index(keypoint) if keypoint in order else None

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Return how many keypoints there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row's keypoint, or its words."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == ITEM_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            words = [row.name, self._visibility_text(row.visibility)]
            if row.score is not None:
                words.append(self.tr("confidence {0:.2f}").format(row.score))
            said = ", ".join(words)
            return plain_tip(said) if role == Qt.ItemDataRole.ToolTipRole else said
        return None

    def _ordered(self, rows: list[KeypointRow]) -> list[KeypointRow]:
        """Return rows in the order that is wanted; those without a confidence come last."""
        if not self._is_doubtful_first:
            return sorted(rows, key=lambda row: row.index)
        return sorted(rows, key=lambda row: (2.0 if row.score is None else row.score, row.index))

    def _visibility_text(self, visibility: int) -> str:
        """Return what a visibility means."""
        return {
            VISIBLE: self.tr("visible"),
            HIDDEN: self.tr("hidden"),
            NOT_LABELLED: self.tr("not labelled"),
        }[visibility]


def _rows_of(annotation: Annotation, category: Category) -> list[KeypointRow]:
    """Return a row per keypoint of the schema; an annotation without any has none labelled."""
    m = len(category.keypoints)
    points = annotation.keypoints
    visibility = np.zeros(m, dtype=int) if points is None else points.visibility
    is_drawn = points is None or isinstance(annotation.provenance, Drawn)
    scores: list[float | None] = [None] * m
    if points is not None and not is_drawn:
        scores = [s if v else None for s, v in zip(points.score, points.visibility, strict=True)]
    colors = keypoint_colors(m, category.colors)
    return [
        KeypointRow(i, name, colors[i], int(visibility[i]), scores[i])
        for i, name in enumerate(category.keypoints)
    ]


def _renamed(before: Project | None, after: Project | None, annotation: Annotation) -> bool:
    """Return whether the category of an annotation is another value than before."""
    if before is None or after is None:
        return False
    id_ = annotation.category_id
    return before.categories.get(id_) is not after.categories.get(id_)
