"""Qt's actions, made of the one table of commands and kept in step with the controller."""

from collections.abc import Callable, Iterator, Mapping

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from fmstudio.project.model import Status
from fmstudio.ui.action_specs import (
    ACTIONS,
    CONTEXT,
    GESTURES,
    SPECS,
    ActionSpec,
    Gesture,
    Group,
    When,
)
from fmstudio.ui.controller import Controller
from fmstudio.ui.icons import icon

__all__ = [
    "ACTIONS",
    "CONDITIONS",
    "GESTURES",
    "SPECS",
    "ActionSpec",
    "ActionTable",
    "Gesture",
    "Group",
    "When",
    "translated",
]

_TOOL = "-tool"
_CATEGORIES = 9


def translated(text: str) -> str:
    """Return a text of the table in the person's language."""
    return QCoreApplication.translate(CONTEXT, text)


def _has_reviewable(controller: Controller) -> bool:
    """Return whether there is a proposal to decide on: the selected one, or one on the target."""
    project, target = controller.project, controller.target_id
    if project is None:
        return False
    if controller.selected is not None:
        return controller.selected.status is Status.PROPOSED
    on_target = () if target is None else project.annotations_of(target)
    return any(annotation.status is Status.PROPOSED for annotation in on_target)


def _has_images(controller: Controller) -> bool:
    """Return whether a project is open and has images."""
    return controller.project is not None and bool(controller.project.images)


def _is_undoable(controller: Controller) -> bool:
    """Return whether there is an edit to take back."""
    return controller.session is not None and bool(controller.session.history.past)


def _is_redoable(controller: Controller) -> bool:
    """Return whether there is an undone edit."""
    return controller.session is not None and bool(controller.session.history.future)


# All of them are cheap however large the project: they are asked after each edit.
CONDITIONS: Mapping[When, Callable[[Controller], bool]] = {
    When.ALWAYS: lambda _: True,
    When.PROJECT: lambda controller: controller.project is not None,
    When.IMAGES: _has_images,
    When.TARGET: lambda controller: controller.target_id is not None,
    When.SELECTION: lambda controller: controller.selected is not None,
    When.UNDO: _is_undoable,
    When.REDO: _is_redoable,
    When.REVIEWABLE: _has_reviewable,
}


class ActionTable(QObject):
    """The window's actions, by id.

    ``table["accept"].triggered.connect(...)``; iterating gives the ids in the table's order.
    """

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._is_running = False
        self._tools = QActionGroup(self)
        self._actions = {spec.id: self._made(spec) for spec in ACTIONS}
        for signal in (
            controller.sessionChanged,
            controller.projectChanged,
            controller.shownChanged,
            controller.selectionChanged,
        ):
            signal.connect(self.refresh)
        controller.categoryChanged.connect(self._name_categories)
        controller.toolChanged.connect(self._check_tool)
        self.refresh()
        self._check_tool()

    def __getitem__(self, id_: str) -> QAction:
        return self._actions[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def actions(self) -> tuple[QAction, ...]:
        """Return all actions, in the table's order."""
        return tuple(self._actions.values())

    def group(self, group: Group) -> tuple[QAction, ...]:
        """Return the actions of a group that concern the person now, in the table's order."""
        chosen = (self._actions[spec.id] for spec in ACTIONS if spec.group is group)
        return tuple(action for action in chosen if action.isVisible())

    def keys(self, id_: str) -> tuple[str, ...]:
        """Return an action's keys as the person's system writes them."""
        shown = QKeySequence.SequenceFormat.NativeText
        return tuple(key.toString(shown) for key in self._actions[id_].shortcuts())

    def set_keys(self, overrides: Mapping[str, str]) -> None:
        """Give actions other keys than the table's.

        Parameters
        ----------
        overrides : mapping of str to str
            Keys by id, as `QKeySequence` reads them; several stand with ``", "`` between them,
            none is an empty text. Actions that are not named, and ids that are no action's, have
            the table's.
        """
        for spec in ACTIONS:
            chosen = overrides.get(spec.id)
            keys = spec.keys if chosen is None else tuple(k for k in chosen.split(", ") if k)
            self._actions[spec.id].setShortcuts([QKeySequence(key) for key in keys])
            self._describe(spec)

    def set_running(self, is_running: bool) -> None:
        """Say whether a propagation is running."""
        self._is_running = is_running
        self.refresh()

    def refresh(self) -> None:
        """Ask all conditions again."""
        met = {when: check(self._controller) for when, check in CONDITIONS.items()}
        met[When.RUNNING] = self._is_running
        for spec in ACTIONS:
            self._actions[spec.id].setEnabled(met[spec.enabled_when])
        self._name_steps()
        self._name_categories()

    # Private

    def _made(self, spec: ActionSpec) -> QAction:
        """Return the action of a command."""
        action = QAction(translated(spec.text), self)
        action.setObjectName(spec.id)
        if spec.icon:
            action.setIcon(icon(spec.icon))
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.setAutoRepeat(spec.is_repeating)
        action.setCheckable(spec.is_checkable)
        if spec.id.endswith(_TOOL):
            self._tools.addAction(action)
            name = spec.id.removesuffix(_TOOL)
            action.triggered.connect(lambda: self._controller.set_tool(name))
        if spec.id == "quit":
            action.setMenuRole(QAction.MenuRole.QuitRole)
        if spec.id == "about":
            action.setMenuRole(QAction.MenuRole.AboutRole)
        if spec.id == "settings":
            action.setMenuRole(QAction.MenuRole.PreferencesRole)
        return action

    def _describe(self, spec: ActionSpec) -> None:
        """Say in an action's tool tip what it is, its key and its effect."""
        action = self._actions[spec.id]
        name = action.text().replace("&", "").removesuffix("...")
        key = next(iter(self.keys(spec.id)), "")
        head = f"{name} ({key})" if key else name
        action.setToolTip(f"{head}\n{translated(spec.tip)}")
        action.setStatusTip(translated(spec.tip))

    def _name_steps(self) -> None:
        """Say what undo takes back and redo makes again."""
        session = self._controller.session
        history = None if session is None else session.history
        undo = history.past[-1].label if history and history.past else ""
        redo = history.future[0].label if history and history.future else ""
        for id_, label in (("undo", undo), ("redo", redo)):
            name = translated(SPECS[id_].text)
            self._actions[id_].setText(f"{name}: {label}" if label else name)
            self._describe(SPECS[id_])

    def _name_categories(self) -> None:
        """Call the first nine categories by their names, and tick the one that is taken."""
        project = self._controller.project
        categories = () if project is None else project.sorted_categories()[:_CATEGORIES]
        for place in range(_CATEGORIES):
            spec = SPECS[f"category-{place + 1}"]
            action = self._actions[spec.id]
            category = categories[place] if place < len(categories) else None
            action.setVisible(category is not None)
            action.setEnabled(category is not None)
            if category is not None:
                action.setText(translated(spec.text).format(category.name))
                action.setChecked(category.id == self._controller.category_id)
            self._describe(spec)

    def _check_tool(self) -> None:
        """Tick the tool that is taken."""
        action = self._actions.get(f"{self._controller.tool}{_TOOL}")
        if action is not None:
            action.setChecked(True)
