import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QTimer

from fmstudio.project.edits import RelocateImage
from fmstudio.session_thumbnails import SIDE
from fmstudio.ui.panels import thumbnails as module
from fmstudio.ui.panels.thumbnails import LANE, Thumbnails, as_pixmap


@pytest.fixture
def thumbnails(controller, service):
    return Thumbnails(controller, service)


@pytest.fixture
def images(controller):
    return controller.project.sorted_images()


def wait_idle(qtbot, thumbnails, service):
    qtbot.waitUntil(lambda: not thumbnails._timer.isActive() and not service.is_busy(LANE))


def test_one_comes_when_it_is_asked_for(thumbnails, images, qtbot):
    assert thumbnails.pixmap(images[0]) is None
    with qtbot.waitSignal(thumbnails.arrived) as arrived:
        pass
    assert arrived.args == [images[0].sha256]
    pixmap = thumbnails.pixmap(images[0])
    assert max(pixmap.width(), pixmap.height()) == SIDE


def test_those_that_are_seen_come_in_their_order(thumbnails, images, qtbot, service):
    order = []
    thumbnails.arrived.connect(order.append)
    for image in images:
        thumbnails.pixmap(image)
    wait_idle(qtbot, thumbnails, service)
    assert order == [image.sha256 for image in images]


def test_painting_again_while_they_are_made_starts_nothing_anew(thumbnails, images, qtbot, service):
    started = []
    submit = service.submit

    def counting(lane, make, **more):
        started.append(lane)
        return submit(lane, make, **more)

    service.submit = counting
    for image in images:
        thumbnails.pixmap(image)
    thumbnails._ask()
    for image in images[2:]:
        thumbnails.pixmap(image)
    thumbnails._ask()
    wait_idle(qtbot, thumbnails, service)
    assert started == [LANE]
    assert all(thumbnails.pixmap(image) for image in images)


def test_what_was_scrolled_past_makes_way(thumbnails, images, qtbot, service):
    thumbnails.pixmap(images[0])
    thumbnails._ask()
    thumbnails.pixmap(images[1])
    thumbnails._ask()
    wait_idle(qtbot, thumbnails, service)
    assert thumbnails.pixmap(images[1]) is not None
    thumbnails.pixmap(images[0])
    wait_idle(qtbot, thumbnails, service)
    assert thumbnails.pixmap(images[0]) is not None


def test_an_unreadable_file_is_told_by_a_null_pixmap_until_it_is_found(
    thumbnails, images, controller, qtbot, tmp_path
):
    session, image = controller.session, images[0]
    path = session.path_of(image)
    moved = path.with_name("moved.jpg")
    path.rename(moved)
    thumbnails.pixmap(image)
    with qtbot.waitSignal(thumbnails.arrived):
        pass
    assert thumbnails.pixmap(image).isNull()
    place = moved.relative_to(tmp_path).as_posix()
    controller.perform(RelocateImage(image.id, place, image.sha256))
    found = controller.project.images[image.id]
    assert thumbnails.pixmap(found) is None
    with qtbot.waitSignal(thumbnails.arrived):
        pass
    assert not thumbnails.pixmap(found).isNull()


def test_only_so_many_are_kept(thumbnails, images, qtbot, service, monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 3)
    for image in images:
        thumbnails.pixmap(image)
    wait_idle(qtbot, thumbnails, service)
    assert len(thumbnails._pixmaps) == 3


def test_another_project_starts_with_none(thumbnails, images, qtbot, service, controller):
    thumbnails.pixmap(images[0])
    wait_idle(qtbot, thumbnails, service)
    thumbnails.pixmap(images[1])
    controller.set_session(None)
    loop = QEventLoop()
    QTimer.singleShot(80, loop.quit)
    loop.exec()
    assert not service.is_busy(LANE)
    assert thumbnails.pixmap(images[0]) is None


def test_a_pixmap_has_the_colours_of_the_array(qapp):
    rgb = np.zeros((2, 3, 3), np.uint8)
    rgb[0, 2] = (255, 128, 7)
    image = as_pixmap(rgb).toImage()
    assert (image.width(), image.height()) == (3, 2)
    assert image.pixelColor(2, 0).getRgb()[:3] == (255, 128, 7)
