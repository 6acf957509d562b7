"""Why the selected point or annotation may be wrong, and what points are coloured by."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.doubt import (
    REASONS,
    Finding,
    Reason,
    main_reason,
    main_reason_of_all,
    sentence,
    value_text,
)
from fmstudio.project.model import Annotation, Status
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import Choice
from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.plain import PlainLabel, plain_tip
from fmstudio.ui.reasons import reason_name, reason_tip


class WhyBox(QWidget):
    """One sentence on what is selected, the figures behind it on request, and a choice of colours.

    Parameters
    ----------
    controller : Controller
    parent : QWidget or None
    """

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.label = PlainLabel(self)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.colors: QComboBox = Choice(self.tr("What proposed points are coloured by"))
        self.colors.addItem(self.tr("Confidence"), None)
        for i, reason in enumerate(REASONS, 1):
            self.colors.addItem(reason_name(reason), reason.value)
            self.colors.setItemData(i, reason_tip(reason), Qt.ItemDataRole.ToolTipRole)
        self.colors.setMinimumWidth(64)
        self.colors.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        caption = PlainLabel(self.tr("Colour by"), self)
        caption.setFont(caption_font(self.font()))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(caption)
        row.addWidget(self.colors, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addWidget(self.label)
        column.addLayout(row)
        self.colors.activated.connect(self._choose)
        controller.coloringChanged.connect(self._show_coloring)
        controller.selectionChanged.connect(self._show)
        controller.projectChanged.connect(self._on_project)
        controller.sessionChanged.connect(self._show)
        self._show_coloring()
        self._show()

    def _choose(self, row: int) -> None:
        """Colour the points by what was chosen."""
        # Qt gives a word back where it was given one of an enumeration.
        word = self.colors.itemData(row)
        self._controller.set_coloring(Reason(word) if word else None)

    def _show_coloring(self) -> None:
        """Show what points are coloured by."""
        reason = self._controller.coloring
        self.colors.setCurrentIndex(0 if reason is None else 1 + REASONS.index(reason))

    def _on_project(self, diff: ProjectDiff) -> None:
        """Follow an edit."""
        if diff.annotations or diff.categories:
            self._show()

    def _show(self) -> None:
        """Say why what is selected may be wrong; nothing of what nobody proposed."""
        annotation = self._controller.selected
        text, tip = "", ""
        if annotation is not None and annotation.doubt is not None:
            text, tip = self._text(annotation), self._figures(annotation)
        self.label.setText(text)
        self.label.setToolTip(plain_tip(tip))
        self.label.setVisible(bool(text))

    def _text(self, annotation: Annotation) -> str:
        """Return the sentence on the selected point, or on the annotation."""
        keypoint = self._controller.selection.keypoint
        finding = self._finding(annotation, keypoint)
        if finding is None and annotation.status is not Status.PROPOSED:
            return ""
        words = sentence(finding)
        if keypoint is not None:
            return f"{self._name(annotation, keypoint)}: {words}"
        if finding is not None and finding.keypoint is not None:
            return f"{self._name(annotation, finding.keypoint)}: {words}"
        return words

    def _finding(self, annotation: Annotation, keypoint: int | None) -> Finding | None:
        """Return the main reason against the selected point, else against the annotation."""
        if keypoint is not None:
            return main_reason(annotation.doubt, keypoint)
        return main_reason_of_all(annotation.doubt)

    def _name(self, annotation: Annotation, keypoint: int) -> str:
        """Return a keypoint's name."""
        project = self._controller.project
        assert project is not None
        names = project.categories[annotation.category_id].keypoints
        return names[keypoint] if keypoint < len(names) else str(keypoint + 1)

    def _figures(self, annotation: Annotation) -> str:
        """Return all known reasons of the selected point, else of the mask, as lines."""
        doubt, keypoint = annotation.doubt, self._controller.selection.keypoint
        assert doubt is not None
        if keypoint is not None and keypoint >= len(doubt):
            return ""
        lines = [
            f"{reason_name(reason)}: {value_text(reason, value)}"
            for reason in REASONS
            if (value := doubt.value(reason, keypoint)) is not None
        ]
        return "\n".join(lines)
