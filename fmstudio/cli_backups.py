"""Commands on a project's backups: list them, put one back."""

from pathlib import Path

from fmstudio import session_backups
from fmstudio.cli_output import say, say_json, say_table
from fmstudio.errors import StoreError
from fmstudio.session_backups import BackupItem, backups_of, project_file, restore_latest


def list_backups(project: Path, *, as_json: bool) -> None:
    """Say which backups there are of a project, latest first."""
    found = backups_of(project_file(project))
    if as_json:
        say_json([_record(item) for item in found])
        return
    if not found:
        say("There is no backup yet: one is made whenever the project is opened after a change.")
        return
    rows = [(item.path.name, item.when, item.words) for item in found]
    say_table("", ("backup", "made", "holds"), rows, text_columns=3)


def restore(project: Path, backup: str | None, *, as_json: bool) -> None:
    """Put a backup in a project's place: one by its name or path, else the latest whole one.

    Raises
    ------
    StoreError
        If the project is open, there is no such backup, it is damaged, or it cannot be written.
    """
    path = project_file(project)
    if backup is None:
        item, kept = restore_latest(path)
    else:
        item = _named(path, backup)
        kept = session_backups.restore(path, item.path)
    if as_json:
        say_json({"restored": _record(item), "kept": None if kept is None else str(kept)})
        return
    say(f"{path} is as it was on {item.when}: {item.words}.")
    if kept is not None:
        say(f"What was there before is kept as {kept}.")


def _named(project: Path, name: str) -> BackupItem:
    """Return a backup by its name, the number that it begins with, or its path."""
    found = backups_of(project)
    for item in found:
        number = item.path.name.split("-")[0]
        if name in (item.path.name, number, number.lstrip("0")) or Path(name) == item.path:
            return item
    names = ", ".join(item.path.name for item in found) or "none"
    raise StoreError(f"There is no backup '{name}' of {project}; there are: {names}.")


def _record(item: BackupItem) -> dict[str, object]:
    """Return a backup as JSON has it."""
    contents = item.contents
    return {
        "name": item.path.name,
        "made": item.made.isoformat(),
        "images": None if contents is None else contents.images,
        "annotations": None if contents is None else contents.annotations,
        "last_edit": None if contents is None else contents.last_edit,
        "is_whole": item.is_whole,
    }
