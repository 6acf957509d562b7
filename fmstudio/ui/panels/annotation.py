"""The annotations of the shown image, and the keypoints and mask of the selected one."""

from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.geometry.points import NOT_LABELLED
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import ChangeAnnotation, RemoveAnnotations
from fmstudio.project.edits_category import SetCategory, dropped_names
from fmstudio.project.model import Annotation, Category, Status
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.icons import icon
from fmstudio.ui.panels import glyphs
from fmstudio.ui.panels.annotation_models import ITEM_ROLE, AnnotationModel, KeypointModel
from fmstudio.ui.panels.annotation_rows import AnnotationDelegate, KeypointDelegate, KeypointList
from fmstudio.ui.panels.categories import CategoryBox
from fmstudio.ui.panels.competing import CompetingNotice
from fmstudio.ui.panels.references import ReferencesBox
from fmstudio.ui.panels.scrolled import scrolled
from fmstudio.ui.panels.switch import Switch, follow_eye
from fmstudio.ui.panels.visibility import cycled
from fmstudio.ui.panels.why import WhyBox
from fmstudio.ui.plain import PlainLabel, plain_tip


class AnnotationPanel(QWidget):
    """What is annotated on the target, or on the reference, and what can be done with it."""

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._role = "target"
        self._annotations = AnnotationModel(self)
        self._keypoints = KeypointModel(self)
        self.setAccessibleName(self.tr("Annotation"))
        self._make_head()
        self._make_lists()
        self._make_buttons()
        self._lay_out()
        controller.sessionChanged.connect(self._show_image)
        controller.shownChanged.connect(self._show_image)
        controller.inboxChanged.connect(self._show_waiting)
        controller.projectChanged.connect(self._take_over)
        controller.selectionChanged.connect(self._follow_selection)
        self._show_image()

    @property
    def image_id(self) -> int | None:
        """Return the id of the image whose annotations are listed, or None."""
        is_target = self._role == "target"
        return self._controller.target_id if is_target else self._controller.reference_id

    @property
    def shown(self) -> Annotation | None:
        """Return the annotation whose keypoints are listed: the selected one, if it is here."""
        selected = self._controller.selected
        return selected if selected is not None and selected.image_id == self.image_id else None

    def show_role(self, role: str) -> None:
        """List the annotations of the ``"target"`` or of the ``"reference"``."""
        self._role = role
        self.switch.show_choice(role)
        self._show_image()

    def use_actions(self, accept: QAction, reject: QAction, delete: QAction) -> None:
        """Let the buttons say which keys do the same."""
        buttons = (self.accept_button, self.reject_button, self.delete_button)
        for button, action in zip(buttons, (accept, reject, delete), strict=True):
            button.setToolTip(action.toolTip())

    def show_weighing(self, is_busy: bool) -> None:
        """Say that references are being weighed; afterwards show what holds."""
        self.references.say_busy(is_busy)
        if not is_busy:
            self.references.reset(self.shown, self._controller.project)

    # What a person does here

    def cycle_visibility(self, row: int) -> None:
        """Give the keypoint of a row the next visibility; one without a place asks for it."""
        annotation, controller = self.shown, self._controller
        if annotation is None or controller.session is None:
            return
        keypoint = self._keypoints.index(row).data(ITEM_ROLE).index
        controller.select(annotation.id, keypoint)
        changed = cycled(annotation, keypoint, controller.session.history)
        if changed is None:
            controller.set_tool("keypoint")
        else:
            controller.perform(ChangeAnnotation(annotation.id, changed, annotation.mask))

    def change_category(self, category_id: int) -> None:
        """Make the shown annotation an object of another category; say what that costs."""
        annotation, project = self.shown, self._controller.project
        if annotation is None or project is None:
            return
        old, new = project.categories[annotation.category_id], project.categories[category_id]
        lost = dropped_names(annotation, old, new)
        done = self._controller.perform(SetCategory((annotation.id,), category_id))
        if not done:
            self.category_box.show_category(annotation.category_id)
        elif lost:
            self._controller.notify(
                self.tr("{0} of '{1}' have no name in '{2}' and were dropped: {3}.").format(
                    counted(len(lost), "keypoint"), old.name, new.name, ", ".join(lost)
                ),
                Level.WARNING,
                action=self.tr("Undo"),
                run=self._controller.undo,
            )

    def _accept(self) -> None:
        """Accept the shown annotation."""
        if self.shown is not None:
            self._controller.accept((self.shown.id,))

    def _reject(self) -> None:
        """Reject the shown annotation."""
        if self.shown is not None:
            self._controller.reject((self.shown.id,))

    def _delete(self) -> None:
        """Remove the shown annotation."""
        if self.shown is not None:
            self._controller.perform(RemoveAnnotations((self.shown.id,)))

    def _select_annotation(self, current: QModelIndex) -> None:
        """Select the annotation of the current row."""
        if current.isValid():
            annotation: Annotation = current.data(ITEM_ROLE)
            if annotation.id != self._controller.selection.annotation_id:
                self._controller.select(annotation.id)

    def _select_keypoint(self, current: QModelIndex) -> None:
        """Select the keypoint of the current row."""
        if current.isValid() and self.shown is not None:
            self._controller.select(self.shown.id, current.data(ITEM_ROLE).index)

    def _focus(self, index: QModelIndex) -> None:
        """Centre an annotation on the canvas."""
        self._controller.focusRequested.emit(index.data(ITEM_ROLE).id)

    # What the controller says

    def _show_image(self) -> None:
        """List the annotations of another image."""
        self._annotations.show(self._controller.project, self.image_id)
        self._show_waiting()
        self._show_selection()

    def _take_over(self, diff: ProjectDiff) -> None:
        """Follow an edit."""
        if diff.annotations or diff.categories or diff.images:
            self._show_image()

    def _follow_selection(self) -> None:
        """Show what is selected, on whichever of the two images it is."""
        selected = self._controller.selected
        if selected is not None and selected.image_id != self.image_id:
            for role, image_id in (
                ("target", self._controller.target_id),
                ("reference", self._controller.reference_id),
            ):
                if selected.image_id == image_id:
                    self.show_role(role)
                    return
        self._show_selection()

    def _show_waiting(self) -> None:
        """Say how many annotations there are, and how many are on their way."""
        n, image_id = self._annotations.rowCount(), self.image_id
        waiting = 0 if image_id is None else len(self._controller.ghosts(image_id))
        text = counted(n, "annotation") if n or image_id else ""
        self.count_label.setText(
            self.tr("{0}, {1} arriving").format(n, waiting) if waiting else f"{n:,}" if text else ""
        )
        self.count_label.setToolTip(plain_tip(text))
        self._pages.setCurrentIndex(0 if n else 1)
        self._lower.setVisible(n > 0)
        self.empty_label.setText(self._empty_text())

    def _empty_text(self) -> str:
        """Return what to do where nothing is annotated."""
        project, image_id = self._controller.project, self.image_id
        if project is None:
            return self.tr("No project is open.")
        if image_id is None:
            return self.tr("No image is shown here: choose one in the list of images.")
        return self.tr(
            "Nothing is annotated on {0} yet. Take a tool (K, P, B), or press Ctrl+B to propagate."
        ).format(project.images[image_id].file_name)

    def _show_selection(self) -> None:
        """Show the selected annotation in all parts."""
        annotation, project = self.shown, self._controller.project
        row = None if annotation is None else self._annotations.row_of(annotation.id)
        self._set_row(self.list, row)
        category: Category | None = None
        if annotation is not None and project is not None:
            category = project.categories[annotation.category_id]
        self._keypoints.show(annotation, category)
        keypoint = self._controller.selection.keypoint if annotation is not None else None
        self._set_row(self.keypoint_list, self._keypoints.row_of(keypoint))
        status = None if annotation is None else annotation.status
        self.accept_button.setEnabled(status not in (None, Status.ACCEPTED))
        self.reject_button.setEnabled(status not in (None, Status.REJECTED))
        self.delete_button.setEnabled(annotation is not None)
        self.category_box.setEnabled(annotation is not None)
        self.category_box.show_category(None if category is None else category.id)
        self._show_details(annotation, category)
        self.competing.show_annotation(annotation)
        self.references.show_annotation(annotation, project)

    def _show_details(self, annotation: Annotation | None, category: Category | None) -> None:
        """Show how many keypoints are placed, and how large the mask is."""
        self.details.setVisible(annotation is not None)
        self.hint_label.setVisible(annotation is None and self._annotations.rowCount() > 0)
        if annotation is None or category is None:
            return
        m = len(category.keypoints)
        points = annotation.keypoints
        placed = 0 if points is None else int((points.visibility != NOT_LABELLED).sum())
        self.placed_label.setText(
            self.tr("{0} of {1} placed").format(placed, m)
            if m
            else self.tr("'{0}' has no keypoints").format(category.name)
        )
        self.doubtful_button.setVisible(m > 0)
        self.keypoint_list.setVisible(m > 0)
        self.mask_label.setText(_mask_text(self, annotation))

    @staticmethod
    def _set_row(view: QListView, row: int | None) -> None:
        """Make a row the current one, or none."""
        model = view.model()
        view.setCurrentIndex(QModelIndex() if row is None else model.index(row, 0))

    # Parts

    def _make_head(self) -> None:
        """Make the switch between the images, and the count."""
        self.switch = Switch(
            {
                "target": (self.tr("Target"), self.tr("List what is annotated on the target")),
                "reference": (
                    self.tr("Reference"),
                    self.tr("List what is annotated on the reference"),
                ),
            }
        )
        self.switch.chosen.connect(self.show_role)
        self.count_label = PlainLabel()
        self.count_label.setFont(glyphs.caption_font(self.font()))

    def _make_lists(self) -> None:
        """Make the lists of annotations and of keypoints."""
        self.list = QListView()
        self._set_up(self.list, self._annotations, self.tr("Annotations of the image"))
        self.list.setItemDelegate(AnnotationDelegate(self.list))
        self.list.selectionModel().currentChanged.connect(self._select_annotation)
        self.list.doubleClicked.connect(self._focus)
        self.keypoint_list = KeypointList()
        self._set_up(self.keypoint_list, self._keypoints, self.tr("Keypoints"))
        delegate = KeypointDelegate(self.keypoint_list)
        delegate.glyphClicked.connect(self.cycle_visibility)
        self.keypoint_list.setItemDelegate(delegate)
        self.keypoint_list.selectionModel().currentChanged.connect(self._select_keypoint)
        self.keypoint_list.cycleAsked.connect(self.cycle_visibility)
        self.empty_label = PlainLabel()
        self.empty_label.setWordWrap(True)
        self.empty_label.setMargin(16)
        self.empty_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.hint_label = PlainLabel(self.tr("Select an annotation to see its keypoints and mask."))
        self.hint_label.setWordWrap(True)
        self.hint_label.setMargin(8)
        self.hint_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.placed_label, self.mask_label = PlainLabel(), PlainLabel()
        self.mask_label.setWordWrap(True)
        for label in (self.placed_label, self.mask_label):
            label.setFont(glyphs.tabular(self.font()))
        self.placed_label.setMinimumWidth(1)
        self.doubtful_button = QToolButton()
        self.doubtful_button.setText(self.tr("By doubt"))
        self.doubtful_button.setCheckable(True)
        self.doubtful_button.setFixedHeight(28)
        self.doubtful_button.setToolTip(self.tr("Put the keypoints of least confidence first"))
        self.doubtful_button.toggled.connect(self._sort_keypoints)

    def _sort_keypoints(self, doubtful_first: bool) -> None:
        """Sort the keypoints by confidence, or as the schema has them."""
        self._keypoints.set_doubtful_first(doubtful_first)
        self._show_selection()

    @staticmethod
    def _set_up(view: QListView, model: QAbstractItemModel, name: str) -> None:
        """Make a list show rows."""
        view.setModel(model)
        view.setAccessibleName(name)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _make_buttons(self) -> None:
        """Make what acts on the selected annotation."""
        self.accept_button = self._button("accept", self.tr("Accept"), self._accept)
        self.reject_button = self._button("reject", self.tr("Reject"), self._reject)
        self.delete_button = self._button("trash", self.tr("Delete"), self._delete)
        self.category_box = CategoryBox(self._controller)
        self.category_box.setAccessibleName(self.tr("Category of the annotation"))
        self.category_box.setToolTip(self.tr("Make the annotation one of another category"))
        self.category_box.chosen.connect(self.change_category)

    def _button(self, drawing: str, name: str, slot: object) -> QToolButton:
        """Return a button that acts on the selected annotation."""
        button = QToolButton()
        button.setIcon(icon(drawing))
        button.setFixedSize(28, 28)
        button.setAccessibleName(name)
        button.setToolTip(self.tr("{0} the selected annotation").format(name))
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self.empty_label)
        self._lower = self._make_lower()
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._pages)
        splitter.addWidget(self._lower)
        splitter.setSizes([96, 400])
        splitter.setStretchFactor(1, 1)
        whole = _column(self)
        whole.addLayout(_row(self.switch, None, self.count_label))
        whole.addWidget(splitter, 1)
        self.setFocusProxy(self.list)
        follow_eye(
            *self.switch.buttons.values(),
            self.list,
            self.accept_button,
            self.reject_button,
            self.delete_button,
            self.category_box,
            self.doubtful_button,
            self.keypoint_list,
        )

    def _make_lower(self) -> QWidget:
        """Return what concerns the selected annotation."""
        self.details = QWidget()
        self.competing, self.references = CompetingNotice(), ReferencesBox()
        column = _column(self.details)
        column.addLayout(_row(self.placed_label, None, self.doubtful_button))
        column.addWidget(self.keypoint_list, 1)
        column.addLayout(_row(self.mask_label, None))
        column.addWidget(self.references)
        actions = _row(self.accept_button, self.reject_button, self.delete_button, None)
        lower = QWidget()
        below = _column(lower)
        below.addLayout(actions)
        below.addLayout(_row(self.category_box))
        below.addWidget(self.competing)
        below.addWidget(self.hint_label)
        below.addWidget(self.details, 1)
        self.why = WhyBox(self._controller)
        below.addWidget(self.why)
        below.addStretch()
        # What is there differs by annotation: a short panel scrolls, and no dock has to make room.
        return scrolled(lower)


def _column(widget: QWidget) -> QVBoxLayout:
    """Return a column of a widget, without room around or between."""
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return column


def _row(*parts: QWidget | None) -> QHBoxLayout:
    """Return widgets in a row; None is room that stretches."""
    row = QHBoxLayout()
    row.setContentsMargins(8, 4, 8, 4)
    row.setSpacing(4)
    for part in parts:
        if part is None:
            row.addStretch()
        else:
            row.addWidget(part)
    return row


def _mask_text(panel: QWidget, annotation: Annotation) -> str:
    """Return how much a mask covers."""
    mask = annotation.mask
    if mask is not None:
        share = 100 * mask.area / mask.n_pixels
        return panel.tr("Mask {0:,} px ({1:.1f}\u00a0%)").format(mask.area, share)
    if annotation.bbox is not None:
        return panel.tr("Box {0:.0f} x {1:.0f} px").format(*annotation.bbox[2:])
    return panel.tr("No mask")
