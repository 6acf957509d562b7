import sys

import huggingface_hub.constants
import pytest
import timm
from PySide6.QtCore import Qt
from safetensors.torch import save_file

from fmstudio.ui.dialogs.about import AboutDialog
from fmstudio.ui.dialogs.models import ModelsDialog
from fmstudio.ui.downloads import Downloads, How, command_line

# Made in no time, and published as the large ones are.
TINY = "test_vit"
FETCH = """
import sys, time
assert sys.argv[1:3] == ["models", "fetch"] and sys.argv[-1] == "--lines"
for part in range(1, 6):
    print(part * 10, 100, flush=True)
{end}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def make_dialog(service, qtbot):
    def make(downloads=None):
        dialog = ModelsDialog(service, downloads=downloads)
        qtbot.addWidget(dialog)
        dialog.show()
        # The list is there a moment before its job has ended, and until then no button is taken.
        is_ready = dialog.look_up.isEnabled
        qtbot.waitUntil(lambda: dialog.table.rowCount() > 0 and is_ready(), timeout=60_000)
        return dialog

    return make


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_models_are_listed_with_licence_and_place(make_dialog):
    dialog = make_dialog()
    dialog.table.choose("efficientnet-lite0")
    assert "Apache-2.0" in dialog.details.text()
    assert "efficientnet" in dialog.place.text()
    assert not dialog.fetch.isEnabled()
    assert not dialog.folder.isEnabled()


def test_weights_on_the_disk_can_be_verified(make_dialog, qtbot):
    dialog = make_dialog()
    dialog.table.choose("efficientnet-lite0")
    click(qtbot, dialog.check)
    qtbot.waitUntil(lambda: "is whole: SHA-256" in dialog.said.text(), timeout=20_000)


def test_a_licence_with_terms_of_its_own_has_to_be_read_first(make_dialog, qtbot):
    dialog = make_dialog()
    dialog.table.choose("dinov3-b")
    assert dialog.agree.isVisible()
    assert not dialog.fetch.isEnabled()
    dialog.agree.setChecked(True)
    assert dialog.fetch.isEnabled()
    dialog.table.choose("dinov2-s")
    assert not dialog.agree.isVisible()
    assert dialog.fetch.isEnabled()


@pytest.mark.parametrize(
    ("end", "how", "said"),
    [
        ("sys.exit('The hub cannot be reached.')", How.FAILED, "cannot be reached"),
        ("time.sleep(60)", How.STOPPED, "goes on from here"),
        ("", How.DONE, "dinov2-b is on this disk now."),
    ],
)
def test_a_download_shows_its_progress_and_how_it_ended(
    make_dialog, qtbot, qapp, tmp_path, end, how, said
):
    program = tmp_path / "fetch.py"
    program.write_text(FETCH.format(end=end))
    downloads = Downloads(program=(sys.executable, str(program)))
    dialog = make_dialog(downloads)
    dialog.table.choose("dinov2-b")
    with qtbot.waitSignal(downloads.ended, timeout=20_000) as ended:
        click(qtbot, dialog.fetch)
        if how is How.STOPPED:
            qtbot.waitUntil(lambda: dialog.bar.value() == 500, timeout=20_000)
            click(qtbot, dialog.stop)
    assert (ended.args[0].name, ended.args[0].how) == ("dinov2-b", how)
    assert said in dialog.said.text()
    assert not dialog.bar.isVisible()


def test_a_download_goes_on_when_the_dialog_is_closed(make_dialog, qtbot, tmp_path):
    program = tmp_path / "fetch.py"
    program.write_text(FETCH.format(end="time.sleep(60)"))
    downloads = Downloads(program=(sys.executable, str(program)))
    dialog = make_dialog(downloads)
    dialog.table.choose("dinov2-b")
    click(qtbot, dialog.fetch)
    dialog.close()
    assert downloads.name == "dinov2-b"
    again = make_dialog(downloads)
    qtbot.waitUntil(lambda: again.bar.value() == 500, timeout=20_000)
    assert not again.fetch.isEnabled()
    downloads.shut_down()
    assert downloads.name == ""


def test_a_program_that_is_not_there_is_said(qtbot, tmp_path):
    downloads = Downloads(program=(str(tmp_path / "nothing"),))
    with qtbot.waitSignal(downloads.ended, timeout=10_000) as ended:
        downloads.start("dinov2-s")
    assert ended.args[0].how is How.FAILED
    assert ended.args[0].text


def test_a_build_without_python_runs_itself(monkeypatch):
    assert command_line() == (sys.executable, "-m", "fmstudio")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command_line() == (sys.executable,)


def test_another_network_is_looked_up_and_its_weights_taken_from_a_folder(
    make_dialog, qtbot, tmp_path
):
    dialog = make_dialog()
    dialog.other.setText(TINY)
    click(qtbot, dialog.look_up)
    qtbot.waitUntil(lambda: dialog.table.chosen.name.startswith(f"vit:{TINY}"), timeout=30_000)
    folder = tmp_path / "stick"
    folder.mkdir()
    save_file(timm.create_model(TINY, pretrained=False).state_dict(), folder / "model.safetensors")
    dialog.take_from(folder)
    qtbot.waitUntil(lambda: "on this disk now" in dialog.said.text(), timeout=30_000)
    qtbot.waitUntil(lambda: dialog.table.chosen.path is not None, timeout=30_000)


@pytest.mark.parametrize(
    ("name", "said"), [("no_such_network", "no published weights"), ("resnet18", "Transformer")]
)
def test_what_cannot_be_looked_up_is_explained(make_dialog, qtbot, name, said):
    dialog = make_dialog()
    dialog.other.setText(name)
    click(qtbot, dialog.look_up)
    qtbot.waitUntil(lambda: said in dialog.said.text(), timeout=30_000)


def test_a_folder_without_weights_is_explained(make_dialog, qtbot, tmp_path):
    dialog = make_dialog()
    dialog.table.choose("dinov2-s")
    dialog.take_from(tmp_path)
    qtbot.waitUntil(lambda: "There are no weights" in dialog.said.text(), timeout=30_000)
    assert not dialog.bar.isVisible()


def test_about_can_be_copied(qtbot, qapp):
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    dialog.copy()
    assert "fmstudio" in qapp.clipboard().text()
