"""The halves of the category editor: the table with its buttons, the drawing with its modes."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.drawing.colors import parse_hex
from fmstudio.project.model import Category
from fmstudio.project.templates import Template
from fmstudio.project.wording import counted
from fmstudio.ui.dialogs.category_draft import DEFAULT_SIGMA, CategoryDraft
from fmstudio.ui.dialogs.keypoint_table import KeypointTable
from fmstudio.ui.dialogs.schema_sources import load_templates
from fmstudio.ui.dialogs.skeleton_canvas import PairMode, SkeletonCanvas
from fmstudio.ui.icons import icon
from fmstudio.ui.panels.glyphs import caption_font, category_rgb, swatch_icon
from fmstudio.ui.panels.switch import Switch, follow_eye
from fmstudio.ui.plain import PlainLabel


def tool_button(text: str, tip: str, drawing: str = "") -> QToolButton:
    """Return a button of 28 px: with an icon, or else with its text."""
    button = QToolButton()
    button.setFixedHeight(28)
    button.setToolTip(tip)
    button.setAccessibleName(text)
    if drawing:
        button.setIcon(icon(drawing))
        button.setFixedWidth(28)
    else:
        button.setText(text)
    return button


def _caption(text: str) -> QLabel:
    """Return small text that explains."""
    label = PlainLabel(text)
    label.setWordWrap(True)
    label.setFont(caption_font(label.font()))
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


class EditorHead(QWidget):
    """Name, colour, supercategory, and what to start from."""

    namesTyped = Signal()
    colorAsked = Signal()
    schemaChosen = Signal(object)
    """A Category whose schema should be taken over."""
    fileAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name_field, self.supercategory_field = QLineEdit(), QLineEdit()
        self.name_field.setPlaceholderText(self.tr("such as cat face"))
        self.name_field.textEdited.connect(self.namesTyped)
        self.supercategory_field.textEdited.connect(self.namesTyped)
        self.color_button = tool_button(self.tr("Colour"), self.tr("Colour of the category"))
        self.color_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.color_button.setFixedWidth(28)
        self.color_button.clicked.connect(self.colorAsked)
        self.source_button = tool_button(
            self.tr("Start from"), self.tr("Take over a ready-made schema")
        )
        self.source_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.source_button.setMenu(self._make_menu())
        name_label = PlainLabel(self.tr("&Name"))
        super_label = PlainLabel(self.tr("Su&percategory"))
        name_label.setBuddy(self.name_field)
        super_label.setBuddy(self.supercategory_field)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(name_label)
        row.addWidget(self.name_field, 2)
        row.addWidget(self.color_button)
        row.addSpacing(8)
        row.addWidget(super_label)
        row.addWidget(self.supercategory_field, 1)
        row.addSpacing(8)
        row.addWidget(self.source_button)

    def show_draft(self, draft: CategoryDraft, id_: int) -> None:
        """Show another version of the draft, of the category of this id."""
        for field, text in (
            (self.name_field, draft.name),
            (self.supercategory_field, draft.supercategory),
        ):
            if field.text() != text:
                field.setText(text)
        rgb = parse_hex(draft.color) if draft.color else category_rgb(Category(id_, ""))
        self.color_button.setIcon(swatch_icon(rgb))
        self.color_button.setEnabled(not any(row.color for row in draft.rows))

    def _make_menu(self) -> QMenu:
        """Return the menu of templates and files."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for template in load_templates():
            self._add_template(menu, template)
        menu.addSeparator()
        menu.addAction(icon("import"), self.tr("COCO file..."), self.fileAsked)
        return menu

    def _add_template(self, menu: QMenu, template: Template) -> None:
        """Add the entry of one template."""
        action = menu.addAction(icon("template"), template.title)
        action.setToolTip(template.about)
        action.triggered.connect(lambda: self.schemaChosen.emit(template.category))


