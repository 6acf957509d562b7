"""What can be typed after 'fmstudio backups'."""

from pathlib import Path
from typing import Annotated

import typer

backups = typer.Typer(no_args_is_help=True, help="List a project's backups, put one back.")

_Project = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="Project file; '.fmstudio' may be left out.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@backups.command("list")
def backups_list(project: _Project, as_json: _Json = False) -> None:
    """List the backups of a project, the latest first, and what each holds."""
    from fmstudio.cli_backups import list_backups

    list_backups(project, as_json=as_json)


@backups.command("restore")
def backups_restore(
    project: _Project,
    backup: Annotated[
        str | None,
        typer.Argument(
            metavar="[BACKUP]", help="Its name, number or path; else the latest that is whole."
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Put a project back to a backup; what it is now is kept among the backups."""
    from fmstudio.cli_backups import restore

    restore(project, backup, as_json=as_json)
