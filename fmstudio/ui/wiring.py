"""What each command does: every action of the table is connected here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, Qt

from fmstudio.project.edits import RelocateImages
from fmstudio.project.wording import counted
from fmstudio.ui.collecting import Collecting
from fmstudio.ui.controller import Level
from fmstudio.ui.dialogs.export import ExportDialog
from fmstudio.ui.dialogs.import_coco import ImportDialog
from fmstudio.ui.dialogs.improve import ImproveDialog
from fmstudio.ui.dialogs.propagate import PropagateDialog
from fmstudio.ui.dialogs.review_summary import ReviewSummaryDialog
from fmstudio.ui.finding import Found, find_images
from fmstudio.ui.inspecting import Inspecting
from fmstudio.ui.opening import SUFFIX
from fmstudio.ui.palette import CommandPalette, commands_of
from fmstudio.ui.panels.categories import category_at
from fmstudio.ui.program_dialogs import ProgramDialogs, open_dialog
from fmstudio.ui.workspaces import DockName, Workspace

if TYPE_CHECKING:
    from fmstudio.ui.studio import Studio

_ZOOM = 1.25


class Wiring(QObject):
    """Connects the actions and the wishes of the panels to what fulfils them.

    Parameters
    ----------
    studio : Studio
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio
        self._program = ProgramDialogs(studio)
        self._palette = CommandPalette(lambda: commands_of(studio.actions), studio.window)
        self._inspecting = Inspecting(studio)
        self._collecting = Collecting(studio)
        handlers = {
            **self._of_files(),
            **self._of_edits(),
            **self._of_review(),
            **self._of_views(),
            **self._of_program(),
            **self._inspecting.handlers(),
            **self._collecting.handlers(),
        }
        for id_, handler in handlers.items():
            studio.actions[id_].triggered.connect(handler)
        self._hear_wishes()

    # The tables

    def _of_files(self) -> Mapping[str, Callable[..., object]]:
        """Return what the File menu does."""
        studio = self._studio
        return {
            "new-project": self._new_project,
            "open-folder": self._open_folder,
            "open-project": self._open_project,
            "add-images": self._add_images,
            "import-coco": self._import_coco,
            "export": self._export,
            "save": self._say_saved,
            "restore-backup": self._program.show_backups_here,
            "close": studio.opening.close_project,
            "quit": studio.window.close,
        }

    def _of_edits(self) -> Mapping[str, Callable[..., object]]:
        """Return what the Edit and Tools menus do; tools are taken by the table itself."""
        controller, toolbox = self._studio.controller, self._studio.toolbox
        numbered = {f"category-{n}": self._category_taker(n) for n in range(1, 10)}
        return {
            "undo": controller.undo,
            "redo": controller.redo,
            "delete": self._delete,
            "brush-smaller": lambda: toolbox.size(Qt.Key.Key_BracketLeft),
            "brush-larger": lambda: toolbox.size(Qt.Key.Key_BracketRight),
            "categories": self._show_categories,
            **numbered,
        }

    def _of_review(self) -> Mapping[str, Callable[..., object]]:
        """Return what the Review menu does."""
        queue = self._studio.queue
        return {
            "next-image": lambda: self._step(1),
            "previous-image": lambda: self._step(-1),
            "search-images": self._search,
            "use-as-reference": self._use_as_reference,
            "propagate": self._propagate,
            "improve": self._improve,
            "cancel-run": self._studio.propagation.cancel,
            "next-review": self._next_review,
            "accept": queue.accept_current,
            "reject": queue.reject_current,
            "accept-above": self._show_accept_above,
            "review-summary": self._show_review_summary,
            "swap-map": self._studio.competing.swap,
            "settle-points": self._settle_points,
            "annotate-next": self._studio.annotate_next.start,
        }

    def _of_views(self) -> Mapping[str, Callable[..., object]]:
        """Return what the View menu does."""
        window, pair = self._studio.window, self._studio.canvases
        return {
            "fit": self._fit,
            "zoom-100": lambda: pair.active.zoom_to(1.0),
            "zoom-in": lambda: pair.active.zoom_by(_ZOOM),
            "zoom-out": lambda: pair.active.zoom_by(1 / _ZOOM),
            "link-views": self._link,
            "next-coloring": self._studio.controller.next_coloring,
            "hide-overlays": lambda is_hidden: pair.set_overlays_visible(not is_hidden),
            "show-reference": pair.set_reference_visible,
            "show-other-map": pair.set_other_map_visible,
            "show-votes": pair.set_votes_visible,
            "workspace-annotate": lambda: window.use_workspace("annotate"),
            "workspace-review": lambda: window.use_workspace("review"),
            "workspace-inspect": lambda: window.use_workspace("inspect"),
            "full-screen": self._fill_screen,
        }

    def _of_program(self) -> Mapping[str, Callable[..., object]]:
        """Return what the rest does."""
        return {
            "palette": self._palette.open,
            "shortcuts": self._program.show_sheet,
            "models": self._program.show_models,
            "settings": self._program.show_settings,
            "about": self._program.show_about,
        }

    def _hear_wishes(self) -> None:
        """Connect what panels, pages and the window ask for."""
        studio = self._studio
        opening, actions = studio.opening, studio.actions
        studio.window.dropped.connect(opening.open_paths)
        studio.window.recentWanted.connect(opening.open_project)
        studio.window.steppedBack.connect(self._step_back)
        studio.window.workspaceChosen.connect(self._on_workspace)
        studio.welcome.folderWanted.connect(actions["open-folder"].trigger)
        studio.welcome.projectWanted.connect(actions["open-project"].trigger)
        studio.welcome.sampleWanted.connect(opening.try_sample)
        studio.welcome.recentWanted.connect(opening.open_project)
        opening.newProjectWanted.connect(self._new_project_of)
        opening.cocoDropped.connect(self._import_coco_from)
        studio.images.propagateRequested.connect(actions["propagate"].trigger)
        studio.queue.exportRequested.connect(actions["export"].trigger)
        studio.queue.propagateRequested.connect(actions["propagate"].trigger)
        studio.propagation.runningChanged.connect(actions.set_running)
        studio.annotation.use_actions(actions["accept"], actions["reject"], actions["delete"])
        studio.annotation.competing.use_actions(actions["swap-map"], actions["show-other-map"])
        studio.annotation.references.use_thumbnails(studio.thumbnails)
        studio.annotation.references.sayWanted.connect(studio.reweighing.weigh)
        studio.reweighing.busyChanged.connect(studio.annotation.show_weighing)
        actions["show-reference"].setChecked(True)
        for canvas in studio.canvases.canvases:
            canvas.spaceTapped.connect(actions["next-review"].trigger)
            canvas.message.addRequested.connect(actions["add-images"].trigger)
            canvas.message.findRequested.connect(self._find_images)
            canvas.pointerMoved.connect(studio.status_bar.show_pixel)
            canvas.viewChanged.connect(self._show_zoom)
        studio.canvases.activeChanged.connect(self._show_zoom)
        studio.status_bar.tasksWanted.connect(studio.window.dock(DockName.TASKS).reveal)
        studio.status_bar.logWanted.connect(self._show_errors)

    def _step_back(self) -> None:
        """Let the inspector's pinned point go; without one, whatever a tool has in hand."""
        if not self._studio.inspector.unpin():
            self._studio.toolbox.step_back()

    # Files

    def _new_project(self) -> None:
        """Ask where, then make a project and open it."""
        path = self._studio.questions.new_project(_documents() / f"project{SUFFIX}")
        if path is not None:
            self._studio.opening.new_project(path)

    def _new_project_of(self, folder: Path) -> None:
        """Ask where the project of a folder shall be that cannot hold it, and add its photos."""
        path = self._studio.questions.new_project(_documents() / f"{folder.name}{SUFFIX}")
        if path is not None and self._studio.opening.new_project(path):
            self._studio.opening.add_images([folder])

    def _open_folder(self) -> None:
        """Ask for a folder and open it."""
        folder = self._studio.questions.folder(self._start())
        if folder is not None:
            self._studio.opening.open_folder(folder)

    def _open_project(self) -> None:
        """Ask for a project and open it."""
        path = self._studio.questions.project(self._start())
        if path is not None:
            self._studio.opening.open_project(path)

    def _add_images(self) -> None:
        """Ask for images and add them."""
        files = self._studio.questions.images(self._start())
        if files:
            self._studio.opening.add_images(files)

    def _import_coco(self) -> None:
        """Open the import dialog."""
        self._import_coco_from(None)

    def _import_coco_from(self, path: Path | None) -> None:
        """Open the import dialog on a file."""
        studio = self._studio
        open_dialog(ImportDialog(studio.controller, path, studio.window, tasks=studio.tasks))

    def _export(self) -> None:
        """Open the export dialog."""
        studio = self._studio
        open_dialog(ExportDialog(studio.controller, studio.window, tasks=studio.tasks))

    def _say_saved(self) -> None:
        """Say that there is nothing to save, and where it is."""
        session = self._studio.controller.session
        if session is not None:
            text = self.tr("Everything is saved in {0}: each edit is written at once.")
            self._studio.controller.notify(text.format(session.path))

    def _find_images(self) -> None:
        """Ask for a folder and look there for images that are missing, as a task and one edit."""
        session = self._studio.controller.session
        folder = self._studio.questions.folder(self._start())
        if session is None or folder is None:
            return
        project, base = session.project, session.path.parent
        controller = self._studio.controller

        def take(item: object) -> None:
            if controller.session is session and isinstance(item, Found):
                self._say_found(item)

        self._studio.tasks.start(
            self.tr("Looking for moved images"),
            "import",
            lambda token: find_images(project, base, folder, token),
            on_item=take,
        )

    def _say_found(self, found: Found) -> None:
        """Take over where images are now, and say what is still missing."""
        controller = self._studio.controller
        if found.moves:
            controller.perform(RelocateImages(found.moves))
        left = found.lost - len(found.moves)
        controller.notify(
            self.tr("{0} found again, {1} still missing.").format(
                counted(len(found.moves), "image"), f"{left:,}"
            ),
            Level.WARNING if left else Level.INFO,
        )

    # Edits

    def _delete(self) -> None:
        """Remove the corner or point in hand, else the selected annotation."""
        if not self._studio.toolbox.delete():
            self._studio.controller.remove_selected()

    def _category_taker(self, number: int) -> Callable[[], None]:
        """Return what takes the category at a place of the list."""

        def take() -> None:
            category = category_at(self._studio.controller.project, number)
            if category is not None:
                self._studio.controller.set_category(category)

        return take

    def _show_categories(self) -> None:
        """Show the categories; where there is none, begin the first."""
        self._studio.window.dock(DockName.CATEGORIES).reveal()
        project = self._studio.controller.project
        if project is not None and not project.categories:
            self._studio.categories.add()

    # Images and review

    def _step(self, by: int) -> None:
        """Show the next image of the list, as it is filtered; without one, of the project."""
        controller, model = self._studio.controller, self._studio.images.model
        row = model.row_of(controller.target_id)
        if row is not None:
            controller.show_target(model.ids[max(0, min(len(model.ids) - 1, row + by))])
        elif len(model.ids):
            controller.step(by, among=frozenset(model.ids))
        else:
            controller.step(by)

    def _search(self) -> None:
        """Go to the field that searches the images, wherever its dock is."""
        self._studio.window.dock(DockName.IMAGES).reveal()
        self._studio.images.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _use_as_reference(self) -> None:
        """Show the target on the left too."""
        self._studio.controller.show_reference(self._studio.controller.target_id)

    def _next_review(self) -> None:
        """Go to the next proposal, or say that there is none."""
        queue, controller = self._studio.queue, self._studio.controller
        if queue.model.rowCount():
            queue.show_next()
            return
        project = controller.project
        if project is not None and project.annotations:
            export = self._studio.actions["export"]
            text = self.tr("Nothing waits for review.")
            controller.notify(text, action=self.tr("Export..."), run=export.trigger)

    def _show_accept_above(self) -> None:
        """Show where the confidence is chosen from which all are accepted."""
        self._studio.window.dock(DockName.QUEUE).reveal()
        self._studio.queue.limit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._studio.queue.limit.selectAll()

    def _show_review_summary(self) -> None:
        """Open the figures of the review."""
        studio = self._studio
        open_dialog(ReviewSummaryDialog(studio.controller, studio.queue.meter, studio.window))

    def _propagate(self) -> None:
        """Ask what is carried where, and start."""
        studio = self._studio
        dialog = PropagateDialog(
            studio.controller,
            studio.images.selected_ids(),
            studio.window,
            thumbnails=studio.thumbnails,
            is_running=studio.propagation.is_running,
        )
        dialog.startRequested.connect(self._start_run)
        open_dialog(dialog)

    def _start_run(self, reference_ids: tuple[int, ...], target_ids: tuple[int, ...]) -> None:
        """Start a propagation as the person's settings say."""
        chosen = self._studio.preferences
        self._studio.ask_for_devices()
        self._studio.propagation.start(
            reference_ids,
            target_ids,
            chosen.match_settings,
            chosen.device,
            chosen.cache_limits,
        )

    def _improve(self) -> None:
        """Show what the accepted images would change of the rest."""
        studio, chosen = self._studio, self._studio.preferences
        how = (chosen.match_settings, chosen.device, chosen.cache_limits)
        open_dialog(ImproveDialog(studio.controller, studio.window, tasks=studio.tasks, how=how))

    # View

    def _fit(self) -> None:
        """Show the whole image on both canvases."""
        for canvas in self._studio.canvases.canvases:
            canvas.fit()

    def _show_zoom(self) -> None:
        """Say in the status bar how large the active canvas shows its image."""
        canvas = self._studio.canvases.active
        self._studio.status_bar.show_zoom(canvas.scale if canvas.is_ready else None)

    def _link(self, is_linked: bool) -> None:
        """Let the canvases zoom and pan together, now and from now on."""
        self._studio.preferences.linked_views = is_linked

    def _settle_points(self, is_on: bool) -> None:
        """Let corrections move other points, or not, from now on."""
        self._studio.preferences.settles_points = is_on

    def _on_workspace(self, workspace: Workspace) -> None:
        """Show the reference or not, as an arrangement says."""
        self._studio.actions["show-reference"].setChecked(workspace.shows_reference)
        self._studio.canvases.set_reference_visible(workspace.shows_reference)

    def _show_errors(self) -> None:
        """Bring the log to the front, with its errors alone."""
        self._studio.window.dock(DockName.LOG).reveal()
        self._studio.log_panel.show_errors()

    def _fill_screen(self, is_full: bool) -> None:
        """Use the whole screen, or the place from before."""
        state = self._studio.window.windowState()
        full = Qt.WindowState.WindowFullScreen
        self._studio.window.setWindowState(state | full if is_full else state & ~full)

    def _start(self) -> Path:
        """Return the folder in which a question for a file begins."""
        session = self._studio.controller.session
        return _documents() if session is None else session.path.parent


def _documents() -> Path:
    """Return the folder where a person keeps documents."""
    place = QStandardPaths.StandardLocation.DocumentsLocation
    return Path(QStandardPaths.writableLocation(place))
