"""Export with upright copies of turned images, for readers that ignore orientation marks."""

from dataclasses import replace
from pathlib import Path

from immutables import Map

from fmstudio.io.coco import CocoOptions, ExportReport, write_coco
from fmstudio.io.images import read_rgb, write_png
from fmstudio.session import Session

FOLDER = "upright"


def export_oriented(session: Session, path: Path, options: CocoOptions) -> ExportReport:
    """Write a COCO file whose turned images are upright copies in a folder beside it.

    Sizes and coordinates in a project are those of the turned picture already, so only the files'
    names change. The images of the project are not touched.

    Parameters
    ----------
    session : Session
    path : Path
    options : CocoOptions

    Raises
    ------
    FormatError
        As `fmstudio.io.coco.write_coco`.
    ImageError
        If an image cannot be read or its copy not written.
    """
    project = session.project
    folder = path.absolute().parent / FOLDER
    images = dict(project.images)
    for image in project.images.values():
        if image.orientation != 1:
            copy = folder / f"{image.id:06d}-{Path(image.file_name).stem}.png"
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_png(copy, read_rgb(session.path_of(image)))
            images[image.id] = replace(image, path=str(copy), orientation=1)
    root = path.absolute().parent
    upright = replace(project, images=Map(images))
    options = replace(options, project_root=session.path.parent, image_root=root)
    return write_coco(path, upright, options)
