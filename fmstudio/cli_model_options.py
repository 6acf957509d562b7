"""What can be typed after 'fmstudio models'."""

from typing import Annotated

import typer

from fmstudio.cli_settings import JsonFlag

models = typer.Typer(no_args_is_help=True, help="List, fetch and verify the networks' weights.")


@models.command("list")
def models_list(as_json: JsonFlag = False) -> None:
    """List the networks, their licences, and which weights are on this disk."""
    from fmstudio.cli_models import list_models

    list_models(as_json=as_json)


@models.command("presets")
def models_presets(as_json: JsonFlag = False) -> None:
    """List settings that have a name, their networks' licences, and what they download."""
    from fmstudio.cli_models import list_presets

    list_presets(as_json=as_json)


@models.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as dinov2-s.")],
    as_lines: Annotated[
        bool, typer.Option("--lines", help="Print the bytes so far and in all, line by line.")
    ] = False,
) -> None:
    """Download a network's weights; no other command uses the network."""
    from fmstudio.cli_models import fetch_model

    fetch_model(name, as_lines=as_lines)


@models.command("verify")
def models_verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Without any: all that are on this disk."),
    ] = None,
) -> None:
    """Check weights on this disk against their hashes."""
    from fmstudio.cli_models import verify_models

    verify_models(names or [])
