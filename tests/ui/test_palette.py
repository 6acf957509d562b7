"""The command palette: letters find commands, keys choose, Enter gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from fmstudio.ui.actions import ActionTable
from fmstudio.ui.controller import Controller
from fmstudio.ui.palette import Command, CommandPalette, commands_of, fuzzy


def test_letters_in_order_are_found_and_others_not():
    assert fuzzy("prp", "Propagate") is not None
    assert fuzzy("gp", "Propagate") is None
    assert fuzzy("", "Propagate") is not None


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("of", "Open a folder", "Zoom to fit"),
        ("exp", "Export COCO", "Next paper"),
        ("acc", "Accept", "Back to place"),
        ("fit", "Fit", "Fix it"),
    ],
)
def test_beginnings_of_words_and_runs_count_most(query, better, worse):
    good, bad = fuzzy(query, better), fuzzy(query, worse)
    assert good is not None
    assert bad is None or good[0] > bad[0]


@given(st.text("abc AB", max_size=6), st.text("abcd AB", max_size=12))
def test_what_is_found_spells_the_query(query, text):
    letters = [letter for letter in query.lower() if letter != " "]
    found = fuzzy(query, text)
    if found is None:
        rest = iter(text.lower())
        assert not all(letter in rest for letter in letters)
    else:
        assert [text.lower()[place] for place in found[1]] == letters
        assert list(found[1]) == sorted(set(found[1]))


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    return window


def test_typing_and_enter_give_a_command(qtbot, window):
    told = []
    commands = [
        Command("Open a folder", lambda: told.append("folder")),
        Command("Fit", lambda: told.append("fit"), is_enabled=False),
        Command("Export", lambda: told.append("export")),
    ]
    palette = CommandPalette(lambda: commands, window)
    palette.open()
    field = palette.focusProxy() or palette.findChild(type(palette._field))
    qtbot.keyClicks(field, "fit")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told == []  # it cannot be given now
    assert palette.isVisible()
    field.clear()
    qtbot.keyClick(field, Qt.Key.Key_Up)  # round to the last
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told == ["export"]
    assert not palette.isVisible()


def test_escape_closes_it_and_it_opens_afresh(qtbot, window):
    palette = CommandPalette(lambda: [Command("Fit", lambda: None)], window)
    palette.open()
    qtbot.keyClicks(palette._field, "zzz")
    assert palette._nothing.isVisible()
    qtbot.keyClick(palette._field, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    palette.open()
    assert palette._field.text() == ""
    assert not palette._nothing.isVisible()
    palette.close()


def test_it_lists_the_window_s_commands_with_their_keys(qapp):
    table = ActionTable(Controller())
    commands = commands_of(table)
    folder = next(c for c in commands if c.text.startswith("Open a folder"))
    assert folder.keys == "Ctrl+O"
    assert folder.is_enabled
    ables = [command.is_enabled for command in commands]
    assert ables == sorted(ables, reverse=True)
    told = []
    table["open-folder"].triggered.connect(lambda: told.append(1))
    folder.run()
    assert told == [1]
