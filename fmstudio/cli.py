"""The command line: what can be typed, and how errors become one sentence and an exit code.

What a command does is imported when it runs, so that ``fmstudio --help`` starts at once.

Exit codes: 0 done; 1 an error, said in a sentence; 2 wrong usage; 130 stopped by Ctrl+C.
"""

import errno
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fmstudio import __version__
from fmstudio.cli_backup_options import backups
from fmstudio.cli_evaluate_options import evaluate
from fmstudio.cli_figure_options import figures
from fmstudio.cli_model_options import models
from fmstudio.cli_output import fail
from fmstudio.cli_settings import (
    Device,
    DeviceOption,
    JsonFlag,
    PresetOption,
    ProjectFile,
    RayOption,
    RayWorkersOption,
    SettingsOption,
    Spread,
    parse_point,
    parse_settings,
)
from fmstudio.errors import Cancelled, FmstudioError

_STOPPED = 130


class Guarded(TyperGroup):
    """A group of commands that never end in a traceback, unless --debug asks for it."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; turn what it raises into a sentence on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Cancelled, KeyboardInterrupt) as error:
            fail(str(error) or "Stopped.")
            raise typer.Exit(_STOPPED) from error
        except Exception as error:
            if _is_usage(error) or (isinstance(error, OSError) and error.errno == errno.EPIPE):
                raise
            if ctx.params.get("debug"):
                traceback.print_exc(file=sys.stderr)
            fail(_sentence(error))
            raise typer.Exit(1) from error


def _is_usage(error: Exception) -> bool:
    """Return whether the parser raised this, who says it better himself."""
    return hasattr(error, "exit_code") and hasattr(error, "format_message")


def _sentence(error: Exception) -> str:
    """Return what a person reads of an error."""
    if isinstance(error, FmstudioError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The memory of this machine does not suffice: close programs, or lower long_side."
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    reason = " ".join(str(error).split())
    return (
        f"fmstudio met a fault of its own ({type(error).__name__}: {reason}): please report it "
        "with what 'fmstudio --debug' and the same command say."
    )


app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Carry keypoints and masks across image collections by functional maps.",
)
app.add_typer(models, name="models")
app.add_typer(figures, name="figure")
app.add_typer(backups, name="backups")
app.command(cls=Spread)(evaluate)


def _show_version(is_asked: bool) -> None:
    """Print the version and leave."""
    if is_asked:
        typer.echo(f"fmstudio {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the code an error arose.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    """Take the options that stand before a command; `Guarded` reads --debug."""


@app.command()
def gui(
    ctx: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PROJECT|FOLDER]", help="What to open; else the welcome page."),
    ] = None,
) -> None:
    """Open the window; so does 'fmstudio' without a command."""
    # The entry point brings the window along: the command line itself knows no Qt.
    raise typer.Exit(ctx.obj(path))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the result.")] = Path("fmstudio-demo"),
    device: DeviceOption = Device.AUTO,
) -> None:
    """Propagate real keypoints and masks over the sample photos, and show how good they are."""
    from fmstudio.demo import run_demo

    run_demo(out, device=device.value)


@app.command()
def new(
    project: ProjectFile,
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGES...", help="Image files, and folders to search."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a project of images."""
    from fmstudio.cli_project import new_project

    new_project(project, images or [], as_json=as_json)


