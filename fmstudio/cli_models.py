"""The commands models list, presets, fetch and verify."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fmstudio.cli_output import note, progress, say, say_json, say_table, stop_on_interrupt, warn
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.presets import PRESETS, Preset
from fmstudio.errors import WeightsError
from fmstudio.features import hub, weights
from fmstudio.project.wording import counted


def list_models(*, as_json: bool) -> None:
    """Say which models there are, under which licence, and which are on this disk."""
    models = weights.available()
    if as_json:
        say_json([_as_json(model) for model in models])
        return
    rows = [
        (m.name, "yes" if m.on_disk else "no", m.licence, m.source, megabytes(m.size))
        for m in models
    ]
    say_table("", ("model", "on disk", "licence", "from", "size"), rows, text_columns=4)
    for model in models:
        if model.note:
            note(f"{model.name}: {model.note}")
    say('Any other timm transformer is "vit:<timm name>"; "fmstudio models fetch NAME" gets one.')


def list_presets(*, as_json: bool) -> None:
    """Say which presets there are, under which licences, and what each has to download."""
    if as_json:
        say_json([_preset_as_json(preset) for preset in PRESETS.values()])
        return
    rows = [
        (p.name, p.licence_line(), ", ".join(p.downloads()), megabytes(sum(p.downloads().values())))
        for p in PRESETS.values()
    ]
    say_table("", ("preset", "licences", "to fetch", "size"), rows, text_columns=3)
    for preset in PRESETS.values():
        note(f"{preset.name}: {preset.summary}")


def fetch_model(name: str, *, as_lines: bool = False) -> None:
    """Download a model's weights; the only command that reaches for the network.

    Parameters
    ----------
    name : str
    as_lines : bool
        Print "bytes so far, bytes in all" as lines instead of a bar, for a program that reads it.

    Raises
    ------
    Cancelled
        If the person stopped it.
    WeightsError
        If there are no such weights, or they cannot be downloaded.
    """
    token = CancelToken()
    if as_lines:
        hub.fetch(name, lambda done, total: say(f"{done} {total}"), token.check)
        return
    note(f"Licence of {name}: {weights.licence_of(name)}.")
    with progress(f"Fetching {name}", "MB") as report, stop_on_interrupt(token):

        def in_megabytes(done: int, total: int) -> None:
            report(done // 1_000_000, total // 1_000_000)

        path = hub.fetch(name, in_megabytes, token.check)
    say(f"{name} is at {path}.")


def verify_models(names: Sequence[str]) -> None:
    """Check weights on this disk against their known hashes.

    Parameters
    ----------
    names : sequence of str
        Empty means every model that is on the disk.

    Raises
    ------
    WeightsError
        If any is missing, damaged or another version.
    """
    chosen = names or [model.name for model in weights.available() if model.on_disk]
    faults = []
    for name in chosen:
        try:
            digest = weights.verify(name, weights.find(name))
        except WeightsError as error:
            faults.append(str(error))
        else:
            say(f"{name}: sha256 {digest}")
    if faults:
        warn(faults)
        raise WeightsError(f"{counted(len(faults), 'model')} of {len(chosen)} cannot be used.")


def megabytes(size: int) -> str:
    """Return a size in bytes for a person; empty where it is not known."""
    return f"{size / 1e6:,.0f} MB" if size else ""


def _as_json(model: weights.ModelInfo) -> dict[str, Any]:
    """Return a model as JSON values."""
    return {
        "name": model.name,
        "licence": model.licence,
        "bytes": model.size or None,
        "source": model.source,
        "path": str(model.on_disk) if model.on_disk else None,
        "note": model.note or None,
    }


def _preset_as_json(preset: Preset) -> dict[str, Any]:
    """Return a preset as JSON values."""
    return {
        "name": preset.name,
        "summary": preset.summary,
        "licences": {name: weights.licence_of(name) for name in preset.models},
        "downloads": preset.downloads(),
        "settings": asdict(preset.settings),
    }
