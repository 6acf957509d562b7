import cv2
import numpy as np
import pytest
from PIL import Image

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.catalogue import open_dataset
from fmstudio.evaluation.dense_benchmark import evaluate_dense
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.io.flow import write_flow

SHIFT = (8, -4)


def write_pair(root, name="pair", *, mirrored=False, group="JODS"):
    """Write a pair whose second image is the first one moved by ``SHIFT``; return its folder."""
    folder = root / "TSS_CVPR2016" / group / name
    folder.mkdir(parents=True)
    (root / "TSS_CVPR2016" / "FG3DCar").mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    first = cv2.resize(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), (160, 120))
    second = np.roll(first, SHIFT[::-1], axis=(0, 1))
    mask = np.zeros((120, 160), dtype=np.uint8)
    mask[30:90, 40:120] = 255
    there = np.broadcast_to(np.array(SHIFT, np.float32), (120, 160, 2)).copy()
    there[30:40, 40:50] = np.nan
    # Flow counts from the image itself to the other one as it is shown: mirrored, if it is.
    shown = second[:, ::-1] if mirrored else second
    Image.fromarray(first).save(folder / "image1.png")
    Image.fromarray(np.ascontiguousarray(shown)).save(folder / "image2.png")
    moved = np.roll(mask, SHIFT[::-1], axis=(0, 1))
    Image.fromarray(mask).save(folder / "mask1.png")
    Image.fromarray(np.ascontiguousarray(moved[:, ::-1] if mirrored else moved)).save(
        folder / "mask2.png"
    )
    write_flow(folder / "flow1.flo", there)
    write_flow(folder / "flow2.flo", -np.nan_to_num(there))
    (folder / "flip_gt.txt").write_text("1\n" if mirrored else "0\n")
    return folder


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_flow_leads_to_the_other_image_as_it_is_shown(tmp_path, mirrored):
    write_pair(tmp_path, mirrored=mirrored)
    found = open_dataset("tss", tmp_path)
    assert len(found) == 2
    pair = next(iter(found.pairs()))
    assert (pair.kind, pair.name) == ("JODS", "pair 2 to 1")
    xy, valid = pair.truth(PatchGrid(ImageSize(160, 120), 12, 16))
    here = PatchGrid(ImageSize(160, 120), 12, 16).centers()
    assert np.array_equal(xy[valid] - here[valid], np.broadcast_to(SHIFT, xy[valid].shape))
    a, b = here[valid].astype(int), xy[valid].astype(int)
    assert np.array_equal(pair.target[a[:, 1], a[:, 0]], pair.source[b[:, 1], b[:, 0]])
    # Within the mask, less the corner whose flow is not known.
    assert valid.sum() == 6 * 8 - 1
    assert pair.object_side == 80


def test_both_lengths_are_judged(tmp_path, matcher):
    write_pair(tmp_path)
    found = open_dataset("tss", tmp_path)
    report = evaluate_dense(found.pairs(), 2, methods=["identity"], analyser=matcher)
    first, _ = report.scores["JODS"]["identity"]
    # 8.9 pixels are more than 0.05 of 160 (8) and of 80 (4).
    assert (first.pck05, first.pck05_box) == (0, 0)
    assert first.pck1 == 1


def test_a_set_that_is_not_there_is_described(tmp_path):
    with pytest.raises(DatasetError, match=r"TSS is not in .*taniai"):
        open_dataset("tss", tmp_path)


@pytest.mark.parametrize("name", ["image2.png", "flow1.flo", "mask1.png", "flip_gt.txt"])
def test_a_missing_file_is_named(tmp_path, name):
    (write_pair(tmp_path) / name).unlink()
    with pytest.raises(DatasetError, match=name):
        list(open_dataset("tss", tmp_path).pairs())


def test_damaged_files_are_named(tmp_path):
    folder = write_pair(tmp_path)
    (folder / "flow2.flo").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"flow2\.flo"):
        list(open_dataset("tss", tmp_path).pairs())
    write_flow(folder / "flow2.flo", np.zeros((3, 4, 2)))
    with pytest.raises(DatasetError, match="4 x 3 pixels"):
        list(open_dataset("tss", tmp_path).pairs())