@app.command("import-coco")
def import_coco(
    project: ProjectFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="COCO file to read.")],
    images: Annotated[
        Path | None,
        typer.Option(help="Folder that its file names start from; else beside the file."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Import a COCO file's images, categories and annotations, whole or not at all."""
    from fmstudio import cli_project

    cli_project.import_coco(project, file, images, as_json=as_json)


@app.command(cls=Spread)
def propagate(
    project: ProjectFile,
    source: Annotated[
        list[str],
        typer.Option("--from", metavar="NAME...", help="Images whose accepted marks are carried."),
    ],
    to: Annotated[
        list[str],
        typer.Option(metavar="NAME...|all|unlabelled", help="Images to carry them to."),
    ],
    accept_above: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Accept proposals of at least this confidence."),
    ] = None,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    ray: RayOption = None,
    ray_workers: RayWorkersOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Carry keypoints and masks from annotated images to others.

    They arrive as proposals to review. Ctrl+C keeps what has come.
    """
    wanted = parse_settings(settings or [], preset)
    if ray_workers is not None and ray is None:
        raise typer.BadParameter("--ray-workers counts the workers of Ray: add --ray local.")
    from fmstudio.cli_propagate import Wish
    from fmstudio.cli_propagate import propagate as run
    from fmstudio.engine.ray_cluster import RayWish

    wish = Wish(
        references=tuple(source),
        targets=tuple(to),
        accept_above=accept_above,
        settings=wanted,
        device=device.value,
        ray=None if ray is None else RayWish(ray, ray_workers),
    )
    run(project, wish, as_json=as_json)


@app.command()
def improve(
    project: ProjectFile,
    nearest: Annotated[
        int, typer.Option(min=0, help="References per image, the most alike; 0 takes all.")
    ] = 5,
    is_preview: Annotated[
        bool, typer.Option("--preview", help="Say what would change, and change nothing.")
    ] = False,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Carry all that is accepted to the images that wait for review, anew.

    What a person has reviewed never moves, and a proposal never becomes a reference.
    """
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_improve import improve as run

    run(
        project,
        wanted,
        nearest,
        device=device.value,
        is_preview=is_preview,
        as_json=as_json,
    )


@app.command()
def export(
    project: ProjectFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="COCO file to write.")],
    proposals: Annotated[
        bool, typer.Option("--proposals", help="Also what is still to be reviewed.")
    ] = False,
    polygons: Annotated[
        bool, typer.Option("--polygons", help="Masks as polygons where that loses nothing.")
    ] = False,
    image_root: Annotated[
        Path | None,
        typer.Option(help="Folder that file names start from; else the project's."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write a project's accepted annotations as COCO."""
    from fmstudio.cli_project import export_coco

    export_coco(
        project,
        file,
        has_proposals=proposals,
        polygons=polygons,
        image_root=image_root,
        as_json=as_json,
    )


@app.command()
def info(
    project: ProjectFile,
    check: Annotated[
        bool,
        typer.Option("--check", help="Look whether every image file is as it was; reads them all."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what is in a project."""
    from fmstudio.cli_project import show_info

    show_info(project, check=check, as_json=as_json)


@app.command("next")
def suggest_next(
    project: ProjectFile,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say which image to annotate next: the one that would help the others most, and why."""
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_next import suggest

    suggest(project, wanted, device.value, as_json=as_json)


@app.command("collection")
def show_collection(
    project: ProjectFile,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Look at all images at once: which do not belong, which are alike, what references cover."""
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_collection import collection

    collection(project, wanted, device.value, as_json=as_json)


@app.command()
def review(
    project: ProjectFile,
    audit: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Draw N annotations that were accepted unseen into the queue first."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Draw the same sample every time.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what is left to review and how many points in it are expected to be wrong."""
    from fmstudio.cli_review import review as run

    run(project, audit=audit, seed=seed, as_json=as_json)


@app.command()
def match(
    a: Annotated[Path, typer.Argument(metavar="A", help="Image to carry from.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Image to carry to.")],
    out: Annotated[Path, typer.Option(metavar="PNG", help="Picture to write.")],
    point: Annotated[
        str | None,
        typer.Option(metavar="X,Y", help="Point of A, in pixels, whose heat map is drawn."),
    ] = None,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Draw the map between two images: match lines, carried colours, a point's heat map."""
    at, wanted = parse_point(point), parse_settings(settings or [], preset)
    if out.suffix.lower() != ".png":
        raise typer.BadParameter(f"The picture is written as PNG: end '{out}' in .png.")
    from fmstudio.cli_match import match as run

    run((a, b), out, point=at, settings=wanted, device=device.value)


@app.command()
def doctor(
    project: Annotated[
        Path | None,
        typer.Argument(metavar="[PROJECT]", help="Look at this project, not at the installation."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Put the latest whole backup back if it is damaged.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what is installed, ready to paste into a report; or whether a project is whole."""
    if project is not None:
        from fmstudio.cli_doctor_project import doctor_project

        doctor_project(project, repair=repair, as_json=as_json)
        return
    from fmstudio import cli_doctor

    cli_doctor.doctor(as_json=as_json)
