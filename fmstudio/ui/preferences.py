"""What a person has chosen for good; kept by the system's own means."""

import json
from collections.abc import Iterable

from PySide6.QtCore import QObject, QSettings, Signal

from fmstudio.session import MatchSettings

THEMES = ("system", "light", "dark")
DEVICES = ("auto", "cpu", "cuda", "mps")
_MATCH = "match/"


class Preferences(QObject):
    """Typed access to the person's choices; a value that cannot be read counts as the default.

    Parameters
    ----------
    settings : QSettings
    parent : QObject or None
    """

    changed = Signal(str)
    """Name of the property that is different now."""

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings

    @property
    def theme(self) -> str:
        """Return "system", "light" or "dark"."""
        return self._choice("theme", THEMES)

    @theme.setter
    def theme(self, value: str) -> None:
        self._set("theme", value)

    @property
    def device(self) -> str:
        """Return where to compute: "auto", "cpu", "cuda" or "mps"."""
        return self._choice("device", DEVICES)

    @device.setter
    def device(self, value: str) -> None:
        self._set("device", value)

    @property
    def linked_views(self) -> bool:
        """Return whether the two canvases zoom and pan together."""
        return str(self._settings.value("linked_views", "false")).lower() == "true"

    @linked_views.setter
    def linked_views(self, value: bool) -> None:
        self._set("linked_views", "true" if value else "false")

    @property
    def is_hint_dismissed(self) -> bool:
        """Return whether the first-run hint is gone for good."""
        return str(self._settings.value("hint_dismissed", "false")).lower() == "true"

    @is_hint_dismissed.setter
    def is_hint_dismissed(self, value: bool) -> None:
        self._set("hint_dismissed", "true" if value else "false")

    @property
    def recent_projects(self) -> list[str]:
        """Return the paths of the projects that were open last, latest first."""
        found = self._settings.value("recent_projects", [])
        if isinstance(found, str):
            return [found]
        return [str(path) for path in found] if isinstance(found, Iterable) else []

    @recent_projects.setter
    def recent_projects(self, value: list[str]) -> None:
        self._set("recent_projects", value)

    @property
    def key_overrides(self) -> dict[str, str]:
        """Return the keys that a person has given to commands, by their ids."""
        try:
            found = json.loads(str(self._settings.value("keys", "{}")))
        except ValueError:
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @key_overrides.setter
    def key_overrides(self, value: dict[str, str]) -> None:
        self._set("keys", json.dumps(value, sort_keys=True), name="key_overrides")

    @property
    def match_settings(self) -> MatchSettings:
        """Return how images are matched."""
        default = MatchSettings()
        return MatchSettings(
            long_side=self._whole("long_side", default.long_side, 128, 4096),
            k=self._whole("k", default.k, 1, 1000),
            map_weight=self._share("map_weight", default.map_weight),
            basis=str(self._settings.value(f"{_MATCH}basis", default.basis)),
            basis_extractor=str(
                self._settings.value(f"{_MATCH}basis_extractor", default.basis_extractor)
            ),
            descriptor_extractors=tuple(
                str(
                    self._settings.value(
                        f"{_MATCH}descriptor_extractors", ",".join(default.descriptor_extractors)
                    )
                ).split(",")
            ),
        )

    @match_settings.setter
    def match_settings(self, value: MatchSettings) -> None:
        self._settings.setValue(f"{_MATCH}long_side", value.long_side)
        self._settings.setValue(f"{_MATCH}k", value.k)
        self._settings.setValue(f"{_MATCH}map_weight", value.map_weight)
        self._settings.setValue(f"{_MATCH}basis", value.basis)
        self._settings.setValue(f"{_MATCH}basis_extractor", value.basis_extractor)
        self._settings.setValue(
            f"{_MATCH}descriptor_extractors", ",".join(value.descriptor_extractors)
        )
        self.changed.emit("match_settings")

    def _choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """Return a word out of some; the first of them where another is kept."""
        found = str(self._settings.value(key, allowed[0]))
        return found if found in allowed else allowed[0]

    def _whole(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number within its limits."""
        try:
            found = int(str(self._settings.value(_MATCH + key, default)))
        except ValueError:
            return default
        return found if low <= found <= high else default

    def _share(self, key: str, default: float) -> float:
        """Return a number in [0, 1]."""
        try:
            found = float(str(self._settings.value(_MATCH + key, default)))
        except ValueError:
            return default
        return found if 0.0 <= found <= 1.0 else default

    def _set(self, key: str, value: object, *, name: str = "") -> None:
        """Keep a value and tell of it, if it is another one."""
        if self._settings.value(key) != value:
            self._settings.setValue(key, value)
            self.changed.emit(name or key)
