"""The editor of a category: names, order, skeleton, flip pairs, colours, sigmas."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from fmstudio.errors import FmstudioError
from fmstudio.project.edits import AddCategory, ChangeCategory
from fmstudio.project.model import Category
from fmstudio.project.wording import counted
from fmstudio.session_coco import read_schemas
from fmstudio.ui.controller import Controller, Level, Notice
from fmstudio.ui.dialogs import schematic
from fmstudio.ui.dialogs.category_checks import Effects, Usage, effects_text, fault_of
from fmstudio.ui.dialogs.category_draft import CategoryDraft, KeypointRow
from fmstudio.ui.dialogs.category_editor_parts import (
    EditorHead,
    KeypointPane,
    SkeletonPane,
    StatusLine,
    tool_button,
)
from fmstudio.ui.dialogs.color_popup import ColorPopup
from fmstudio.ui.dialogs.schema_sources import load_templates, names_in
from fmstudio.ui.dialogs.skeleton_canvas import PairMode


class CategoryEditor(QDialog):
    """Makes or changes one category; show it with ``open()``. OK makes one edit."""

    def __init__(
        self, controller: Controller, category_id: int | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller = controller
        project = controller.project
        assert project is not None
        stored = None if category_id is None else project.categories[category_id]
        others = (c.name for c in project.categories.values() if c is not stored)
        self._taken = frozenset(others)
        self._usage = Usage.none() if stored is None else Usage.of(project, stored.id)
        examples = () if stored is None else schematic.example_points(project, stored.id)
        self._annotated = schematic.layout_from_points(examples)
        self._first = CategoryDraft() if stored is None else CategoryDraft.of(stored)
        self._draft = self._first
        self._undone: list[CategoryDraft] = []
        self._done: list[CategoryDraft] = []
        self._offered: dict[str, Category] = {}
        self._message = ""
        self._has_asked = False
        title = self.tr("New category") if stored is None else self.tr("Category '{0}'")
        self.setWindowTitle(title.format("" if stored is None else stored.name))
        self._make_parts()
        self._lay_out()
        self._connect()
        self.arrange()
        self._show_draft()

    # What it holds

    @property
    def draft(self) -> CategoryDraft:
        """Return the category as it stands here."""
        return self._draft

    def set_draft(self, draft: CategoryDraft) -> None:
        """Take a step, which can be undone here."""
        if draft != self._draft:
            self._done.append(self._draft)
            self._undone.clear()
            self._go_to(draft)

    def undo(self) -> None:
        """Take the last step back; the names of the category stay as typed."""
        if self._done:
            self._undone.append(self._draft)
            self._go_to(self._with_typed(self._done.pop()))

    def redo(self) -> None:
        """Take an undone step again."""
        if self._undone:
            self._done.append(self._draft)
            self._go_to(self._with_typed(self._undone.pop()))

    # What a person does here

    def add_keypoint(self) -> None:
        """Add a keypoint below the current one, and let its name be typed."""
        draft, names = self._draft, set(self._draft.names)
        current = self.keypoints.table.current_key
        at = len(draft.rows) if current is None else draft.index[current] + 1
        number = len(draft.rows) + 1
        while self.tr("keypoint {0}").format(number) in names:
            number += 1
        self.set_draft(draft.with_added([self.tr("keypoint {0}").format(number)], at))
        self.keypoints.table.edit_name(draft.next_key)

    def paste_names(self, text: str) -> None:
        """Add the names of a text below the current one; those that are there are left out."""
        names, draft = names_in(text), self._draft
        new = [name for name in names if name not in draft.names]
        current = self.keypoints.table.current_key
        at = len(draft.rows) if current is None else draft.index[current] + 1
        self.set_draft(draft.with_added(new, at))
        keys = range(draft.next_key, draft.next_key + len(new))
        if new:
            self.keypoints.table.choose(keys, keys[-1])
        if not names:
            self._say(self.tr("The clipboard holds no names: copy a list, one name per line."))
        elif len(new) < len(names):
            there = counted(len(names) - len(new), "name")
            self._say(self.tr("Already there, and left out: {0}.").format(there))

    def start_from(self, category: Category) -> None:
        """Take over another schema; keypoints of equal name stay what they are."""
        self.set_draft(self._draft.with_schema(category))
        self.arrange()

    def import_file(self, name: str) -> None:
        """Take over a schema of a COCO file; of several a person chooses one."""
        try:
            schemas = read_schemas(Path(name))
        except FmstudioError as error:
            self._say(str(error))
            return
        if len(schemas) == 1:
            self.start_from(schemas[0])
        else:
            self._ask_which(schemas)

    def arrange(self) -> None:
        """Put the dots of the drawing where annotations, or a template, have the keypoints."""
        draft = self._draft
        places = np.full((len(draft.rows), 2), np.nan)
        for i, origin in enumerate(draft.mapping()):
            if origin is not None and origin < len(self._annotated):
                places[i] = self._annotated[origin]
        if np.isnan(places).all():
            places = schematic.layout_from_templates(draft.names, load_templates())
        places = schematic.completed(places)
        keys = [row.key for row in draft.rows]
        pairs = [(x, y) for x, y in places.tolist()]
        self.skeleton.canvas.set_places(dict(zip(keys, pairs, strict=True)))

    def accept(self) -> None:
        """Make the edit, and close if it was taken."""
        if fault_of(self._draft, self._taken):
            return
        stored, category = self._draft.stored, self._draft.category()
        project = self._controller.project
        if stored is None:
            diff = self._controller.perform(AddCategory(category))
        elif project is None or project.categories.get(stored.id) is not stored:
            self._say(self.tr("The category was changed meanwhile: close this and open it again."))
            return
        else:
            diff = self._controller.perform(ChangeCategory(category, self._draft.mapping()))
        if diff is None:
            return
        if diff.categories.added:
            self._controller.set_category(diff.categories.added[0])
        super().accept()

    def reject(self) -> None:
        """Close; changes are thrown away on the second time of asking only."""
        if self._draft == self._first or self._has_asked:
            super().reject()
            return
        self._say(self.tr("Press Esc or Cancel once more to throw the changes away."))
        self._has_asked = True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and redo steps of this dialog."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo()
        else:
            super().keyPressEvent(event)

    # Private: changes

    def _go_to(self, draft: CategoryDraft) -> None:
        """Show another version."""
        self._draft, self._message, self._has_asked = draft, "", False
        self._show_draft()

    def _with_typed(self, draft: CategoryDraft) -> CategoryDraft:
        """Return a version with the names that are typed now."""
        typed = self._draft
        return replace(draft, name=typed.name, supercategory=typed.supercategory)

    def _type_names(self) -> None:
        """Take over what is typed; the fields undo it by themselves."""
        self._go_to(
            replace(
                self._draft,
                name=self.head.name_field.text(),
                supercategory=self.head.supercategory_field.text(),
            )
        )

    def _change_row(self, row: KeypointRow) -> None:
        """Take over another name, colour or sigma."""
        self.set_draft(self._draft.with_row(row))

    def _move(self, keys: Sequence[int], to: int) -> None:
        """Put keypoints at another place."""
        self.set_draft(self._draft.moved(keys, to))

    def _remove(self, keys: Sequence[int]) -> None:
        """Remove keypoints; the one that takes their place becomes the current one."""
        at = min((self._draft.index[key] for key in keys), default=0)
        self.set_draft(self._draft.without(keys))
        if rows := self._draft.rows:
            key = rows[min(at, len(rows) - 1)].key
            self.keypoints.table.choose((key,), key)

    def _pair(self, a: int, b: int) -> None:
        """Join two keypoints, or part them."""
        draft = self._draft
        is_limb = self.skeleton.mode is PairMode.LIMBS
        self.set_draft(draft.with_limb_toggled(a, b) if is_limb else draft.with_flip_toggled(a, b))

    def _suggest_flips(self) -> None:
        """Pair names with left and right."""
        self.set_draft(self._draft.with_suggested_flips())

    def _ask_color(self, key: int) -> None:
        """Let a keypoint's colour be chosen below its swatch."""
        table, at = self.keypoints.table, self._draft.index[key]
        popup = ColorPopup(self, key)
        popup.chosen.connect(self._color)
        corner = QPoint(table.columnViewportPosition(0), table.rowViewportPosition(at) + 28)
        popup.show_at(table.viewport().mapToGlobal(corner))

    def _ask_category_color(self) -> None:
        """Let the category's colour be chosen below its button."""
        popup = ColorPopup(self, None)
        popup.chosen.connect(self._color)
        button = self.head.color_button
        popup.show_at(button.mapToGlobal(QPoint(0, button.height())))

    def _color(self, key: int | None, color: str | None) -> None:
        """Give a colour to the keypoint of a key, or to the whole category."""
        if key is None:
            self.set_draft(replace(self._draft, color=color))
        else:
            row = self._draft.rows[self._draft.index[key]]
            self._change_row(replace(row, color=color))

    def _ask_file(self) -> None:
        """Let a COCO file be chosen."""
        dialog = QFileDialog(self, self.tr("Schema of a COCO file"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("COCO files (*.json)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.import_file)
        dialog.open()

    def _ask_which(self, schemas: Sequence[Category]) -> None:
        """Let one of several schemas be chosen; those with keypoints come first."""
        known = sorted(schemas, key=lambda schema: not schema.keypoints)
        texts = [f"{c.name} ({counted(len(c.keypoints), 'keypoint')})" for c in known]
        self._offered = dict(zip(texts, known, strict=True))
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("Schema of a COCO file"))
        dialog.setLabelText(self.tr("Take over the schema of"))
        dialog.setOption(QInputDialog.InputDialogOption.UseListViewForComboBoxItems)
        dialog.setComboBoxItems(texts)
        dialog.setTextValue(texts[0])
        # A lambda here crashes PySide 6.11 when the dialog deletes itself.
        dialog.textValueSelected.connect(self._take_offered)
        dialog.open()

    def _take_offered(self, text: str) -> None:
        """Take over the schema that was chosen."""
        self.start_from(self._offered[text])

    # Private: what it shows

    def _show_draft(self) -> None:
        """Show the version that holds now in all parts."""
        draft = self._draft
        self.head.show_draft(draft, self._id())
        self.keypoints.show_draft(draft)
        self.skeleton.show_draft(draft)
        self.undo_button.setEnabled(bool(self._done))
        self.redo_button.setEnabled(bool(self._undone))
        self._show_status()

    def _id(self) -> int:
        """Return the id of the category; of a new one the one it gets."""
        if self._draft.stored is not None:
            return self._draft.stored.id
        project = self._controller.project
        return 1 if project is None else project.next_ids.category

    def _show_status(self) -> None:
        """Say what is wrong, or what saving does; the button repeats what is lost."""
        draft = self._draft
        fault = fault_of(draft, self._taken)
        effects = Effects.of(draft, self._usage)
        consequence = effects_text(effects)
        text = self._message or fault or consequence
        drawing = "warning" if consequence else "info"
        if fault and not self._message and draft != self._first:
            drawing = "error"
        self.status.show_text(text, drawing)
        self.ok_button.setEnabled(not fault)
        label = self.tr("Add category") if draft.stored is None else self.tr("Save")
        if effects.n_lost_points:
            lost = counted(effects.n_lost_points, "point")
            label = self.tr("Save and lose {0}").format(lost)
        self.ok_button.setText(label)

    def _say(self, text: str) -> None:
        """Say one sentence, until the next change."""
        self._message = text
        self._show_status()

    def _hear(self, notice: Notice) -> None:
        """Repeat a refusal here, where the person looks."""
        if notice.level is Level.ERROR:
            self._say(notice.text)

    def _leave(self) -> None:
        """Close: the project that this belongs to has been closed."""
        self.done(QDialog.DialogCode.Rejected)

    # Private: parts

    def _make_parts(self) -> None:
        """Make the fields and buttons."""
        self.head = EditorHead()
        self.keypoints = KeypointPane()
        self.skeleton = SkeletonPane()
        self.status = StatusLine()
        self.undo_button = tool_button(self.tr("Undo"), self.tr("Undo a step (Ctrl+Z)"), "undo")
        self.redo_button = tool_button(self.tr("Redo"), self.tr("Redo (Ctrl+Shift+Z)"), "redo")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = self.buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        self.ok_button.setDefault(True)

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        middle = QSplitter(Qt.Orientation.Horizontal)
        middle.setChildrenCollapsible(False)
        middle.addWidget(self.keypoints)
        middle.addWidget(self.skeleton)
        middle.setHandleWidth(16)
        middle.setSizes([344, 544])
        middle.setStretchFactor(1, 1)
        foot = QHBoxLayout()
        foot.setSpacing(4)
        foot.addWidget(self.undo_button)
        foot.addWidget(self.redo_button)
        foot.addWidget(self.buttons, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.head)
        column.addWidget(middle, 1)
        column.addWidget(self.status)
        column.addLayout(foot)
        self.resize(920, 640)

    def _connect(self) -> None:
        """Connect the parts."""
        self.head.namesTyped.connect(self._type_names)
        self.head.colorAsked.connect(self._ask_category_color)
        self.head.schemaChosen.connect(self.start_from)
        self.head.fileAsked.connect(self._ask_file)
        table, canvas = self.keypoints.table, self.skeleton.canvas
        self.keypoints.addAsked.connect(self.add_keypoint)
        self.keypoints.paste_button.clicked.connect(self._paste)
        table.pasteAsked.connect(self.paste_names)
        table.rowEdited.connect(self._change_row)
        table.moveAsked.connect(self._move)
        table.removeAsked.connect(self._remove)
        table.colorAsked.connect(self._ask_color)
        table.currentKeyChanged.connect(canvas.set_current)
        canvas.currentChanged.connect(self._follow_dot)
        canvas.pairPicked.connect(self._pair)
        self.skeleton.suggestAsked.connect(self._suggest_flips)
        self.skeleton.arrangeAsked.connect(self.arrange)
        self.undo_button.clicked.connect(self.undo)
        self.redo_button.clicked.connect(self.redo)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._controller.noticeRaised.connect(self._hear)
        self._controller.sessionChanged.connect(self._leave)

    def _paste(self) -> None:
        """Paste what is on the clipboard."""
        self.paste_names(QGuiApplication.clipboard().text())

    def _follow_dot(self, key: int) -> None:
        """Make the row of a dot the current one."""
        self.keypoints.table.choose((key,), key)
