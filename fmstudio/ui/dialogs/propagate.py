"""Choose what is carried where, and start."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.errors import ProjectError
from fmstudio.project.model import Annotation, Project, Status
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller

_ID = int(Qt.ItemDataRole.UserRole)
_SCOPES = ("unlabelled", "all", "selected")


class PropagateDialog(QDialog):
    """References on top, targets below, and one button that says what it does.

    Parameters
    ----------
    controller : Controller
    selected_ids : tuple of int
        Images that are selected in the list.
    parent : QWidget or None
    """

    startRequested = Signal(object, object)
    """Ids of the references, ids of the targets."""

    def __init__(
        self, controller: Controller, selected_ids: tuple[int, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller, self._selected = controller, selected_ids
        self.setWindowTitle(self.tr("Propagate"))
        self.setMinimumWidth(380)
        self._list = QListWidget(self)
        self._list.setAccessibleName(self.tr("References"))
        self._list.setMinimumHeight(132)
        self._list.itemChanged.connect(self._update)
        self._scope = QButtonGroup(self)
        self._reason = QLabel(self)
        self._reason.setWordWrap(True)
        self._start = QPushButton(self)
        self._start.setDefault(True)
        self._start.clicked.connect(self._on_start)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self._start, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(QLabel(self.tr("Carry what is accepted on"), self))
        layout.addWidget(self._list, 1)
        layout.addWidget(QLabel(self.tr("to"), self))
        for index, scope in enumerate(_SCOPES):
            button = QRadioButton(self)
            button.setProperty("scope", scope)
            self._scope.addButton(button, index)
            layout.addWidget(button)
        layout.addWidget(self._reason)
        layout.addWidget(buttons)
        self._fill()
        self._scope.idClicked.connect(self._update)
        self._update()

    @property
    def references(self) -> tuple[int, ...]:
        """Return the ids of the images that are ticked."""
        items = [self._list.item(row) for row in range(self._list.count())]
        return tuple(item.data(_ID) for item in items if item.checkState() == Qt.CheckState.Checked)

    @property
    def scope(self) -> str:
        """Return "unlabelled", "all" or "selected"."""
        return _SCOPES[max(self._scope.checkedId(), 0)]

    def choose(self, scope: str) -> None:
        """Choose the targets."""
        self._scope.button(_SCOPES.index(scope)).setChecked(True)
        self._update()

    def targets(self) -> tuple[int, ...]:
        """Return the ids of the images that would be carried to."""
        session = self._controller.session
        if session is None:
            return ()
        found = self._selected if self.scope == "selected" else session.targets(self.scope)
        return tuple(i for i in found if i not in self.references)

    def _fill(self) -> None:
        """List the images with accepted work; the reference on the canvas is ticked."""
        project = self._controller.project
        if project is None:
            return
        ids = sorted(
            {a.image_id for a in project.annotations.values() if a.status is Status.ACCEPTED}
        )
        chosen = self._controller.reference_id if self._controller.reference_id in ids else None
        for image_id in ids:
            name = project.images[image_id].file_name
            item = QListWidgetItem(f"{name}: {_content(project, image_id)}")
            item.setData(_ID, image_id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            is_first = image_id == (chosen if chosen is not None else ids[0])
            item.setCheckState(Qt.CheckState.Checked if is_first else Qt.CheckState.Unchecked)
            self._list.addItem(item)
        # One selected image is only the one that is looked at.
        self.choose("selected" if len(self._selected) > 1 else "unlabelled")

    def _update(self) -> None:
        """Say how many images each choice means, and whether it can start."""
        session = self._controller.session
        if session is None:
            return
        references = set(self.references)
        texts = {
            "unlabelled": self.tr("images with nothing yet ({0})"),
            "all": self.tr("all other images ({0})"),
            "selected": self.tr("the selected images ({0})"),
        }
        for button in self._scope.buttons():
            scope = str(button.property("scope"))
            found = self._selected if scope == "selected" else session.targets(scope)
            count = len([i for i in found if i not in references])
            button.setText(texts[scope].format(f"{count:,}"))
            button.setEnabled(scope != "selected" or bool(self._selected))
        count = len(self.targets())
        if not self._list.count():
            reason = self.tr("Accept a keypoint or a mask on one image first.")
        elif not references:
            reason = self.tr("Tick at least one reference.")
        elif not count:
            reason = self.tr("No image is left to carry to.")
        else:
            reason = self.tr("Reviewed work stays as it is.")
        self._reason.setText(reason)
        self._start.setEnabled(bool(references) and count > 0)
        self._start.setText(self.tr("Propagate to {0}").format(counted(count, "image")))

    def _on_start(self) -> None:
        """Ask for the run, and close."""
        try:
            targets = self.targets()
        except ProjectError as error:
            self._reason.setText(str(error))
            return
        self.startRequested.emit(self.references, targets)
        self.accept()


def _content(project: Project, image_id: int) -> str:
    """Return what is accepted on an image, in words."""
    accepted = [a for a in project.annotations_of(image_id) if a.status is Status.ACCEPTED]
    return ", ".join(_words(project, a) for a in accepted)


def _words(project: Project, annotation: Annotation) -> str:
    """Return what an annotation holds, in words."""
    parts = []
    if annotation.keypoints is not None:
        parts.append(counted(int(annotation.keypoints.labelled.sum()), "keypoint"))
    if annotation.mask is not None:
        parts.append("mask")
    return f"{project.categories[annotation.category_id].name} ({', '.join(parts)})"
