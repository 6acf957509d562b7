"""Settings that someone else wrote, or that a disk has spoilt: each counts as the default."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QSettings

from fmstudio.session import MatchSettings
from fmstudio.ui import preferences as module
from fmstudio.ui.preferences import DEVICES, POINT_COLORS, THEMES, Preferences

KEYS = [
    "theme", "device", "memory_budget_mb", "cache_limit_mb", "linked_views", "settles_points",
    "point_colors", "hint_dismissed", "inspector", "recent_projects", "keys",
    *(f"match/{name}" for name in (
        "basis_extractor", "descriptor_extractors", "long_side", "k", "basis", "map_weight",
        "fine_side", "through", "edges",
    )),
]  # fmt: skip
# What an INI file can bring back: texts, lists of texts, and what looks like numbers.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.one_of(st.integers(), st.floats()).map(str)
VALUES = st.one_of(TEXTS, NUMBERS, st.lists(TEXTS, max_size=3), st.just('{"accept": [1]}'))


@pytest.fixture
def store(tmp_path):
    return QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(found=st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_any_settings_are_read(store, found):
    store.clear()
    for key, value in found.items():
        store.setValue(key, value)
    chosen = Preferences(store)
    assert chosen.theme in THEMES
    assert chosen.device in DEVICES
    assert chosen.point_colors in POINT_COLORS
    assert module.MEMORY_MB[0] <= chosen.memory_budget_mb <= module.MEMORY_MB[1]
    assert module.CACHE_MB[0] <= chosen.cache_limit_mb <= module.CACHE_MB[1]
    assert isinstance(chosen.match_settings, MatchSettings)
    assert 0 <= chosen.inspector.opacity <= 1
    assert all(isinstance(path, str) for path in chosen.recent_projects)
    assert all(isinstance(key, str) for key in chosen.key_overrides.values())
    assert {chosen.linked_views, chosen.settles_points, chosen.is_hint_dismissed} <= {True, False}


def test_a_file_of_noise_counts_as_none(tmp_path):
    path = tmp_path / "noise.ini"
    path.write_bytes(bytes(range(256)) * 64)
    chosen = Preferences(QSettings(str(path), QSettings.Format.IniFormat))
    assert chosen.match_settings == MatchSettings()
    assert chosen.theme == "system"
