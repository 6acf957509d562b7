"""The tool bar: tools, category, propagate, review, view, palette."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QSizePolicy, QToolBar, QToolButton, QWidget

from fmstudio.project.review import count_waiting
from fmstudio.ui.actions import ActionTable
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.categories import CategoryCombo

_TOOLS = ("select", "keypoint", "polygon", "brush", "eraser", "box", "assist")
_VIEWS = ("fit", "zoom-100", "link-views", "show-reference", "hide-overlays")
# Counting looks at every annotation: it waits until a flurry of edits is over.
_COUNT_AFTER_MS = 150


class MainToolBar(QToolBar):
    """The one tool bar.

    Parameters
    ----------
    controller : Controller
    actions : ActionTable
    """

    def __init__(self, controller: Controller, actions: ActionTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._controller = controller
        self._actions = actions
        self.setObjectName("tools")
        self.setWindowTitle(self.tr("Tool bar"))
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._review = self._labelled("next-review", self.tr("Review"))
        self._fill(self._category_box())
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_COUNT_AFTER_MS)
        self._timer.timeout.connect(self._count)
        controller.sessionChanged.connect(self._count)
        controller.projectChanged.connect(self._count_soon)
        self._count()

    def _fill(self, categories: QWidget) -> None:
        """Put everything in its place."""
        for name in _TOOLS:
            self.addAction(self._actions[f"{name}-tool"])
        self.addSeparator()
        self.addWidget(categories)
        self.addSeparator()
        for id_ in ("undo", "redo"):
            self.addAction(self._actions[id_])
        self.addSeparator()
        self.addWidget(self._labelled("propagate", self.tr("Propagate")))
        self.addWidget(self._review)
        for id_ in ("accept", "reject"):
            self.addAction(self._actions[id_])
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(gap)
        for id_ in _VIEWS:
            self.addAction(self._actions[id_])
        self.addSeparator()
        self.addAction(self._actions["palette"])
        for button in self.findChildren(QToolButton):
            action = button.defaultAction()
            button.setMinimumSize(30, 28)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            if action is not None and not button.accessibleName():
                button.setAccessibleName(action.text())

    def _category_box(self) -> QWidget:
        """Return the box that says what new annotations are."""
        box = CategoryCombo(self._controller, self)
        box.setFixedWidth(152)
        # Letters are keys of the window here: a click must not leave them with the box.
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return box

    def _labelled(self, id_: str, text: str) -> QToolButton:
        """Return a button that gives a command under a shorter name."""
        action = self._actions[id_]
        button = QToolButton(self)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIcon(action.icon())
        button.setText(text)
        button.setAccessibleName(text)
        button.setAutoRaise(True)
        button.clicked.connect(action.trigger)

        def follow() -> None:
            button.setEnabled(action.isEnabled())
            button.setToolTip(action.toolTip())

        action.changed.connect(follow)
        follow()
        return button

    def _count_soon(self) -> None:
        """Count when the edits have come to rest."""
        self._timer.start()

    def _count(self) -> None:
        """Say how many proposals are left."""
        project = self._controller.project
        left = 0 if project is None else count_waiting(project)
        text = self.tr("Review {0} left").format(f"{left:,}") if left else self.tr("Review")
        self._review.setText(text)
        self._review.setAccessibleName(text)
