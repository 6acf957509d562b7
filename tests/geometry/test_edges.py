import cv2
import numpy as np

from fmstudio.geometry.edges import snap_to_edges


def photo(seed=0):
    """Return a noisy disc on another colour, and the disc."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:160, :200]
    disc = (x - 90) ** 2 + (y - 80) ** 2 < 50**2
    rgb = np.where(disc[..., None], [180, 90, 60], [70, 120, 90])
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8), disc


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_a_blurred_guess_is_drawn_to_the_edge():
    rgb, disc = photo()
    # As patches see it: too small, moved a little, and soft.
    guess = np.roll(cv2.erode(disc.astype(np.uint8), np.ones((17, 17))), (4, 4), axis=(0, 1))
    soft = 0.3 + 0.6 * cv2.GaussianBlur(guess.astype(np.float32), (0, 0), 12)
    soft[:20] = soft[-10:] = 0.0
    found = snap_to_edges(rgb, soft)
    assert iou(found, disc) > 0.95
    assert iou(soft > 0.45, disc) < 0.85


def test_equal_images_give_equal_masks():
    rgb, disc = photo()
    soft = cv2.GaussianBlur(disc.astype(np.float32), (0, 0), 8)
    first = snap_to_edges(rgb, soft)
    cv2.setRNGSeed(99)
    assert np.array_equal(snap_to_edges(rgb, soft), first)


def test_nothing_to_learn_from_leaves_the_guess():
    rgb, _ = photo()
    for value in (0.0, 0.1, 1.0):
        found = snap_to_edges(rgb, np.full((160, 200), value, dtype=np.float32))
        assert found.all() == (value > 0.45)
        assert found.any() == (value > 0.45)


def test_what_is_sure_keeps_its_side():
    rgb, disc = photo()
    soft = np.where(disc, 0.6, 0.3).astype(np.float32)
    soft[10:20, 10:20] = 0.95
    soft[75:85, 85:95] = 0.05
    found = snap_to_edges(rgb, soft)
    assert found[10:20, 10:20].all()
    assert not found[75:85, 85:95].any()
