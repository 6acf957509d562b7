import json
import threading

from PIL import Image
from PySide6.QtCore import Qt

from fmstudio.project.edits import RemoveAnnotations
from fmstudio.session_coco import Step
from fmstudio.ui.dialogs import export
from fmstudio.ui.dialogs.export import ExportDialog
from fmstudio.ui.dialogs.import_coco import ImportDialog


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
    assert not dialog.write.isEnabled()
    assert "There is no folder" in dialog.report.text
    place = tmp_path / "out.json"
    dialog.set_path(place)
    place.mkdir()
    (place / "in the way").touch()
    click(qtbot, dialog.write)
    assert dialog.isVisible()
    assert "cannot be written" in dialog.report.text


def test_the_name_of_a_project_is_no_name_for_a_file(controller, qtbot):
    dialog = ExportDialog(controller)
    qtbot.addWidget(dialog)
    dialog.set_path(controller.session.path)
    assert not dialog.write.isEnabled()
    assert "name of a project" in dialog.report.text


def test_the_check_and_the_export_run_on_the_compute_thread(controller, tasks, qtbot, tmp_path):
    listed = []
    tasks.taskAdded.connect(listed.append)
    dialog = ExportDialog(controller, tasks=tasks)
    qtbot.addWidget(dialog)
    dialog.show()
    # Export is pressed while the check still runs: it happens as soon as that is through.
    dialog.set_path(tmp_path / "out.json")
    with qtbot.waitSignal(controller.noticeRaised, timeout=10_000):
        click(qtbot, dialog.write)
    assert (tmp_path / "out.json").is_file()
    assert "Exporting out.json" in [task.title for task in listed]


def test_an_export_that_is_cancelled_leaves_the_file_and_no_copies(
    controller, tasks, qtbot, tmp_path, monkeypatch
):
    waits = threading.Event()

    def steps(*_args, **_options):
        yield Step("copies", 0, 2)
        waits.wait(10)
        yield Step("copies", 1, 2)

    monkeypatch.setattr(export, "export_steps", steps)
    dialog = ExportDialog(controller, tasks=tasks)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.set_path(tmp_path / "out.json")
    qtbot.waitUntil(lambda: not dialog.report.is_busy, timeout=10_000)
    click(qtbot, dialog.write)
    qtbot.waitUntil(lambda: "0 of 2" in dialog.report.text, timeout=10_000)
    dialog.reject()
    assert "Stopped" in dialog.report.text
    assert dialog.isVisible()
    waits.set()
    assert not (tmp_path / "out.json").exists()


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
    (tmp_path / "out").mkdir()
    dialog.set_path(tmp_path / "out" / "labels.json")
    assert "copied upright" in dialog.report.text
    click(qtbot, dialog.write)
    document = json.loads((tmp_path / "out" / "labels.json").read_text())
    (turned,) = [i for i in document["images"] if "upright" in i["file_name"]]
    with Image.open(tmp_path / turned["file_name"]) as copy:
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


def test_a_look_on_the_compute_thread_ends_in_the_same_import(controller, tasks, qtbot, sample):
    dialog = ImportDialog(controller, sample / "cats" / "coco.json", tasks=tasks)
    qtbot.addWidget(dialog)
    dialog.show()
    click(qtbot, dialog.take)
    qtbot.waitUntil(lambda: len(controller.project.annotations) == 5, timeout=10_000)
    assert not dialog.isVisible()


def test_an_edit_in_between_is_taken_into_account(controller, qtbot, sample):
    dialog = ImportDialog(controller, sample / "cats" / "coco.json")
    qtbot.addWidget(dialog)
    dialog.show()
    (annotation,) = controller.project.annotations
    controller.perform(RemoveAnnotations((annotation,)))
    qtbot.waitUntil(lambda: "5 annotations" in dialog.report.text, timeout=10_000)
    click(qtbot, dialog.take)
    assert len(controller.project.annotations) == 5


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
