import json
import sys

import pytest
from PIL import Image
from PySide6.QtCore import QSettings, Qt

from fmstudio.project.model import Status
from fmstudio.ui.action_specs import ACTIONS
from fmstudio.ui.dialogs.about import AboutDialog
from fmstudio.ui.dialogs.export import ExportDialog
from fmstudio.ui.dialogs.import_coco import ImportDialog
from fmstudio.ui.dialogs.models import ModelsDialog
from fmstudio.ui.dialogs.propagate import PropagateDialog
from fmstudio.ui.dialogs.settings import SettingsDialog
from fmstudio.ui.preferences import Preferences


@pytest.fixture
def preferences(qapp, tmp_path):
    return Preferences(QSettings(str(tmp_path / "fmstudio.ini"), QSettings.Format.IniFormat))


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# Export


def test_an_export_equals_that_of_the_session_byte_for_byte(controller, qtbot, tmp_path):
    dialog = ExportDialog(controller)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.set_path(tmp_path / "out.json")
    assert "1 annotation on 5 images" in dialog.report.text
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        click(qtbot, dialog.write)
    assert "out.json" in raised.args[0].text
    controller.session.export_coco(tmp_path / "same.json")
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "same.json").read_bytes()


def test_a_file_that_cannot_be_written_is_said_in_the_dialog(controller, qtbot, tmp_path):
    dialog = ExportDialog(controller)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.set_path(tmp_path / "no such folder" / "out.json")
    click(qtbot, dialog.write)
    assert dialog.isVisible()
    assert "cannot be written" in dialog.report.text


def test_turned_images_are_copied_upright(controller, qtbot, tmp_path):
    photo = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40), "red").save(photo, exif=exif)
    controller.session.add_images([photo])
    dialog = ExportDialog(controller)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.oriented.isVisible()
    dialog.oriented.setChecked(True)
    dialog.set_path(tmp_path / "out" / "labels.json")
    (tmp_path / "out").mkdir()
    click(qtbot, dialog.write)
    document = json.loads((tmp_path / "out" / "labels.json").read_text())
    (turned,) = [i for i in document["images"] if "upright" in i["file_name"]]
    with Image.open(tmp_path / "out" / turned["file_name"]) as copy:
        assert copy.size == (turned["width"], turned["height"]) == (40, 60)
    assert controller.session.project.images[6].orientation == 6


# Import


def test_an_import_is_shown_before_it_happens_and_is_one_edit(controller, qtbot, sample):
    dialog = ImportDialog(controller, sample / "cats" / "coco.json")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "4 annotations" in dialog.report.text
    before = controller.project
    assert len(before.annotations) == 1
    click(qtbot, dialog.take)
    assert len(controller.project.annotations) == 5
    controller.undo()
    assert controller.project.annotations == before.annotations


def test_every_fault_of_a_broken_file_is_named_and_nothing_is_imported(controller, qtbot, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"images": [{"id": 1}, {"id": 2}], "annotations": []}')
    dialog = ImportDialog(controller, broken)
    qtbot.addWidget(dialog)
    assert "images[0]" in dialog.report.text
    assert "images[1]" in dialog.report.text
    assert not dialog.take.isEnabled()


def test_without_a_file_the_dialog_asks_for_one(controller, qtbot):
    dialog = ImportDialog(controller)
    qtbot.addWidget(dialog)
    assert not dialog.take.isEnabled()
    assert "Choose" in dialog.report.text


# Propagate


def test_references_and_targets_are_counted_and_handed_over(controller, qtbot):
    dialog = PropagateDialog(controller, ())
    qtbot.addWidget(dialog)
    assert dialog.references == (controller.reference_id,)
    assert len(dialog.targets()) == 4
    with qtbot.waitSignal(dialog.startRequested) as asked:
        click(qtbot, dialog._start)
    references, targets = asked.args
    assert controller.reference_id not in targets
    assert len(targets) == 4
    assert references == (controller.reference_id,)


def test_selected_images_can_be_the_targets(controller, qtbot):
    chosen = tuple(i for i in controller.project.images if i != controller.reference_id)[:2]
    dialog = PropagateDialog(controller, chosen)
    qtbot.addWidget(dialog)
    assert dialog.scope == "selected"
    assert dialog.targets() == chosen
    dialog.choose("all")
    assert len(dialog.targets()) == 4


