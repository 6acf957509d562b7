"""Names that look like HTML stay names, wherever the window shows them."""

import shutil
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QSettings, Qt
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget

from fmstudio.project.edits import AddCategory, LandProposals
from fmstudio.project.model import Category, Propagated, Status
from fmstudio.ui.plain import PlainLabel, plain_tip
from fmstudio.ui.studio import Studio

HOSTILE = "<img src='file:///dev/zero'><b>bold</b> & co"
MARK = "<b>bold"


@pytest.fixture
def studio(qtbot, qapp, tmp_path, make_session):
    """Return a window over a project whose names are all HTML."""
    session = make_session()
    project, folder = session.project, session.path.parent
    (drawn,) = project.annotations.values()
    keypoints = tuple(f"{HOSTILE} {n}" for n in range(len(drawn.keypoints)))
    session.perform(AddCategory(Category(0, HOSTILE, HOSTILE, keypoints=keypoints)))
    hostile = max(session.project.categories)
    photo = folder / "<b>bold &amp;.jpg"
    shutil.copy(next((folder / "cats-photos").glob("*.jpg")), photo)
    photo.write_bytes(photo.read_bytes() + b"another")
    (id_,) = session.add_images([photo]).added
    guess = replace(
        drawn, id=0, image_id=id_, category_id=hostile, mask=None, status=Status.PROPOSED,
        provenance=Propagated((drawn.id,), "k"), confidence=0.4,
    )  # fmt: skip
    session.perform(LandProposals((guess,)))
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    studio = Studio(settings, tmp_path / "data")
    qtbot.addWidget(studio.window)
    studio.window.show()
    studio.controller.set_session(session)
    studio.controller.show_target(id_)
    studio.controller.select(max(session.project.annotations), 1)
    studio.controller.notify(f"{HOSTILE} was not read.")
    yield studio
    studio.window.close()
    assert studio.shut_down()


def tips_of(model):
    """Yield the tool tips of a model's rows."""
    for row in range(model.rowCount(QModelIndex())):
        yield model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_labels_show_them_as_they_are(studio):
    shown = [label for label in studio.window.findChildren(QLabel) if MARK in label.text()]
    assert shown, "a name is in some label"
    assert {label.textFormat() for label in shown} == {Qt.TextFormat.PlainText}


def test_tool_tips_show_them_as_they_are(studio):
    tips = [widget.toolTip() for widget in studio.window.findChildren(QWidget)]
    for view in studio.window.findChildren(QAbstractItemView):
        if view.model() is not None:
            tips += [tip for tip in tips_of(view.model()) if isinstance(tip, str)]
    named = [tip for tip in tips if "bold" in tip]
    assert len(named) >= 4
    assert not [tip for tip in named if MARK in tip]


def test_a_tip_is_escaped_only_where_it_has_to_be():
    assert plain_tip("left eye\nno doubt") == "left eye\nno doubt"
    assert plain_tip("a<b>\n&") == "<qt>a&lt;b&gt;<br>&amp;</qt>"


def test_a_plain_label_takes_what_a_label_takes(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    label = PlainLabel(HOSTILE, parent)
    assert label.text() == HOSTILE
    assert label.parent() is parent
    assert PlainLabel().textFormat() == Qt.TextFormat.PlainText
