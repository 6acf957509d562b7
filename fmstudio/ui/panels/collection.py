"""The panel of the collection: all images at a glance, those that stand out, and why."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QPaintEvent, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.wording import counted
from fmstudio.session_collection import (
    FEWEST,
    annotated_images,
    outlier_reason,
)
from fmstudio.ui.collection import CollectionMapping, Stage
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.collection_looks import Coloring, Legend, legend_of, ramp
from fmstudio.ui.panels.collection_map import CollectionMap
from fmstudio.ui.panels.empty_page import EmptyPage, pages_of
from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.panels.rows import MARGIN
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.plain import PlainLabel, plain_tip

_SIDE, _LEGEND = 264, 28
_INDEX = int(Qt.ItemDataRole.UserRole)


class CollectionPanel(QWidget):
    """Shows the map of the project's images, or what there is to do until there is one.

    Parameters
    ----------
    controller : Controller
    mapping : CollectionMapping
    thumbnails : Thumbnails
    parent : QWidget or None
    """

    def __init__(
        self,
        controller: Controller,
        mapping: CollectionMapping,
        thumbnails: Thumbnails,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._mapping = controller, mapping
        self.empty = EmptyPage()
        self.map = CollectionMap(thumbnails)
        self.coloring = QComboBox()
        self.legend = LegendStrip()
        self.state = PlainLabel()
        self.state.setWordWrap(True)
        self.again = QPushButton(self.tr("Map again"))
        self.outliers = QListWidget()
        self.outliers.setWordWrap(True)
        self.outliers.setSpacing(MARGIN // 2)
        self.outliers.setFrameShape(QListWidget.Shape.NoFrame)
        self.outliers.setAccessibleName(self.tr("Images that stand out"))
        for coloring, text in (
            (Coloring.QUALITY, self.tr("Map quality")),
            (Coloring.CLUSTER, self.tr("Cluster")),
            (Coloring.COVERAGE, self.tr("Coverage by references")),
            (Coloring.STATUS, self.tr("Status")),
        ):
            self.coloring.addItem(text, coloring)
        self.coloring.setAccessibleName(self.tr("Colour images by"))
        self._pages = self._lay_out()
        self.empty.pressed.connect(self._press)
        self.again.clicked.connect(mapping.start)
        self.coloring.activated.connect(self.refresh)
        self.map.targetWanted.connect(self._open_target)
        self.map.referenceWanted.connect(self._open_reference)
        self.outliers.currentRowChanged.connect(self._point)
        self.outliers.itemActivated.connect(self._show)
        self.outliers.itemClicked.connect(self._show)
        mapping.changed.connect(self.refresh)
        self._listed: object = None
        self._target_before: int | None = None

    def refresh(self) -> None:
        """Show what there is; while nobody sees it, nothing is done."""
        if not self.isVisible():
            return
        overview, project = self._mapping.overview, self._controller.project
        if self._mapping.stage is not Stage.MAPPED or overview is None or project is None:
            self.empty.say(*self._words())
            self._pages.setCurrentWidget(self.empty)
            return
        coloring = Coloring(self.coloring.currentData())
        self.map.show_overview(overview, project, coloring, annotated_images(project))
        self.legend.show_legend(legend_of(overview, coloring))
        self.state.setText(self._sentence())
        if self._listed is not overview:
            self._listed = overview
            self._list()
        self._pages.setCurrentIndex(1)

    def showEvent(self, event: QShowEvent) -> None:
        """Show what has come meanwhile."""
        super().showEvent(event)
        self.refresh()

    # Private

    def _lay_out(self) -> QStackedWidget:
        """Put everything in its place; return the pages."""
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(MARGIN)
        row = QHBoxLayout()
        row.setSpacing(MARGIN)
        row.addWidget(self.coloring, 1)
        row.addWidget(self.again)
        column.addLayout(row)
        column.addWidget(self.legend)
        column.addWidget(self.state)
        column.addWidget(self.outliers, 1)
        side.setFixedWidth(_SIDE)
        mapped = QWidget()
        whole = QHBoxLayout(mapped)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.map, 1)
        whole.addWidget(side)
        pages = pages_of(self.empty, mapped)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pages)
        self.setFocusProxy(self.map)
        return pages

    def _words(self) -> tuple[str, str]:
        """Return why there is no map, and what a button does about it."""
        stage, progress = self._mapping.stage, self._mapping.progress
        if stage is Stage.NO_IMAGES:
            return self.tr("No images yet. Add some to see how they belong together."), ""
        if stage is Stage.TOO_FEW:
            return self.tr("A map needs at least {0} images.").format(FEWEST), ""
        if stage is Stage.FAILED:
            return self._mapping.error, self.tr("Try again")
        if stage is Stage.RUNNING:
            text = self.tr("Mapping the collection...")
            if progress is not None:
                text = self.tr("Mapping the collection: {0} of {1} images").format(
                    f"{progress.done:,}", f"{progress.total:,}"
                )
            return text, self.tr("Cancel")
        text = self.tr(
            "See all images at a glance: which are alike, which do not belong, and which your "
            "references cover."
        )
        return text, self.tr("Map the collection")

    def _press(self) -> None:
        """Do what the button says."""
        is_running = self._mapping.stage is Stage.RUNNING
        wanted: Callable[[], None] = self._mapping.cancel if is_running else self._mapping.start
        wanted()

    def _sentence(self) -> str:
        """Return what was found, in a few words."""
        overview = self._mapping.overview
        assert overview is not None
        parts = []
        if self._mapping.is_outdated:
            parts.append(self.tr("Outdated: images or references have changed."))
        count = len(overview.outliers)
        if count:
            verb = self.tr("stands out:") if count == 1 else self.tr("stand out:")
            parts.append(f"{counted(count, 'image')} {verb}")
        else:
            parts.append(self.tr("No image stands out."))
        if overview.failures:
            text = self.tr("{0} could not be read.")
            parts.append(text.format(counted(len(overview.failures), "image")))
        return " ".join(parts)

    def _list(self) -> None:
        """List the images that stand out, with the reason."""
        overview, project = self._mapping.overview, self._controller.project
        assert overview is not None
        assert project is not None
        self.outliers.clear()
        for outlier in overview.outliers:
            image = project.images.get(overview.ids[outlier.index])
            name = self.tr("removed") if image is None else image.file_name
            item = QListWidgetItem(f"{name}\n{outlier_reason(outlier)}")
            item.setData(_INDEX, outlier.index)
            item.setToolTip(plain_tip(item.text()))
            self.outliers.addItem(item)
        self.outliers.setVisible(bool(overview.outliers))

    def _open_target(self, image_id: int) -> None:
        """Show an image as the target."""
        self._target_before = self._controller.target_id
        self._controller.show_target(image_id)

    def _open_reference(self, image_id: int) -> None:
        """Show an image as the reference; the first click of two made it the target: undo that."""
        if self._controller.target_id == image_id and self._target_before is not None:
            self._controller.show_target(self._target_before)
        self._controller.show_reference(image_id)

    def _point(self, row: int) -> None:
        """Mark an outlier on the map."""
        item = self.outliers.item(row)
        if item is not None:
            self.map.point_at(item.data(_INDEX))

    def _show(self, item: QListWidgetItem) -> None:
        """Open an outlier as the target."""
        overview = self._mapping.overview
        if overview is not None:
            self._open_target(overview.ids[item.data(_INDEX)])


class LegendStrip(QWidget):
    """What the colours of a map mean, in one or two lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._legend = Legend()
        self.setFont(caption_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_legend(self, legend: Legend) -> None:
        """Say what colours mean now."""
        self._legend = legend
        words = [word for _, word in legend.words]
        self.setAccessibleName(", ".join(words or [legend.low, legend.high]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a strip's size: a ramp, or as many lines as the words need."""
        lines = 1 + max((line for _, line, _ in self._placed()), default=0)
        return QSize(120, max(_LEGEND, 20 * lines))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the ramp between its words, or a patch before each word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        middle = Qt.AlignmentFlag.AlignVCenter
        if not self._legend.words:
            box = self.rect().adjusted(0, 0, 0, -self.height() + 10)
            gradient = QLinearGradient(box.topLeft(), box.topRight())
            for step in range(9):
                gradient.setColorAt(step / 8, ramp(step / 8))
            painter.fillRect(box, gradient)
            text = self.rect().adjusted(0, 12, 0, 0)
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignLeft, self._legend.low)
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignRight, self._legend.high)
            return
        for (color, word), (left, line, wide) in zip(
            self._legend.words, self._placed(), strict=True
        ):
            painter.setBrush(color)
            painter.drawEllipse(left, 20 * line + 5, 10, 10)
            painter.drawText(left + 16, 20 * line, wide, 20, middle, word)

    def _placed(self) -> list[tuple[int, int, int]]:
        """Return left, line and width of each word, as they fit."""
        placed, left, line = [], 0, 0
        for _, word in self._legend.words:
            wide = self.fontMetrics().horizontalAdvance(word) + 4
            if left and left + 16 + wide > max(self.width(), _SIDE - 2 * MARGIN):
                left, line = 0, line + 1
            placed.append((left, line, wide))
            left += 16 + wide + MARGIN
        return placed
