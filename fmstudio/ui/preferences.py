"""What a person has chosen for good; kept by the system's own means."""

import json
from collections.abc import Iterable

from PySide6.QtCore import QObject, QSettings, Signal

from fmstudio.project.doubt import REASONS
from fmstudio.session import CacheLimits, MatchSettings
from fmstudio.ui.inspector_choices import InspectorChoices, from_text, to_text

THEMES = ("system", "light", "dark")
DEVICES = ("auto", "cpu", "cuda", "mps")
BASES = ("feature", "uniform")
POINT_COLORS = ("confidence", *(reason.value for reason in REASONS))
MEMORY_MB = (64, 65_536)
"""Least and most memory for computed features that can be chosen, in megabytes."""
CACHE_MB = (256, 1_048_576)
"""Least and most disk space for a project's caches that can be chosen, in megabytes."""
LONG_SIDE = (128, 4096)
"""Least and most working length of an image's longer side that can be chosen, in pixels."""
FINE_SIDE = (0, 2048)
"""Least (none) and most working length of the part of an image around an object, in pixels."""
THROUGH = (0, 8)
"""Least (none) and most images through which a badly matched one is reached."""
K = (1, 1000)
"""Least and most functions of a basis that can be chosen."""
_MATCH = "match/"
_MB = 1 << 20


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
        self._set("theme", value, self.theme)

    @property
    def device(self) -> str:
        """Return where to compute: "auto", "cpu", "cuda" or "mps"."""
        return self._choice("device", DEVICES)

    @device.setter
    def device(self, value: str) -> None:
        self._set("device", value, self.device)

    @property
    def memory_budget_mb(self) -> int:
        """Return how many megabytes of computed features a run may hold in memory."""
        return self._whole("memory_budget_mb", CacheLimits().memory_bytes // _MB, MEMORY_MB)

    @memory_budget_mb.setter
    def memory_budget_mb(self, value: int) -> None:
        self._set("memory_budget_mb", value, self.memory_budget_mb)

    @property
    def cache_limit_mb(self) -> int:
        """Return how many megabytes of computed features a project may keep on the disk."""
        return self._whole("cache_limit_mb", CacheLimits().disk_bytes // _MB, CACHE_MB)

    @cache_limit_mb.setter
    def cache_limit_mb(self, value: int) -> None:
        self._set("cache_limit_mb", value, self.cache_limit_mb)

    @property
    def cache_limits(self) -> CacheLimits:
        """Return both limits as a run takes them."""
        return CacheLimits(self.memory_budget_mb * _MB, self.cache_limit_mb * _MB)

    @property
    def linked_views(self) -> bool:
        """Return whether the two canvases zoom and pan together."""
        return self._flag("linked_views")

    @linked_views.setter
    def linked_views(self, value: bool) -> None:
        self._set_flag("linked_views", value, was=self.linked_views)

    @property
    def settles_points(self) -> bool:
        """Return whether a correction moves the other points of its annotation."""
        return self._flag("settles_points", default="true")

    @settles_points.setter
    def settles_points(self, value: bool) -> None:
        self._set_flag("settles_points", value, was=self.settles_points)

    @property
    def point_colors(self) -> str:
        """Return what proposed points are coloured by: "confidence" or a reason of doubt."""
        return self._choice("point_colors", POINT_COLORS)

    @point_colors.setter
    def point_colors(self, value: str) -> None:
        self._set("point_colors", value, self.point_colors)

    @property
    def is_hint_dismissed(self) -> bool:
        """Return whether the first-run hint is gone for good."""
        return self._flag("hint_dismissed")

    @is_hint_dismissed.setter
    def is_hint_dismissed(self, value: bool) -> None:
        self._set_flag("hint_dismissed", value, was=self.is_hint_dismissed)

    @property
    def inspector(self) -> InspectorChoices:
        """Return which layers the correspondence inspector draws."""
        return from_text(str(self._settings.value("inspector", "")))

    @inspector.setter
    def inspector(self, value: InspectorChoices) -> None:
        self._set("inspector", to_text(value), to_text(self.inspector))

    @property
    def recent_projects(self) -> list[str]:
        """Return the paths of the projects that were open last, latest first."""
        found = self._settings.value("recent_projects", [])
        if isinstance(found, str):
            return [found]
        return [str(path) for path in found] if isinstance(found, Iterable) else []

    @recent_projects.setter
    def recent_projects(self, value: list[str]) -> None:
        self._set("recent_projects", value, self.recent_projects)

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
        was = json.dumps(self.key_overrides, sort_keys=True)
        self._set("keys", json.dumps(value, sort_keys=True), was, name="key_overrides")

    @property
    def match_settings(self) -> MatchSettings:
        """Return how images are matched."""
        default = MatchSettings()
        words = self._text("descriptor_extractors", ",".join(default.descriptor_extractors))
        names = tuple(name.strip() for name in words.split(",") if name.strip())
        basis = self._text("basis", default.basis)
        return MatchSettings(
            basis_extractor=self._text("basis_extractor", default.basis_extractor).strip()
            or default.basis_extractor,
            descriptor_extractors=names or default.descriptor_extractors,
            long_side=self._whole(f"{_MATCH}long_side", default.long_side, LONG_SIDE),
            k=self._whole(f"{_MATCH}k", default.k, K),
            basis=basis if basis in BASES else default.basis,
            map_weight=self._share(f"{_MATCH}map_weight", default.map_weight),
            fine_side=self._whole(f"{_MATCH}fine_side", default.fine_side, FINE_SIDE),
            through=self._whole(f"{_MATCH}through", default.through, THROUGH),
            edges=str(self._settings.value(f"{_MATCH}edges", "true")).lower() != "false",
        )

    @match_settings.setter
    def match_settings(self, value: MatchSettings) -> None:
        if value == self.match_settings:
            return
        kept = {
            "basis_extractor": value.basis_extractor,
            "descriptor_extractors": ",".join(value.descriptor_extractors),
            "long_side": value.long_side,
            "k": value.k,
            "basis": value.basis,
            "map_weight": value.map_weight,
            "fine_side": value.fine_side,
            "through": value.through,
            # As a word, because an INI file knows no others.
            "edges": "true" if value.edges else "false",
        }
        for key, setting in kept.items():
            self._settings.setValue(_MATCH + key, setting)
        self.changed.emit("match_settings")

    # Private

    def _flag(self, key: str, default: str = "false") -> bool:
        """Return a yes or no."""
        return str(self._settings.value(key, default)).lower() == "true"

    def _set_flag(self, key: str, value: bool, *, was: bool) -> None:
        """Keep a yes or no; as a word, because an INI file knows no others."""
        self._set(key, str(value).lower(), str(was).lower())

    def _text(self, key: str, default: str) -> str:
        """Return a text among the matching settings."""
        found = self._settings.value(_MATCH + key, default)
        # An INI file gives a text with commas back as a list.
        return ",".join(map(str, found)) if isinstance(found, list) else str(found)

    def _choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """Return a word out of some; the first of them where another is kept."""
        found = str(self._settings.value(key, allowed[0]))
        return found if found in allowed else allowed[0]

    def _whole(self, key: str, default: int, limits: tuple[int, int]) -> int:
        """Return a whole number within its limits, both included."""
        try:
            found = int(str(self._settings.value(key, default)))
        except ValueError:
            return default
        return found if limits[0] <= found <= limits[1] else default

    def _share(self, key: str, default: float) -> float:
        """Return a number in [0, 1]."""
        try:
            found = float(str(self._settings.value(key, default)))
        except ValueError:
            return default
        return found if 0.0 <= found <= 1.0 else default

    def _set(self, key: str, value: object, was: object, *, name: str = "") -> None:
        """Keep a value and tell of it, if it is another one than it was."""
        if value != was:
            self._settings.setValue(key, value)
            self.changed.emit(name or key)
