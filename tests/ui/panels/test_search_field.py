import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLineEdit

from fmstudio.ui import theme
from fmstudio.ui.panels.search_field import SearchField


@pytest.fixture
def field(qtbot, qapp):
    theme.apply(qapp, "light")
    field = SearchField()
    qtbot.addWidget(field)
    with qtbot.waitActive(field):
        field.show()
    field.setFocus()
    return field


def line(field):
    return field.findChild(QLineEdit)


def test_it_asks_once_when_the_person_pauses(field, qtbot):
    asked = []
    field.queryChanged.connect(asked.append)
    with qtbot.waitSignal(field.queryChanged):
        qtbot.keyClicks(line(field), "status:none lion")
    assert [len(query.tests) for query in asked] == [2]
    assert field.text == "status:none lion"


def test_enter_asks_at_once(field, qtbot):
    qtbot.keyClicks(line(field), "lion")
    with qtbot.waitSignal(field.queryChanged, timeout=100):
        qtbot.keyClick(line(field), Qt.Key.Key_Return)


def test_a_word_that_is_being_typed_is_no_fault_yet(field, qtbot):
    qtbot.keyClicks(line(field), "score:")
    field._ask()
    assert field.fault == ""
    qtbot.waitUntil(lambda: field.fault != "")
    assert field.fault == "'score:' has no value: write something like score:<0.6."
    with qtbot.waitSignal(field.queryChanged):
        qtbot.keyClicks(line(field), "<0.5")
    assert field.fault == ""


def test_a_fault_is_of_the_scheme_s_colour_also_when_that_changes(field, qapp):
    field.set_text("status:done")
    for scheme in ("dark", "light"):
        theme.apply(qapp, scheme)
        color = field._fault.palette().color(QPalette.ColorRole.WindowText)
        assert color == theme.tokens().error


def test_escape_empties_the_line_then_steps_back(field, qtbot):
    qtbot.keyClicks(line(field), "lion")
    with qtbot.waitSignal(field.queryChanged) as asked:
        qtbot.keyClick(line(field), Qt.Key.Key_Escape)
    assert field.text == ""
    assert asked.args[0].tests == ()


def test_down_goes_on_to_the_list(field, qtbot):
    with qtbot.waitSignal(field.leftDownwards):
        qtbot.keyClick(line(field), Qt.Key.Key_Down)


def test_the_glass_leads_into_the_line(field, qtbot):
    line(field).clearFocus()
    (glass,) = (a for a in line(field).actions() if a.text() == "Search")
    glass.trigger()
    assert line(field).hasFocus()


def completions(field, text):
    completer = field._words
    completer.setCompletionPrefix(text)
    model = completer.completionModel()
    return [completer.pathFromIndex(model.index(row, 0)) for row in range(model.rowCount())]


def test_only_the_last_word_is_completed(field):
    field.set_categories(["cat face", "cow"])
    line(field).setText("name:*.jpg -status:p")
    assert completions(field, line(field).text()) == [
        "name:*.jpg -status:proposed",
        "name:*.jpg -status:partly",
    ]
    line(field).setText("cat")
    assert completions(field, "cat") == ["category:", 'category:"cat face"', "category:cow"]


def test_an_offered_word_is_taken_by_keyboard(field, qtbot):
    qtbot.keyClicks(line(field), "lion status:acc")
    popup = field._words.popup()
    qtbot.waitUntil(popup.isVisible)
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert field.text == "lion status:accepted"


def test_what_is_forgotten_is_not_asked(field, qtbot):
    qtbot.keyClicks(line(field), "lion")
    with qtbot.assertNotEmitted(field.queryChanged, wait=300):
        field.forget()
    assert field.text == ""
