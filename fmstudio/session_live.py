"""What a person asks about the pair that is shown, while it is shown.

Importing this module does not import torch; the first question does. A `Live` is made on any
thread and asked on one only: the compute thread, by jobs.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from fmstudio.engine.requests import MatchSettings
from fmstudio.session_jobs import CacheLimits, Load, available_device, make_matcher

if TYPE_CHECKING:
    from fmstudio.engine.live import LivePairs
    from fmstudio.engine.reweigh import LiveWords


class Live:
    """The engine, kept ready for questions about pairs.

    Parameters
    ----------
    load : callable
        Opens an image of the project: `Session.load`.
    cache_dir : Path
        Of the project's features and bases.
    settings : MatchSettings or None
        None takes the default.
    device : str
        "auto", or a kind of `session_jobs.Device`.
    limits : CacheLimits or None
    """

    def __init__(
        self,
        load: Load,
        cache_dir: Path,
        settings: MatchSettings | None = None,
        device: str = "auto",
        limits: CacheLimits | None = None,
    ) -> None:
        self.settings = settings or MatchSettings()
        self.load = load
        self._cache_dir = cache_dir
        self._device = device
        self._limits = limits or CacheLimits()
        self._pairs: LivePairs | None = None
        self._words: LiveWords | None = None

    @property
    def is_loaded(self) -> bool:
        """Return whether the networks are loaded, so that a question costs its own time alone."""
        return self._pairs is not None

    def words(self) -> "LiveWords":
        """Return what references say of targets, over `pairs`; errors as there."""
        if self._words is None:
            pairs = self.pairs()
            from fmstudio.engine.reweigh import LiveWords

            self._words = LiveWords(pairs)
        return self._words

    def pairs(self) -> "LivePairs":
        """Return the pairs that are kept; the first call loads the networks.

        Raises
        ------
        MatchError
            If this machine has no such device.
        WeightsError
            If a network's weights cannot be loaded.
        """
        if self._pairs is None:
            self._pairs = self._loaded()
        return self._pairs

    def _loaded(self) -> "LivePairs":
        """Return pairs of the product's networks."""
        from fmstudio.engine.loading import load_engine

        load_engine()
        from fmstudio.engine.live import LivePairs

        device = available_device(self._device)
        matcher = make_matcher(self.settings, self._cache_dir, device, self._limits)
        return LivePairs(matcher, self.load)
