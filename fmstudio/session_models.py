"""Networks as a person chooses them: which there are, under which licence, and what is here.

Importing this module does not import torch; pulling its streams does, so they are jobs for the
compute thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import WeightsError

_OWN_TERMS = "see its page"


@dataclass(frozen=True, slots=True)
class ModelItem:
    """A network that can be chosen in the settings.

    Attributes
    ----------
    name : str
        What the settings call it.
    licence : str
        SPDX where there is one.
    size : int
        Of its weights, in bytes; 0 where unknown.
    source : str
        Where they come from, for a person.
    path : Path or None
        The weights on this disk; None if they have to be fetched first.
    note : str
        What a person should know before using it, or empty.
    page : str
        Address of the page that describes it; empty for what comes with fmstudio.
    partial : int
        Bytes that a stopped download has left, to go on from.
    """

    name: str
    licence: str
    size: int
    source: str
    path: Path | None
    note: str = ""
    page: str = ""
    partial: int = 0


@dataclass(frozen=True, slots=True)
class Verified:
    """A model whose weights are whole: its name, and their SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Taken:
    """How far the copy of a local folder's weights has come, in bytes; with a path at its end."""

    done: int
    total: int
    path: Path | None = None


def list_models(token: CancelToken) -> Iterator[tuple[ModelItem, ...]]:
    """Yield all networks with a short name, then with those that the cache holds besides."""
    from fmstudio.engine.loading import load_engine

    # Not for itself: it brings torch in without stopping the window, as no plain import does.
    load_engine()
    from fmstudio.features import weights

    known = tuple(
        _item(m.name, m.licence, m.size, m.source, m.on_disk, m.note) for m in weights.available()
    )
    yield known
    token.check()
    others = _others_in_cache({model.repo for model in weights.HUB.values()})
    if others:
        yield known + others


def look_up(name: str) -> Iterator[ModelItem]:
    """Yield a network of timm that has no short name, once.

    Parameters
    ----------
    name : str
        As timm calls it, with or without "vit:" before it.

    Raises
    ------
    WeightsError
        If timm does not know it, or nobody publishes weights for it.
    """
    yield _timm_item(name.strip().removeprefix("vit:"))


def verify(name: str) -> Iterator[Verified]:
    """Yield what the check of a model's weights on this disk found, once.

    Raises
    ------
    WeightsError
        If they are missing, damaged or another version.
    """
    from fmstudio.features import weights

    yield Verified(name, weights.verify(name, weights.find(name)))


def take(name: str, folder: Path, token: CancelToken) -> Iterator[Taken]:
    """Yield how far the copy of a model's weights from a local folder has come.

    Raises
    ------
    WeightsError
        If there are no such weights in it, or they do not fit the network.
    Cancelled
        Between two chunks.
    """
    from fmstudio.features import hub

    done = total = 0
    for step in hub.take_steps(name, folder, token.check):
        if isinstance(step, Path):
            yield Taken(done, total, step)
        else:
            done, total = step
            yield Taken(done, total)


def _item(
    name: str, licence: str, size: int, source: str, path: Path | None, note: str
) -> ModelItem:
    """Return a network with what its name does not say."""
    from fmstudio.features import hub, weights

    if name in weights.PACKAGED:
        return ModelItem(name, licence, size, source, path, note)
    repo = weights.hub_model(name).repo
    partial = hub.partial_bytes(repo) if path is None else 0
    page = f"https://huggingface.co/{repo}"
    return ModelItem(name, licence, size, source, path, note, page, partial)


def _timm_item(timm_name: str) -> ModelItem:
    """Return a network of timm."""
    import timm

    from fmstudio.features import weights

    model = weights.hub_model(f"vit:{timm_name}")
    # With the tag of its training, so that one network has one name.
    full = f"vit:{model.repo.removeprefix('timm/')}"
    name = next((short for short, known in weights.HUB.items() if known == model), full)
    family = timm.model_entrypoint(timm_name).__module__.rpartition(".")[2]
    if family not in ("vision_transformer", "eva", "deit"):
        raise WeightsError(
            f'"{timm_name}" is no Vision Transformer, and fmstudio can only use those.'
        )
    licence = model.licence if model.licence != "unknown" else _OWN_TERMS
    path = weights.cached(model.repo)
    return _item(name, licence, model.size, f"hub repository {model.repo}", path, model.note)


def _others_in_cache(known: set[str]) -> tuple[ModelItem, ...]:
    """Return timm's transformers that the hub client's cache holds besides the known ones."""
    from huggingface_hub import constants

    head = "models--timm--"
    found = []
    for folder in sorted(Path(constants.HF_HUB_CACHE).glob(f"{head}*")):
        timm_name = folder.name.removeprefix(head)
        if f"timm/{timm_name}" in known:
            continue
        try:
            found.append(_timm_item(timm_name))
        except WeightsError:
            # Another program's: none that could be chosen here.
            continue
    return tuple(item for item in found if item.path is not None or item.partial)
