import pytest
from PySide6.QtCore import QSettings, Qt

from fmstudio.session import CacheLimits, MatchSettings
from fmstudio.session_jobs import Device
from fmstudio.session_models import ModelItem
from fmstudio.ui.dialogs.settings import SettingsDialog
from fmstudio.ui.preferences import Preferences


@pytest.fixture
def preferences(qapp, tmp_path):
    return Preferences(QSettings(str(tmp_path / "fmstudio.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def dialog(controller, preferences, qtbot):
    dialog = SettingsDialog(controller, preferences)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_settings_hold_at_once_and_are_remembered(dialog, preferences, qtbot, tmp_path):
    with qtbot.waitSignal(preferences.changed) as changed:
        dialog.general.theme.choose("dark")
    assert changed.args == ["theme"]
    dialog.matching.k.setValue(77)
    dialog.matching.fine_side.setValue(0)
    dialog.matching.edges.click()
    dialog.matching.through.setValue(4)
    dialog.general.memory.setValue(256)
    dialog.general.limit.setValue(2048)
    again = Preferences(QSettings(str(tmp_path / "fmstudio.ini"), QSettings.Format.IniFormat))
    kept = again.match_settings
    assert again.theme == "dark"
    assert (kept.k, kept.fine_side, kept.edges, kept.through) == (77, 0, False, 4)
    assert again.cache_limits == CacheLimits(256 << 20, 2048 << 20)
    qtbot.mouseClick(dialog.matching.reset, Qt.MouseButton.LeftButton)
    assert preferences.match_settings == MatchSettings()
    assert dialog.matching.k.value() == MatchSettings().k


def test_what_this_machine_lacks_cannot_be_chosen(dialog):
    general = dialog.general
    general.show_devices((Device("cpu", "CPU, 2 threads"),))
    model = general.device.model()
    enabled = {
        general.device.itemData(row): bool(model.flags(model.index(row, 0)) & Qt.ItemIsEnabled)
        for row in range(general.device.count())
    }
    assert enabled == {"auto": True, "cpu": True, "cuda": False, "mps": False}
    assert "CPU, 2 threads" in general.devices.text()


def test_a_chosen_device_that_is_gone_is_said(dialog, preferences):
    dialog.general.device.choose("cuda")
    assert preferences.device == "cuda"
    dialog.general.show_devices((Device("cpu", "CPU, 2 threads"),))
    assert "no such device" in dialog.general.devices.text()


def test_the_last_network_cannot_be_taken_away(dialog, preferences):
    names = preferences.match_settings.descriptor_extractors
    for name in names:
        dialog.matching.tick(name, False)
    assert preferences.match_settings.descriptor_extractors == names[-1:]


def test_networks_of_the_disk_can_be_chosen_and_absent_ones_are_named(
    dialog, preferences, tmp_path
):
    chosen = MatchSettings(descriptor_extractors=("dinov2-b",))
    preferences.match_settings = chosen
    here = ModelItem("dinov2-s", "Apache-2.0", 1, "hub", tmp_path / "there")
    dialog.matching.show_models((here,))
    assert "dinov2-b" in dialog.matching.missing.text()
    assert preferences.match_settings == chosen
    dialog.matching.tick("dinov2-s", True)
    assert set(preferences.match_settings.descriptor_extractors) == {"dinov2-s", "dinov2-b"}


def test_the_cache_is_measured_and_cleared(controller, preferences, qtbot):
    folder = controller.session.cache_dir / "thumbnails"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(bytes(3 << 20))
    dialog = SettingsDialog(controller, preferences)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.general.cache.text().startswith("3.0")
    qtbot.mouseClick(dialog.general.clear, Qt.MouseButton.LeftButton)
    assert dialog.general.cache.text().startswith("0.0")
    assert not folder.exists()


def test_devices_and_networks_are_asked_for_on_the_compute_thread(
    controller, preferences, service, qtbot
):
    dialog = SettingsDialog(controller, preferences, service=service)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: "This machine has" in dialog.general.devices.text(), timeout=60_000)
    names = lambda: [  # noqa: E731
        dialog.matching.basis_extractor.itemData(row)
        for row in range(dialog.matching.basis_extractor.count())
    ]
    qtbot.waitUntil(lambda: "efficientnet-lite0" in names(), timeout=60_000)


def test_keys_can_be_changed_and_given_back(dialog, preferences):
    dialog.keys.choose("accept")
    dialog.keys.press("Ctrl+J")
    assert preferences.key_overrides == {"accept": "Ctrl+J"}
    dialog.keys.reset.click()
    assert preferences.key_overrides == {}


def test_a_key_of_another_command_is_refused_until_it_is_taken(dialog, preferences):
    dialog.keys.choose("accept")
    dialog.keys.press("X")
    assert preferences.key_overrides == {}
    assert "Nothing has changed" in dialog.keys.said.text()
    dialog.keys.take.click()
    assert preferences.key_overrides == {"accept": "X", "reject": ""}
    assert dialog.keys.reset_all.isEnabled()


def test_a_key_of_the_canvas_cannot_be_given_away(dialog, preferences):
    dialog.keys.choose("accept")
    dialog.keys.press("Esc")
    assert preferences.key_overrides == {}
    assert "cannot be given away" in dialog.keys.said.text()


def test_conflicts_in_a_file_changed_by_hand_are_named(controller, preferences, qtbot):
    preferences.key_overrides = {"accept": "X"}
    dialog = SettingsDialog(controller, preferences)
    qtbot.addWidget(dialog)
    assert "X is the key of" in dialog.keys.said.text()


def test_what_cannot_be_read_counts_as_the_default(qapp, tmp_path):
    settings = QSettings(str(tmp_path / "odd.ini"), QSettings.Format.IniFormat)
    odd = (("theme", "pink"), ("match/k", "-3"), ("keys", "{"), ("memory_budget_mb", "much"))
    for key, value in odd:
        settings.setValue(key, value)
    chosen = Preferences(settings)
    assert (chosen.theme, chosen.key_overrides) == ("system", {})
    assert chosen.match_settings == MatchSettings()
    assert chosen.cache_limits == CacheLimits()
