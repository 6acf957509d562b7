"""What can be typed after 'fmstudio backups'."""

from typing import Annotated

import typer

from fmstudio.cli_settings import JsonFlag, ProjectFile

backups = typer.Typer(no_args_is_help=True, help="List a project's backups, put one back.")


@backups.command("list")
def backups_list(project: ProjectFile, as_json: JsonFlag = False) -> None:
    """List the backups of a project, the latest first, and what each holds."""
    from fmstudio.cli_backups import list_backups

    list_backups(project, as_json=as_json)


@backups.command("restore")
def backups_restore(
    project: ProjectFile,
    backup: Annotated[
        str | None,
        typer.Argument(
            metavar="[BACKUP]", help="Its name, number or path; else the latest that is whole."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Put a project back to a backup; what it is now is kept among the backups."""
    from fmstudio.cli_backups import restore

    restore(project, backup, as_json=as_json)