class StatusLine(QWidget):
    """One sentence with a sign before it; keeps its room when there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sign, self.label = PlainLabel(), PlainLabel()
        self.sign.setFixedWidth(16)
        self.label.setWordWrap(True)
        self.label.setMinimumHeight(36)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.sign)
        row.addWidget(self.label, 1)

    @property
    def text(self) -> str:
        """Return the sentence."""
        return self.label.text()

    def show_text(self, text: str, drawing: str) -> None:
        """Show a sentence behind an icon."""
        self.label.setText(text)
        self.sign.setPixmap(icon(drawing).pixmap(16, 16) if text else QPixmap())


class KeypointPane(QWidget):
    """The table of keypoints, what adds and moves them, and what a sigma is."""

    addAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = KeypointTable()
        self.add_button = tool_button(
            self.tr("Add a keypoint"), self.tr("Add a keypoint below the current one"), "plus"
        )
        self.remove_button = tool_button(
            self.tr("Remove keypoints"), self.tr("Remove the selected keypoints (Del)"), "minus"
        )
        self.up_button = tool_button(
            self.tr("Move up"), self.tr("Move the selected keypoints up (Alt+Up)"), "chevron-up"
        )
        self.down_button = tool_button(
            self.tr("Move down"),
            self.tr("Move the selected keypoints down (Alt+Down)"),
            "chevron-down",
        )
        self.paste_button = tool_button(
            self.tr("Paste names"),
            self.tr("Add the names on the clipboard, one per line (Ctrl+V in the table)"),
        )
        self.count_label = _caption("")
        self.count_label.setWordWrap(False)
        self.add_button.clicked.connect(self.addAsked)
        self.remove_button.clicked.connect(self._remove)
        self.up_button.clicked.connect(lambda: self.table.move_chosen(-1))
        self.down_button.clicked.connect(lambda: self.table.move_chosen(1))
        self.table.selectionModel().selectionChanged.connect(self._allow)
        self._lay_out()
        self._allow()

    def show_draft(self, draft: CategoryDraft) -> None:
        """Show another version of the draft."""
        self.table.show_draft(draft)
        self.count_label.setText(counted(len(draft.rows), "keypoint"))
        self._allow()

    def _remove(self) -> None:
        """Ask for the selected rows to go."""
        self.table.removeAsked.emit(self.table.chosen_keys)

    def _allow(self) -> None:
        """Let be pressed what can be done."""
        has_chosen = bool(self.table.chosen_keys)
        for button in (self.remove_button, self.up_button, self.down_button):
            button.setEnabled(has_chosen)

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.add_button, self.remove_button, self.up_button, self.down_button):
            row.addWidget(button)
        row.addWidget(self.paste_button)
        row.addStretch()
        row.addWidget(self.count_label)
        explained = _caption(
            self.tr(
                "Sigma says how far careful clicks on a point scatter, as a share of the object's"
                " size: COCO has 0.025 for an eye and 0.107 for a hip. Left empty it is {0:g}."
            ).format(DEFAULT_SIGMA)
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.table, 1)
        column.addWidget(explained)
        follow_eye(
            self.add_button,
            self.remove_button,
            self.up_button,
            self.down_button,
            self.paste_button,
            self.table,
        )


class SkeletonPane(QWidget):
    """The drawing, and what clicks in it make."""

    suggestAsked = Signal()
    arrangeAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = CategoryDraft()
        self.canvas = SkeletonCanvas()
        self.switch = Switch(
            {
                PairMode.LIMBS: (self.tr("Skeleton"), self.tr("Clicks join keypoints by a line")),
                PairMode.FLIPS: (
                    self.tr("Flip pairs"),
                    self.tr("Clicks pair the keypoints that change places in a mirror image"),
                ),
            }
        )
        self.switch.chosen.connect(self.set_mode)
        self.suggest_button = tool_button(
            self.tr("From names"), self.tr("Pair the names that differ by left and right only")
        )
        self.suggest_button.clicked.connect(self.suggestAsked)
        self.arrange_button = tool_button(
            self.tr("Arrange the drawing"),
            self.tr("Put the dots back: as annotated, as in a template, or on a circle"),
            "refresh",
        )
        self.arrange_button.clicked.connect(self.arrangeAsked)
        self.hint_label = _caption("")
        self._mode = PairMode.LIMBS
        self._lay_out()
        self.set_mode(PairMode.LIMBS)

    @property
    def mode(self) -> PairMode:
        """Return what two clicks make."""
        return self._mode

    def set_mode(self, name: str) -> None:
        """Choose what two clicks make."""
        self._mode = PairMode(name)
        self.canvas.set_mode(self._mode)
        self.suggest_button.setVisible(self._mode is PairMode.FLIPS)
        self._show_hint()

    def show_draft(self, draft: CategoryDraft) -> None:
        """Show another version of the draft."""
        self._draft = draft
        self.canvas.show_draft(draft)
        has_more = draft.with_suggested_flips() != draft
        self.suggest_button.setEnabled(has_more)
        self._show_hint()

    def _show_hint(self) -> None:
        """Say what clicks do, and how many pairs there are."""
        if self._mode is PairMode.LIMBS:
            count = counted(len(self._draft.limbs), "line")
            text = self.tr("{0}. Click two dots to join them, again to part them; drag to arrange.")
        else:
            count = counted(len(self._draft.flips), "flip pair")
            text = self.tr(
                "{0}. Click two dots that change places in a mirror image, again to part them."
            )
        self.hint_label.setText(text.format(count) if self._draft.rows else "")

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.switch)
        row.addWidget(self.suggest_button)
        row.addStretch()
        row.addWidget(self.arrange_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.hint_label)
        follow_eye(
            *self.switch.buttons.values(), self.suggest_button, self.arrange_button, self.canvas
        )
        self.hint_label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
