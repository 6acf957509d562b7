"""The session: the one door to a project, its history, its inbox and its file.

Headless: the command line and the window both pull its streams and perform its edits. Importing
this module does not import torch; only a job does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import (
    Event,
    Failure,
    ImageRef,
    MatchSettings,
    Progress,
    PropagationRequest,
    Proposal,
)
from fmstudio.errors import ImageError
from fmstudio.io.coco import CocoOptions, ExportReport, read_coco, write_coco
from fmstudio.io.store import SUFFIX, Store
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import AddImages, Edit, RelocateImages, SetStatus, apply
from fmstudio.project.history import History
from fmstudio.project.model import ImageItem, InboxEntry, Project, Review, Status
from fmstudio.session_coco import ImportReport, plan_import
from fmstudio.session_files import (
    AddReport,
    FileFault,
    RelocateReport,
    ReportProgress,
    file_faults,
    new_items,
    open_store,
    read_checked,
    relocation,
)
from fmstudio.session_inbox import (
    LandReport,
    confident_proposals,
    entry_of,
    outdated_reason,
    plan_landing,
)
from fmstudio.session_jobs import CacheLimits, events_of
from fmstudio.session_requests import build_request, choose_targets

# With what crosses this door, so that a caller needs no layer below it.
__all__ = [
    "AddReport",
    "CacheLimits",
    "CancelToken",
    "CocoOptions",
    "ExportReport",
    "Failure",
    "ImageRef",
    "ImportReport",
    "LandReport",
    "MatchSettings",
    "Progress",
    "PropagationRequest",
    "Proposal",
    "RelocateReport",
    "Session",
]

# Enough for every request whose proposals could still be on their way.
_REMEMBERED_REQUESTS = 32


class Session:
    """An open project: the only writer of its file; made with `create` or `open`.

    Everything but `load` and pulling a `job` belongs to one thread.
    """

    def __init__(self, store: Store, project: Project) -> None:
        self._store = store
        self._history = History(project)
        self._inbox = store.inbox()
        self._requests: tuple[PropagationRequest, ...] = ()

    @classmethod
    def create(cls, path: Path, name: str | None = None) -> Self:
        """Make a new project file and open it.

        Parameters
        ----------
        path : Path
            The ending ``.fmstudio`` is added when it is not there.
        name : str or None
            None takes the file's.

        Raises
        ------
        StoreError
            If there is a file already, or it cannot be written.
        """
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        project = Project.build(name or path.stem)
        return cls(Store.create(path, project), project)

    @classmethod
    def open(cls, path: Path, *, may_look: bool = False) -> Self:
        """Open a project file; its ending may be left out.

        Parameters
        ----------
        path : Path
        may_look : bool
            Where it cannot be written, open it to be looked at: `refusal` then says why.

        Raises
        ------
        StoreError
            If it is missing, no project, damaged, of a newer version, or cannot be written.
        """
        store = open_store(path, may_look=may_look)
        try:
            return cls(store, store.load())
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Close the file; everything in it is written already."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """Return the project file's path."""
        return self._store.path

    @property
    def refusal(self) -> str:
        """Return why nothing can be changed here, a sentence; empty where it can."""
        return self._store.refusal

    @property
    def cache_dir(self) -> Path:
        """Return the folder for caches; it may be deleted at any time, and need not exist."""
        return self.path.with_suffix(".cache")

    @property
    def project(self) -> Project:
        """Return the project as it is now."""
        return self._history.present

    @property
    def history(self) -> History:
        """Return what can be undone and redone."""
        return self._history

    @property
    def inbox(self) -> tuple[InboxEntry, ...]:
        """Return what the engine sent and is not landed, in order of arrival.

        Not empty on opening when an earlier process ended between receiving and landing.
        """
        return self._inbox

    # Edits

    def perform(self, edit: Edit) -> ProjectDiff:
        """Apply an edit, write it to the file and return what differs.

        An edit that changes nothing leaves no step in the history.

        Raises
        ------
        ProjectError
            If it does not fit the project.
        StoreError
            If it cannot be written. In both cases nothing has changed.
        """
        after = apply(self.project, edit)
        if after is self.project:
            return ProjectDiff()
        return self._commit(self._history.push(after, edit.label), edit.label)

    def undo(self) -> ProjectDiff:
        """Take the last edit back; raises ProjectError if there is none."""
        label = f"Undo: {self._history.undo_label}"
        return self._commit(self._history.undo(), label)

    def redo(self) -> ProjectDiff:
        """Make an undone edit again; raises ProjectError if there is none."""
        label = f"Redo: {self._history.redo_label}"
        return self._commit(self._history.redo(), label)

    def accept_above(self, score: float, ids: Iterable[int] | None = None) -> tuple[int, ...]:
        """Accept proposals of at least this confidence in [0, 1], as one edit; return their ids.

        ``ids`` says which may be accepted, None all; raises ProjectError if the score is none.
        """
        chosen = confident_proposals(self.project, score, ids)
        if chosen:
            self.perform(SetStatus(chosen, Status.ACCEPTED, Review.UNSEEN))
        return chosen

    # Images

    def path_of(self, image: ImageItem) -> Path:
        """Return where an image's file should be."""
        return self.path.parent / image.path

    def add_images(
        self, paths: Iterable[Path], progress: ReportProgress | None = None
    ) -> AddReport:
        """Add image files, and those in and under folders, as one edit.

        Files that are no images, are in the project already or equal another one byte for byte
        are left out and named.
        """
        items, skipped = new_items(self.project, self.path.parent, paths, progress)
        diff = self.perform(AddImages(tuple(items)))
        return AddReport(diff.images.added, tuple(skipped))

    def import_coco(
        self,
        path: Path,
        image_root: Path | None = None,
        progress: ReportProgress | None = None,
    ) -> ImportReport:
        """Import a COCO file as one edit, whole or not at all.

        Parameters
        ----------
        path : Path
        image_root : Path or None
            The folder that its file names are relative to; None tries the file's own folder, a
            folder ``images`` in it, and the images of the project.
        progress : callable or None

        Raises
        ------
        FormatError
            If the file is broken, or an image has another size than it says.
        ProjectError
            If a category of the same name has other keypoints in the project.
        """
        data = read_coco(path)
        base = self.path.parent
        edit, notes = plan_import(self.project, base, data, path, image_root, progress)
        diff = self.perform(edit)
        return ImportReport(diff.images.added, diff.categories.added, diff.annotations.added, notes)

    def export_coco(self, path: Path, options: CocoOptions | None = None) -> ExportReport:
        """Write a COCO file, whole or not at all; options and errors as in `write_coco`.

        Relative image paths start from the project's folder unless the options say otherwise.
        """
        options = options or CocoOptions()
        if options.project_root is None:
            options = replace(options, project_root=self.path.parent)
        return write_coco(path, self.project, options)

    def missing_or_changed(self) -> list[tuple[ImageItem, FileFault]]:
        """Return the images whose files are gone or hold other bytes than when added."""
        return file_faults(self.project, self.path.parent)

    def relocate(self, folder: Path) -> RelocateReport:
        """Look for missing and changed images under a folder, by content, as one edit."""
        moves, report = relocation(self.project, self.path.parent, folder)
        if moves:
            self.perform(RelocateImages(tuple(moves)))
        return report

    def load(self, ref: ImageRef) -> NDArray[np.uint8]:
        """Return the pixels (H, W, 3) of an image of the project; safe on any thread.

        Raises
        ------
        ImageError
            If it was removed, its file is missing, cannot be read, or has changed.
        """
        image = self.project.images.get(ref.id)
        if image is None:
            raise ImageError(f"'{ref.name}' was removed from the project.")
        return read_checked(self.path_of(image), image)

    # Propagation

    def targets(self, which: str | Iterable[str]) -> tuple[int, ...]:
        """Return image ids: of "all" images, of "unlabelled" ones, or of names.

        Unlabelled is an image with nothing accepted and nothing that waits for review.

        Raises
        ------
        ProjectError
            If a name fits no image, or several.
        """
        return choose_targets(self.project, which)

    def request(
        self,
        reference_ids: Iterable[int],
        target_ids: Iterable[int],
        settings: MatchSettings | None = None,
    ) -> PropagationRequest:
        """Return a request to carry what is accepted on the references to the targets.

        Only accepted annotations are carried, so a guess never becomes a reference; a reference
        is never a target.

        Raises
        ------
        ProjectError
            If a reference has nothing accepted, or no target is left.
        """
        request = build_request(self.project, reference_ids, target_ids, settings)
        self._requests = (*self._requests, request)[-_REMEMBERED_REQUESTS:]
        return request

    def job(
        self,
        request: PropagationRequest,
        token: CancelToken,
        device: str = "auto",
        limits: CacheLimits | None = None,
    ) -> Iterator[Event]:
        """Return the stream of progress, proposals and failures of a request.

        Pulling it imports torch, on any thread; hand each Proposal to `receive` on this one.
        """
        return events_of(request, self.load, token, self.cache_dir, device, limits)

    def receive(
        self, proposal: Proposal, request: PropagationRequest | None = None
    ) -> InboxEntry | None:
        """Keep a proposal in the inbox, safe on the disk on return.

        Parameters
        ----------
        proposal : Proposal
        request : PropagationRequest or None
            What it answers; None looks for it among this session's last requests.

        Returns
        -------
        entry : InboxEntry or None
            None for a proposal without marks, or for an image that has been removed.

        Raises
        ------
        ProjectError
            If no request is known that it could answer.
        StoreError
            If it cannot be written.
        """
        known = self._requests if request is None else (request,)
        entry = entry_of(self.project, proposal, known)
        if entry is not None:
            entry = self._store.inbox_add(entry)
            self._inbox = (*self._inbox, entry)
        return entry

    def outdated_reason(self, entry: InboxEntry) -> str | None:
        """Return why an entry no longer follows from its sources, or None while it does."""
        return outdated_reason(self.project, entry)

    def land(self, label: str | None = None) -> LandReport:
        """Turn the inbox into proposals on the images, as one edit, and empty it.

        Of several proposals for one image and category the latest counts. Those whose source
        changed meanwhile are not landed, nor those that reviewed work leaves no place for; the
        report names them.

        Raises
        ------
        StoreError
            If it cannot be written; the inbox is then as it was.
        """
        edit, left_out = plan_landing(self.project, self._inbox)
        after = apply(self.project, edit)
        if after is self.project:
            self.discard_inbox()
            return LandReport(None, (), left_out)
        label = label or edit.label
        diff = self._commit(self._history.push(after, label), label, clear_inbox=True)
        return LandReport(edit, diff.annotations.added, left_out)

    def discard_inbox(self) -> None:
        """Throw away what waits in the inbox; raises StoreError if that cannot be written."""
        if self._inbox:
            self._store.inbox_clear()
            self._inbox = ()

    def _commit(self, history: History, label: str, *, clear_inbox: bool = False) -> ProjectDiff:
        """Write the step to a history's present, then make it the session's."""
        before, after = self.project, history.present
        self._store.commit(before, after, label, clear_inbox=clear_inbox)
        diff = ProjectDiff.between(before, after)
        self._history = history
        if clear_inbox or diff.images.removed or diff.categories.removed:
            self._inbox = self._store.inbox()
        return diff
