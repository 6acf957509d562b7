"""Networks as a person chooses them: which there are, under which licence, and what is here.

Importing this module does not import torch; calling its functions does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fmstudio.engine.cancel import CancelToken


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
    """

    name: str
    licence: str
    size: int
    source: str
    path: Path | None
    note: str


def list_models(_token: CancelToken) -> Iterator[tuple[ModelItem, ...]]:
    """Yield the networks once, as a job for the compute thread: torch is slow to import."""
    from fmstudio.features import weights

    yield tuple(
        ModelItem(m.name, m.licence, m.size, m.source, m.on_disk, m.note)
        for m in weights.available()
    )
