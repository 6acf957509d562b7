"""Export with upright copies of turned images, for readers that ignore orientation marks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import ImageError
from fmstudio.io.coco import CocoOptions, ExportReport, write_coco
from fmstudio.io.coco_write import make_document
from fmstudio.io.images import write_png
from fmstudio.project.model import ImageItem, Project
from fmstudio.session import Session
from fmstudio.session_coco import Step
from fmstudio.session_files import read_checked


def upright_folder(path: Path) -> Path:
    """Return the folder for the upright copies of an export: its own, beside the file."""
    name = path.name.removesuffix(".json").removesuffix(".coco")
    return path.absolute().parent / f"{name}-upright"


def export_oriented(
    session: Session, path: Path, options: CocoOptions | None = None
) -> ExportReport:
    """Write a COCO file whose turned images are upright copies in a folder beside it.

    Options and errors are those of `export_steps`.
    """
    steps = export_steps(
        session.project, session.path.parent, path, options, CancelToken(), upright=True
    )
    *_, report = steps
    assert isinstance(report, ExportReport)
    return report


def export_steps(
    project: Project,
    base: Path,
    path: Path,
    options: CocoOptions | None,
    token: CancelToken,
    *,
    upright: bool,
) -> Iterator[Step | ExportReport]:
    """Yield how far an export has come, and at last its report; may run on any thread.

    Sizes and coordinates in a project are those of the turned picture already, so with upright
    copies only the names of the files change. The images of the project are not touched. An
    export that is stopped or fails leaves the file as it was, and no new copies.

    Parameters
    ----------
    project : Project
    base : Path
        The project's folder.
    path : Path
    options : CocoOptions or None
        Without roots, file names start from the project's folder; with copies, from the file's.
    token : CancelToken
    upright : bool
        Whether to copy the images that carry an orientation.

    Raises
    ------
    Cancelled
        Between two copies.
    FormatError
        As `fmstudio.io.coco.write_coco`.
    ImageError
        If an image is missing or changed, or its copy cannot be written.
    """
    options = options or CocoOptions()
    if options.project_root is None:
        options = replace(options, project_root=base)
    if not upright:
        yield Step("writing", 0, 0)
        yield write_coco(path, project, options)
        return
    if options.image_root is None:
        options = replace(options, image_root=path.absolute().parent)
    copies = _Copies(upright_folder(path), {base / i.path for i in project.images.values()})
    try:
        images = project.images
        turned = _turned(project, options)
        for done, image in enumerate(turned):
            token.check()
            yield Step("copies", done, len(turned))
            copy = copies.make(image, base / image.path)
            images = images.set(image.id, replace(image, path=str(copy), orientation=1))
        yield Step("writing", len(turned), len(turned))
        token.check()
        report = write_coco(path, replace(project, images=images), options)
    except BaseException:
        # Whoever drops the stream ends it here too.
        copies.take_back()
        raise
    yield report


class _Copies:
    """Upright copies of images in one folder.

    Parameters
    ----------
    folder : Path
        Made with the first copy.
    originals : set of Path
        Files that must never be written to.
    """

    def __init__(self, folder: Path, originals: set[Path]) -> None:
        self._folder = folder
        self._originals = originals
        self._made_folder = not folder.exists()
        self._new: list[Path] = []

    def make(self, image: ImageItem, source: Path) -> Path:
        """Write an image upright, without loss, and return where it is."""
        copy = self._folder / f"{image.id:06d}-{Path(image.file_name).stem}.png"
        if copy in self._originals:
            raise ImageError(f"{copy} is an image of the project: export to another folder.")
        rgb = read_checked(source, image)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ImageError(f"The folder {self._folder} cannot be made: {reason}.") from error
        if not copy.exists():
            self._new.append(copy)
        write_png(copy, rgb)
        return copy

    def take_back(self) -> None:
        """Delete the copies that were not there before."""
        for copy in self._new:
            copy.unlink(missing_ok=True)
        if self._made_folder and self._folder.is_dir() and not any(self._folder.iterdir()):
            self._folder.rmdir()


def _turned(project: Project, options: CocoOptions) -> list[ImageItem]:
    """Return the images that an export holds and that carry an orientation."""
    entries = make_document(project, options)["images"]
    assert isinstance(entries, list)
    return [project.images[e["id"]] for e in entries if "exif_orientation" in e]
