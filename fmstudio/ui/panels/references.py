"""The references of a proposal: what each says, what it weighs, and what it is let count."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QPixmap, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from fmstudio.geometry.votes import Vote
from fmstudio.project.edits_proposals import is_pending
from fmstudio.project.model import Annotation, ImageItem, Project
from fmstudio.ui.panels import glyphs
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.plain import PlainLabel, plain_tip

SAYS = (0.5, 1.0, 2.0)
_SIDE, _ROW, _ROWS = 28, 52, 4


class ReferenceRow(QWidget):
    """One reference: a switch, its picture and name, its weight and agreement, what it counts."""

    sayWanted = Signal(int, float)
    """The source annotation, and what a person lets it count."""

    def __init__(self, vote: Vote, name: str, numbers: tuple[str, str], *, is_open: bool) -> None:
        super().__init__()
        self.source, self._name = vote.source, name
        caption, in_words = numbers
        self.setToolTip(plain_tip(f"{name}\n{in_words}"))
        self.switch = QCheckBox()
        self.switch.setChecked(vote.say > 0)
        self.switch.setAccessibleName(self.tr("Let {0} vote").format(name))
        self.switch.setToolTip(self.tr("Let this reference vote, or leave it out"))
        self.picture = PlainLabel()
        self.picture.setFixedSize(_SIDE, _SIDE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name, self.caption = PlainLabel(name), PlainLabel(caption)
        self.name.setMinimumWidth(1)
        self.caption.setMinimumWidth(1)
        self.caption.setFont(glyphs.caption_font(self.font()))
        self.box = _SayBox()
        for say in SAYS:
            self.box.addItem(f"{say:g}x", say)
        self.box.setFont(self.caption.font())
        self.box.setFixedSize(46, 24)
        self.box.setAccessibleName(self.tr("How much {0} counts").format(name))
        self.box.setToolTip(self.tr("How much this reference counts"))
        near = min(range(len(SAYS)), key=lambda i: abs(SAYS[i] - (vote.say or 1.0)))
        self.box.setCurrentIndex(near)
        for part in (self.switch, self.box):
            part.setEnabled(is_open)
        self.box.setEnabled(is_open and vote.say > 0)
        self.switch.clicked.connect(self._wish)
        self.box.activated.connect(self._wish)
        self._lay_out()

    def show_picture(self, pixmap: QPixmap) -> None:
        """Show the reference's thumbnail."""
        if not pixmap.isNull():
            keep = Qt.AspectRatioMode.KeepAspectRatio
            smooth = Qt.TransformationMode.SmoothTransformation
            self.picture.setPixmap(pixmap.scaled(_SIDE, _SIDE, keep, smooth))

    def resizeEvent(self, event: object) -> None:
        """Shorten the name in its middle where there is no room."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        metrics = QFontMetrics(self.name.font())
        room = self.name.width()
        self.name.setText(metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, room))

    def _wish(self) -> None:
        """Say what is to count."""
        say = float(self.box.currentData()) if self.switch.isChecked() else 0.0
        self.sayWanted.emit(self.source, say)

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        below = QHBoxLayout()
        below.setSpacing(4)
        below.addWidget(self.caption, 1)
        below.addWidget(self.box)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self.name)
        texts.addLayout(below)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        row.addWidget(self.switch)
        row.addWidget(self.picture)
        row.addLayout(texts, 1)


class ReferencesBox(QWidget):
    """The references of the selected annotation; hidden where there are none."""

    sayWanted = Signal(int, int, float)
    """The annotation, the source, and what a person lets it count."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails: Thumbnails | None = None
        self._shown: tuple[object, ...] | None = None
        self._images: dict[int, ImageItem] = {}
        self.rows: list[ReferenceRow] = []
        self.title = PlainLabel(self.tr("References: weight / agree %"))
        self.title.setFont(glyphs.caption_font(self.font()))
        self.note = PlainLabel()
        self.note.setFont(glyphs.caption_font(self.font()))
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 8, 0)
        head.addWidget(self.title)
        head.addWidget(self.note, 1)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._area)
        self.setAccessibleName(self.tr("References"))
        self.hide()

    def use_thumbnails(self, thumbnails: Thumbnails) -> None:
        """Show pictures of the references from here on."""
        self._thumbnails = thumbnails
        thumbnails.arrived.connect(self._show_pictures)

    def say_busy(self, is_busy: bool) -> None:
        """Say that the references are being matched."""
        self.note.setText(self.tr("fusing...") if is_busy else "")

    def show_annotation(self, annotation: Annotation | None, project: Project | None) -> None:
        """List the references of an annotation."""
        votes = () if annotation is None or project is None else annotation.votes
        self.setVisible(bool(votes))
        if annotation is None or project is None or not votes:
            self._shown = None
            return
        shown = (annotation.id, votes, annotation.keypoints, annotation.status)
        if shown != self._shown:
            self._shown = shown
            self._fill(annotation, project)

    def reset(self, annotation: Annotation | None, project: Project | None) -> None:
        """Show again what holds: a wish was not granted."""
        self._shown = None
        self.show_annotation(annotation, project)

    def _fill(self, annotation: Annotation, project: Project) -> None:
        """Make the rows anew."""
        whole = QWidget()
        column = QGridLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.rows, self._images = [], {}
        # By their ids, not by their weights: rows must not change places under the pointer.
        for at, vote in enumerate(sorted(annotation.votes, key=lambda v: v.source)):
            source = project.annotations.get(vote.source)
            image = None if source is None else project.images[source.image_id]
            name = self.tr("removed since") if image is None else image.file_name
            is_open = is_pending(annotation) and image is not None
            row = ReferenceRow(vote, name, self._numbers(vote, annotation), is_open=is_open)
            row.sayWanted.connect(
                lambda source, say, id_=annotation.id: self.sayWanted.emit(id_, source, say)
            )
            if image is not None:
                self._images[vote.source] = image
            row.setFixedHeight(_ROW)
            column.addWidget(row, at, 0)
            self.rows.append(row)
        column.setRowStretch(len(self.rows), 1)
        self._area.setWidget(whole)
        self._area.setFixedHeight(_ROW * min(len(self.rows), _ROWS))
        self._show_pictures()

    def _numbers(self, vote: Vote, annotation: Annotation) -> tuple[str, str]:
        """Return what a reference weighs and how far it agrees: in short, and in words."""
        points = annotation.keypoints
        if vote.say == 0:
            return self.tr("left out"), self.tr("Left out: it has no say here.")
        if points is None or len(points) != len(vote):
            return "", ""
        found = vote.mean_weight(points), 100 * vote.agreement(points)
        words = self.tr("Mean weight {0:.2f}; near the fused points with {1:.0f}\u00a0% of them.")
        return self.tr("{0:.0f} / {1:.0f}").format(100 * found[0], found[1]), words.format(*found)

    def _show_pictures(self) -> None:
        """Show those thumbnails that have come; ask for the rest."""
        for row in self.rows:
            image = self._images.get(row.source)
            if self._thumbnails is not None and image is not None:
                pixmap = self._thumbnails.pixmap(image)
                if pixmap is not None:
                    row.show_picture(pixmap)


class _SayBox(QComboBox):
    """A box that scrolling past does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the list scroll instead."""
        event.ignore()