def test_without_a_reference_it_says_what_to_do(controller, qtbot):
    (annotation,) = controller.project.annotations.values()
    controller.reject([annotation.id])
    assert controller.project.annotations[annotation.id].status is Status.REJECTED
    dialog = PropagateDialog(controller, ())
    qtbot.addWidget(dialog)
    assert not dialog._start.isEnabled()
    assert "Accept" in dialog._reason.text()


# Settings


def test_settings_hold_at_once_and_are_remembered(controller, preferences, qtbot, tmp_path):
    dialog = SettingsDialog(controller, preferences)
    qtbot.addWidget(dialog)
    with qtbot.waitSignal(preferences.changed) as changed:
        dialog.theme.setCurrentText("dark")
    assert changed.args == ["theme"]
    dialog.k.setValue(77)
    dialog.k.editingFinished.emit()
    again = Preferences(QSettings(str(tmp_path / "fmstudio.ini"), QSettings.Format.IniFormat))
    assert (again.theme, again.match_settings.k) == ("dark", 77)
    dialog._reset()
    assert preferences.match_settings.k == 40


def test_the_cache_is_measured_and_cleared(controller, preferences, qtbot):
    folder = controller.session.cache_dir / "thumbnails"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(bytes(3_000_000))
    dialog = SettingsDialog(controller, preferences)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.cache.text().startswith("3.0")
    click(qtbot, dialog.clear)
    assert dialog.cache.text().startswith("0.0")
    assert not folder.exists()


def test_keys_can_be_changed_and_conflicts_are_named(controller, preferences, qtbot):
    dialog = SettingsDialog(controller, preferences)
    qtbot.addWidget(dialog)
    assert dialog.conflict.text() == ""
    rows = {spec.id: row for row, spec in enumerate(ACTIONS)}
    dialog.keys.item(rows["accept"], 1).setText("Ctrl+J")
    assert preferences.key_overrides == {"accept": "Ctrl+J"}
    dialog.keys.item(rows["reject"], 1).setText("Ctrl+J")
    assert "Ctrl+J" in dialog.conflict.text()


def test_what_cannot_be_read_counts_as_the_default(qapp, tmp_path):
    settings = QSettings(str(tmp_path / "odd.ini"), QSettings.Format.IniFormat)
    for key, value in (("theme", "pink"), ("match/k", "many"), ("keys", "{"), ("match/k", "-3")):
        settings.setValue(key, value)
    odd = Preferences(settings)
    assert (odd.theme, odd.match_settings.k, odd.key_overrides) == ("system", 40, {})


# Models and about


def wait_for_models(dialog, qtbot):
    qtbot.waitUntil(lambda: dialog.table.rowCount() > 0, timeout=60_000)


def choose(dialog, name):
    found = dialog.table.findItems(name, Qt.MatchFlag.MatchExactly)
    dialog.table.selectRow(found[0].row())


def test_models_are_listed_with_licence_and_place(service, qtbot):
    dialog = ModelsDialog(service)
    qtbot.addWidget(dialog)
    wait_for_models(dialog, qtbot)
    choose(dialog, "efficientnet-lite0")
    assert "Apache-2.0" in dialog.note.text()
    assert not dialog.fetch.isEnabled()


FETCH = """
import sys, time
assert sys.argv[1:3] == ["models", "fetch"] and sys.argv[-1] == "--lines"
for part in range(1, 6):
    print(part * 10, 100, flush=True)
{end}
"""


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("sys.exit('The hub cannot be reached: check the connection.')", "cannot be reached"),
        ("time.sleep(60)", "goes on from here"),
    ],
)
def test_a_download_shows_its_progress_and_how_it_ended(service, qtbot, tmp_path, end, said):
    program = tmp_path / "fetch.py"
    program.write_text(FETCH.format(end=end))
    dialog = ModelsDialog(service, program=(sys.executable, str(program)))
    qtbot.addWidget(dialog)
    dialog.show()
    wait_for_models(dialog, qtbot)
    choose(dialog, "dinov3-b")
    click(qtbot, dialog.fetch)
    if "sleep" in end:
        qtbot.waitUntil(lambda: dialog.bar.value() == 500, timeout=20_000)
        click(qtbot, dialog.stop)
    qtbot.waitUntil(lambda: said in dialog.note.text(), timeout=20_000)
    assert not dialog.bar.isVisible()


def test_about_can_be_copied(qtbot, qapp):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.copy()
    assert "fmstudio" in qapp.clipboard().text()
