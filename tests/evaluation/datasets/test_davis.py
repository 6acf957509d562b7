import json

import numpy as np
import pytest
from PIL import Image

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import Cancelled, DatasetError
from fmstudio.evaluation.datasets.catalogue import open_dataset
from fmstudio.evaluation.video_benchmark import evaluate_videos

CELL = 16


def write_sequence(root, name="walk", frames=4, *, split="val"):
    """Write a video of a mosaic that moves right by a cell a frame, with two objects."""
    folder = root / "DAVIS"
    listed = folder / "ImageSets" / "2017" / f"{split}.txt"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text((listed.read_text() if listed.exists() else "") + f"{name}\n")
    cells = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    numbers = np.zeros((8, 10), dtype=np.uint8)
    numbers[1:5, 0:4], numbers[5:8, 4:6] = 1, 2
    for frame in range(frames):
        paths = [
            folder / kind / "480p" / name / f"{frame:05}{ending}"
            for kind, ending in (("JPEGImages", ".jpg"), ("Annotations", ".png"))
        ]
        for path, array in zip(paths, (cells, numbers), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            large = np.roll(array, frame, axis=1).repeat(CELL, axis=0).repeat(CELL, axis=1)
            picture = Image.fromarray(large)
            if path.suffix == ".png":
                picture = picture.convert("P")
                picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
                picture.putdata(large.ravel())
            picture.save(path, **({"quality": 97} if path.suffix == ".jpg" else {}))
    return folder


def test_the_numbers_are_the_palettes_indices(tmp_path):
    write_sequence(tmp_path)
    (sequence,) = open_dataset("davis-2017", tmp_path)
    objects = sequence.objects(0)
    assert sorted(np.unique(objects)) == [0, 1, 2]
    assert objects[2 * CELL, 0] == 1
    assert list(sequence.judged) == [1, 2]


def test_objects_are_followed_and_the_last_frame_is_not_judged(tmp_path, matcher):
    folder = write_sequence(tmp_path)
    # A wrong truth in the last frame changes nothing.
    blank = Image.fromarray(np.zeros((8 * CELL, 10 * CELL), dtype=np.uint8))
    blank.save(folder / "Annotations" / "480p" / "walk" / "00003.png")
    seen = []
    report = evaluate_videos(
        open_dataset("davis-2017", tmp_path),
        methods=["identity", "nn"],
        analyser=matcher,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert [(s.sequence, s.number) for s in report.scores["nn"]] == [("walk", 1), ("walk", 2)]
    followed, copied = report.mean("nn"), report.mean("identity")
    assert followed["J"] > 0.75
    assert followed["J"] > copied["J"] + 0.2
    assert followed["J&F"] == pytest.approx((followed["J"] + followed["F"]) / 2)
    # Moved by one and by two of four cells: 3 of 5 and 2 of 6; of two: 1 of 3 and nothing.
    assert [s.j for s in report.scores["identity"]] == pytest.approx([(3 / 5 + 2 / 6) / 2, 1 / 6])
    assert json.loads(report.to_json())["mean"]["nn"] == followed
    assert "J&F, %" in report.to_markdown()


def test_a_cancel_ends_it(tmp_path, matcher):
    write_sequence(tmp_path)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        evaluate_videos(
            open_dataset("davis-2017", tmp_path), methods=["nn"], analyser=matcher, token=token
        )


def test_a_set_that_is_not_there_is_described(tmp_path):
    with pytest.raises(DatasetError, match=r"DAVIS-2017 is not in .*davischallenge"):
        open_dataset("davis-2017", tmp_path)


def test_faults_are_named(tmp_path, matcher):
    folder = write_sequence(tmp_path)
    (folder / "Annotations" / "480p" / "walk" / "00002.png").unlink()
    with pytest.raises(DatasetError, match=r"00002\.png"):
        open_dataset("davis-2017", tmp_path)
    folder = write_sequence(tmp_path / "short", frames=2)
    with pytest.raises(DatasetError, match="2 frames are too few"):
        open_dataset("davis-2017", tmp_path / "short")
    folder = write_sequence(tmp_path / "large")
    small = Image.fromarray(np.zeros((5, 5), dtype=np.uint8))
    small.save(folder / "Annotations" / "480p" / "walk" / "00001.png")
    with pytest.raises(DatasetError, match="its annotation 5 x 5"):
        evaluate_videos(
            open_dataset("davis-2017", tmp_path / "large"), methods=["nn"], analyser=matcher
        )
    (folder / "Annotations" / "480p" / "walk" / "00001.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"00001\.png.*cannot be read"):
        open_dataset("davis-2017", tmp_path / "large")[0].objects(1)
    (folder / "ImageSets" / "2017" / "val.txt").write_text("../walk\n")
    with pytest.raises(DatasetError, match="leads out"):
        open_dataset("davis-2017", tmp_path / "large")
