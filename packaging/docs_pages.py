"""What the documentation takes from the program itself, so that it cannot go stale.

A hook of MkDocs (see ``mkdocs.yml``). Three pages have a line that stands for something made when
the site is built: ``<!-- keys -->`` the table of all commands, ``<!-- gestures -->`` what the mouse
does, ``<!-- commands -->`` the help of every command that can be typed. The program's icon is put
in its place without a second copy of it.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer.main
from mkdocs.structure.files import File, Files

from fmstudio.cli import app
from fmstudio.ui.action_specs import ACTIONS, GESTURES, ActionSpec, Group, When

ROOT = Path(__file__).resolve().parents[1]
ICON = "assets/icon.svg"

# When a command can be given, as a reader asks.
WHEN = {
    When.ALWAYS: "always",
    When.PROJECT: "a project is open",
    When.IMAGES: "the project has images",
    When.TARGET: "an image is shown",
    When.SELECTION: "something is selected",
    When.UNDO: "there is an edit to undo",
    When.REDO: "there is an edit to redo",
    When.REVIEWABLE: "there is a proposal to decide on",
    When.RUNNING: "a run is going on",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the program's icon to the site's files."""
    icon = ROOT / "resources" / "icons" / "fmstudio.svg"
    files.append(File.generated(config, ICON, abs_src_path=str(icon)))
    return files


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Put in what the lines of a page stand for."""
    for name, make in MADE.items():
        line = f"<!-- {name} -->"
        if line in markdown:
            markdown = markdown.replace(line, "\n".join(make()))
    return markdown


def keys() -> Iterator[str]:
    """Yield the table of all commands, group by group, as Markdown."""
    for group in Group:
        yield f"\n## {group.value}\n"
        yield "| command | keys | what it does | when |"
        yield "|---|---|---|---|"
        for spec in ACTIONS:
            if spec.group is group and not _is_repetition(spec):
                yield (
                    f"| {_name(spec)} | {_keys(spec)} | {_cell(spec.tip)} "
                    f"| {WHEN[spec.enabled_when]} |"
                )


def gestures() -> Iterator[str]:
    """Yield the table of what the mouse does, as Markdown."""
    yield "| what | how |"
    yield "|---|---|"
    for gesture in GESTURES:
        yield f"| {_cell(gesture.text)} | {_cell(gesture.hands)} |"


def commands() -> Iterator[str]:
    """Yield the help of every command, as Markdown."""
    for words, command in every_command():
        name = " ".join(words)
        yield f"\n### fmstudio {name}\n"
        yield _cell(command.help or "").replace("\b", "") + "\n"
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        shown = " ".join(_argument(p) for p in arguments)
        follows = " [OPTIONS]" if options else ""
        yield f"```text\nfmstudio {name} {shown}".rstrip() + f"{follows}\n```\n"
        yield "| argument or option | what it is for | default |\n|---|---|---|"
        for parameter in arguments:
            yield f"| {_code(_argument(parameter))} | {_help(parameter)} | |"
        for parameter in options:
            yield f"| {_option(parameter)} | {_help(parameter)} | {_default(parameter)} |"


def every_command() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command that can be typed: its words, and what the parser knows of it."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            for second, inner in command.commands.items():
                yield (name, second), inner
        else:
            yield (name,), command


MADE = {"keys": keys, "gestures": gestures, "commands": commands}


def _is_repetition(spec: ActionSpec) -> bool:
    """Return whether a command is one of the nine categories, other than the first."""
    return bool(re.fullmatch(r"category-[2-9]", spec.id))


def _name(spec: ActionSpec) -> str:
    """Return what a menu calls a command, without the dots that say that it asks first."""
    if spec.id == "category-1":
        return "First to ninth category"
    return _cell(spec.text.removesuffix("..."))


def _keys(spec: ActionSpec) -> str:
    """Return a command's keys as a reader sees them."""
    if spec.id == "category-1":
        return _key("1") + " to " + _key("9")
    return ", ".join(_key(key) for key in spec.keys) or "-"


def _key(key: str) -> str:
    """Return one key, safe in a table."""
    return f"<kbd>{key.replace('|', '&#124;')}</kbd>"


def _argument(parameter: Any) -> str:
    """Return how an argument is typed."""
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required or name.startswith("[") else f"[{name}]"


def _option(parameter: Any) -> str:
    """Return how an option is typed, with what follows it."""
    names = ", ".join(parameter.opts)
    if getattr(parameter, "is_flag", False):
        return _code(names)
    # The parsers of typer's versions differ in what they know of a type.
    default = parameter.default
    choices = "|".join(type(default)) if isinstance(default, StrEnum) else ""
    follows = parameter.metavar or choices or parameter.name.upper()
    return _code(f"{names} {follows}")


def _code(text: str) -> str:
    """Return a text as code in a cell of a table, which a bar would end there too."""
    return f"<code>{text}</code>".replace("|", "&#124;")


def _help(parameter: Any) -> str:
    """Return what a parameter is for."""
    return _cell(getattr(parameter, "help", None) or "")


def _default(parameter: Any) -> str:
    """Return a parameter's default where it says something."""
    value = parameter.default
    if parameter.required or value is None or value is False or callable(value):
        return "required" if parameter.required else ""
    return f"`{getattr(value, 'value', value)}`" if str(value) else ""


def _cell(text: str) -> str:
    """Return a text that can stand in a cell of a table."""
    return " ".join(text.split()).replace("|", "&#124;").replace("<", "&lt;").replace("*", "\\*")
