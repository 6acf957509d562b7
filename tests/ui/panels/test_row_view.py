import pytest
from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QVBoxLayout, QWidget

from fmstudio.ui.panels.row_view import RowView

ROOT = QModelIndex()


class Numbers(QAbstractListModel):
    """Many rows, and how often their number was asked for."""

    def __init__(self, rows):
        super().__init__()
        self.rows, self.asked = rows, 0

    def rowCount(self, parent=ROOT):  # noqa: N802
        self.asked += 1
        return 0 if parent.isValid() else self.rows

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        return str(index.row()) if role == Qt.ItemDataRole.DisplayRole else None

    def remove(self, row):
        self.beginRemoveRows(ROOT, row, row)
        self.rows -= 1
        self.endRemoveRows()

    def reset(self):
        self.beginResetModel()
        self.endResetModel()


@pytest.fixture
def view(qtbot):
    view = RowView(40)
    view.setModel(Numbers(100_000))
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    qtbot.addWidget(view)
    view.resize(200, 400)
    view.show()
    return view


def test_only_rows_that_are_seen_are_asked_for(view):
    model = view.model()
    view.viewport().repaint()
    model.asked = 0
    for change in (model.reset, lambda: model.remove(5), lambda: model.remove(70_000)):
        change()
        view.scrollTo(model.index(60_000))
        view.viewport().repaint()
    assert model.asked < 2000


def test_rows_are_of_one_height_and_fill_the_width(view):
    rect = view.visualRect(view.model().index(3))
    assert (rect.height(), rect.top()) == (40, 120)
    assert rect.width() == view.viewport().width()


def test_home_and_end_go_to_the_first_and_last_row(view, qtbot):
    view.setCurrentIndex(view.model().index(30))
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.currentIndex().row() == 99_999
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 0
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 1


def test_a_letter_asks_no_row_for_its_text(view, qtbot):
    view.setCurrentIndex(view.model().index(30))
    view.model().asked = 0
    qtbot.keyClick(view, Qt.Key.Key_7)
    assert view.currentIndex().row() == 30
    assert view.model().asked < 1000


def test_all_rows_are_selected_and_counted_at_once(view):
    view.selectAll()
    assert view.selected_rows() == list(range(100_000))
    view.clearSelection()
    assert view.selected_rows() == []


def test_taking_the_focus_goes_to_no_row_and_tab_leaves(qtbot):
    box = QWidget()
    field, view = QLineEdit(), RowView(40)
    view.setModel(Numbers(10))
    column = QVBoxLayout(box)
    for widget in (field, view):
        column.addWidget(widget)
    qtbot.addWidget(box)
    with qtbot.waitActive(box):
        box.show()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert view.hasFocus()
    assert not view.currentIndex().isValid()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.currentIndex().row() == 0
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    assert field.hasFocus()
