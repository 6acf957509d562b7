import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.project.doubt import Reason
from fmstudio.project.model import ImageItem, ImageState
from fmstudio.ui.canvas.header import CanvasHeader, StateMark
from fmstudio.ui.reasons import reason_tip

LONG = ImageItem(1, f"photos/{'field-camera-' * 20}001.jpg", ImageSize(3, 2), "hash")


@pytest.fixture
def header(qtbot):
    header = CanvasHeader("target")
    qtbot.addWidget(header)
    header.resize(600, 28)
    header.show()
    return header


def test_it_names_role_file_state_and_zoom(header):
    header.show_image(LONG, ImageState.PARTLY_REVIEWED, has_proposals=True)
    header.show_zoom(0.5)
    for part in ("TARGET", LONG.file_name, "partly reviewed", "50\u202f%"):
        assert part in header.text
    header.show_image(None, ImageState.NONE, has_proposals=False)
    header.show_zoom(None)
    assert header.text == "TARGET"


def test_a_long_name_is_elided_and_takes_no_room_from_the_rest(header):
    header.show_image(LONG, ImageState.ACCEPTED, has_proposals=False)
    assert header.minimumSizeHint().width() < 400
    assert header._name.width() < header._name.fontMetrics().horizontalAdvance(LONG.file_name)
    assert header._name.toolTip() == LONG.path


@pytest.mark.parametrize(("width", "has_proposals", "is_shown"), [
    (600, True, True), (600, False, False), (300, True, False),
])  # fmt: skip
def test_the_legend_is_shown_where_it_says_something(header, width, has_proposals, is_shown):
    header.resize(width, 28)
    header.show_image(LONG, ImageState.PROPOSED, has_proposals=has_proposals)
    assert header.legend.isVisible() is is_shown


def test_the_legend_names_what_the_colours_stand_for(header):
    header.show_image(LONG, ImageState.PROPOSED, has_proposals=True)
    plain = header.legend.accessibleName()
    widths = [header.legend.width()]
    for reason in Reason:
        header.show_coloring(reason)
        assert header.legend.accessibleName() == reason_tip(reason)
        widths.append(header.legend.width())
    assert max(widths) < 240
    header.show_coloring(None)
    assert header.legend.accessibleName() == plain


def test_a_narrow_header_keeps_the_name_and_the_mark(header, qtbot):
    header.show_image(LONG, ImageState.PROPOSED, has_proposals=True)
    header.resize(200, 28)
    assert not header._state.isVisible()
    assert header._mark.isVisible()
    assert header._mark.toolTip() == "proposed"
    qtbot.waitUntil(lambda: header._name.width() > 60)


def test_the_focus_is_seen(header):
    before = header.grab().toImage().pixelColor(300, 27)
    header.set_focused(True)
    assert header.grab().toImage().pixelColor(300, 27) != before


def test_every_state_has_its_own_shape(qtbot):
    mark = StateMark()
    qtbot.addWidget(mark)
    shapes = set()
    for state in ImageState:
        mark.set_state(state)
        image = mark.grab().toImage()
        behind = mark.palette().window().color()
        shapes.add(
            tuple(
                abs(image.pixelColor(x, y).lightness() - behind.lightness()) > 30
                for x in range(12)
                for y in range(12)
            )
        )
    # None and proposed are told apart by the word beside them.
    assert len(shapes) >= len(ImageState) - 1
