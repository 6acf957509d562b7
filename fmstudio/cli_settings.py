"""What several commands take: a project, how images are matched, and where; many names at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from fmstudio.errors import MatchError

if TYPE_CHECKING:
    from fmstudio.engine.requests import MatchSettings


_SWITCHES = {"true": True, "yes": True, "on": True, "1": True}
_SWITCHES |= {"false": False, "no": False, "off": False, "0": False}
_OF_MANY = ("--from", "--to", "--methods", "--parts")


class Device(StrEnum):
    """Where to compute; "auto" takes a GPU if there is one."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


ProjectFile = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="Project file; '.fmstudio' may be left out.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DeviceOption = Annotated[Device, typer.Option(help="Where to compute.")]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a matching setting, such as long_side=768 or k=200; may be repeated.",
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Settings to start from, before --set; see 'fmstudio models presets'.",
    ),
]

RayOption = Annotated[
    str | None,
    typer.Option(
        metavar="local|ADDRESS",
        help="Compute in workers of Ray: on this machine, or on the cluster at an address.",
    ),
]
RayWorkersOption = Annotated[
    int | None,
    typer.Option(min=1, help="At most so many of them; else one per GPU, or per core."),
]


class Spread(TyperCommand):
    """A command whose options of many names take all words up to the next option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each further name, which is the form that is understood."""
        return super().parse_args(ctx, spread(args, _OF_MANY))


def spread(args: list[str], options: tuple[str, ...]) -> list[str]:
    """Return arguments with ``--from a b`` written as ``--from a --from b``."""
    result: list[str] = []
    current, is_first = None, False
    for arg in args:
        if arg.startswith("-"):
            current, is_first = (arg, True) if arg in options else (None, False)
        elif current is not None and not is_first:
            result.append(current)
        elif current is not None:
            is_first = False
        result.append(arg)
    return result


def parse_settings(pairs: Sequence[str], preset: str | None = None) -> "MatchSettings":
    """Return the settings of a preset, or the default ones, changed by ``name=value`` pairs.

    Lists are written with commas: ``descriptor_extractors=dinov2-s,efficientnet-lite0``; switches
    as ``true`` or ``false``.

    Raises
    ------
    typer.BadParameter
        If a name or the preset is unknown, or a value is not of its kind or out of its range.
    """
    # numpy comes with it, and what is typed wrong elsewhere should be said at once.
    from fmstudio.engine.requests import MatchSettings

    kinds = {field.name: field.type for field in fields(MatchSettings)}
    changes: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in kinds:
            raise typer.BadParameter(
                f"'{pair}' sets nothing: write NAME=VALUE, with a name of {', '.join(kinds)}."
            )
        changes[name] = _parsed(name, text.strip(), kinds[name])
    base = MatchSettings() if preset is None else _preset(preset)
    try:
        return replace(base, **changes)  # type: ignore[arg-type]
    except ValueError as error:
        raise typer.BadParameter(f"These settings cannot be used: {error}.") from None


def parse_point(text: str | None) -> tuple[float, float] | None:
    """Return the point that "x,y" stands for; None stands for none.

    Raises
    ------
    typer.BadParameter
        If it is not two numbers.
    """
    if text is None:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"A point is written as X,Y in pixels, not '{text}'.") from None
    return x, y


@contextmanager
def checked_settings() -> Iterator[None]:
    """Turn what the engine finds wrong with settings or device into a `MatchError`."""
    try:
        yield
    except ValueError as error:
        sentence = str(error).rstrip(".")
        raise MatchError(f"These settings cannot be used: {sentence}.") from error


def _preset(name: str) -> "MatchSettings":
    """Return the settings of a preset."""
    # torch comes with it, which the default settings do without.
    from fmstudio.engine.presets import preset_of

    try:
        return preset_of(name).settings
    except ValueError as error:
        text = str(error)
        raise typer.BadParameter(f"{text[0].upper()}{text[1:]}.") from None


def _parsed(name: str, text: str, kind: object) -> object:
    """Return a value as the kind that its setting has."""
    try:
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except ValueError:
        word = "a whole number" if kind is int else "a number"
        raise typer.BadParameter(f"{name} is {word}, not '{text}'.") from None
    if kind is bool:
        return _switch(name, text)
    if kind is str:
        return text
    return tuple(part for item in text.split(",") if (part := item.strip()))


def _switch(name: str, text: str) -> bool:
    """Return whether a switch is on."""
    try:
        return _SWITCHES[text.lower()]
    except KeyError:
        raise typer.BadParameter(f"{name} is true or false, not '{text}'.") from None
