"""Small real copies of published sets: encoded photos, MATLAB, JSON and CSV files."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

WIDTH, HEIGHT = 60, 40


def write_photo(path, width=WIDTH, height=HEIGHT):
    """Write a photo of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if path.suffix == ".png":
        Image.fromarray(rgb).save(path)
    else:
        assert cv2.imwrite(str(path), rgb)


class SPairWriter:
    """Writes a SPair-71k as its archive unpacks."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "SPair-71k"

    def image(self, category, name, points, *, corners=(5, 4, 45, 24), values=None):
        write_photo(self.folder / "JPEGImages" / category / f"{name}.jpg")
        kps = {str(i): list(points[i]) if i in points else None for i in range(30)}
        self.annotation(
            category,
            name,
            {
                "filename": f"{name}.jpg",
                "image_width": WIDTH,
                "image_height": HEIGHT,
                "category": category,
                "bndbox": list(corners),
                "kps": kps,
            },
        )
        if values is not None:
            path = self.folder / "Segmentation" / category / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(values)
            if picture.mode == "L":
                picture.putpalette([0] * 768)
            picture.save(path)

    def annotation(self, category, name, record):
        path = self.folder / "ImageAnnotation" / category / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record if isinstance(record, str) else json.dumps(record))

    def layout(self, split, *lines):
        path = self.folder / "Layout" / "large" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))


class PascalWriter:
    """Writes a PF-PASCAL as its archive unpacks, with a list of pairs in it."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "PF-dataset-PASCAL"

    def image(self, name, class_name, kps, bbox=(5, 4, 45, 24)):
        write_photo(self.folder / "JPEGImages" / f"{name}.jpg")
        path = self.folder / "Annotations" / class_name / f"{name}.mat"
        path.parent.mkdir(parents=True, exist_ok=True)
        box = np.array([bbox], dtype=np.uint8)
        savemat(path, {"kps": np.array(kps, dtype=float), "bbox": box, "class": class_name})

    def pairs(self, *rows, name="test_pairs.csv", header="source_image,target_image,class"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *rows]) + "\n")


class WillowWriter:
    """Writes a PF-WILLOW as its archive unpacks, with its list of pairs."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "PF-dataset"
        axes = [f"{axis}{i}" for axis in ("XA", "YA", "XB", "YB") for i in range(1, 11)]
        self.rows = [",".join(["imageA", "imageB", *axes])]

    def image(self, place):
        write_photo(self.folder / place)

    def pair(self, source, target, xy_s, xy_t):
        numbers = [str(v) for xy in (xy_s, xy_t) for column in np.array(xy).T for v in column]
        self.rows.append(",".join([source, target, *numbers]))

    def close(self, name="test_pairs.csv"):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text("\n".join(self.rows) + "\n")


class AnimalWriter:
    """Writes an AP-10K as its archive unpacks."""

    def __init__(self, root):
        self.root = root
        self.folder = root / "ap-10k"
        self.coco = {
            "info": {},
            "licenses": [],
            "images": [],
            "annotations": [],
            "categories": [
                {"id": 3, "name": "zebra", "supercategory": "Equidae"},
                {"id": 5, "name": "horse", "supercategory": "Equidae"},
            ],
        }

    def image(self, image_id):
        name = f"{image_id:012d}.jpg"
        write_photo(self.folder / "data" / name)
        self.coco["images"].append(
            {"id": image_id, "file_name": name, "width": WIDTH, "height": HEIGHT, "background": 1}
        )

    def animal(self, annotation_id, image_id, labelled, *, category_id=3, bbox=(5, 4, 40, 20)):
        points = [[10 + i, 5 + i, 2] if i < labelled else [0, 0, 0] for i in range(17)]
        self.coco["annotations"].append(
            {
                "id": annotation_id,
                "image_id": image_id,
                "category_id": category_id,
                "bbox": list(bbox),
                "iscrowd": 0,
                "num_keypoints": labelled,
                "keypoints": [v for point in points for v in point],
            }
        )

    def close(self, part="test", number=1):
        path = self.folder / "annotations" / f"ap10k-{part}-split{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.coco))


@pytest.fixture
def spair(tmp_path):
    """Return a SPair-71k of two cats, a third cat for training, and two dogs."""
    made = SPairWriter(tmp_path / "data")
    made.image("cat", "2008_000002", {0: (10, 12), 3: (40, 20)})
    made.image("cat", "2008_000001", {0: (11, 13), 1: (30, 31)})
    made.image("cat", "2008_000003", {0: (11, 13)})
    made.image("dog", "2009_000001", {2: (8, 9)}, corners=(0, 0, 10, 30))
    made.image("dog", "2009_000002", {2: (9, 9)})
    made.layout(
        "test",
        "000001-2008_000002-2008_000001:cat",
        "000002-2009_000001-2009_000002:dog",
        "000003-2008_000001-2008_000002:cat",
    )
    made.layout("trn", "000001-2008_000003-2008_000001:cat")
    return made


@pytest.fixture
def pascal(tmp_path):
    """Return a PF-PASCAL of two cats and two dogs."""
    made = PascalWriter(tmp_path / "data")
    made.image("2008_2", "cat", [[10, 12], [np.nan, np.nan], [40, 20]])
    made.image("2008_1", "cat", [[11, 13], [30, 31], [41, 20]])
    made.image("2009_1", "dog", [[8, 9]])
    made.image("2009_2", "dog", [[9, 9], [20, 20]])
    made.pairs(
        "PF-dataset-PASCAL/JPEGImages/2008_2.jpg,PF-dataset-PASCAL/JPEGImages/2008_1.jpg,8",
        "PF-dataset-PASCAL/JPEGImages/2009_1.jpg,PF-dataset-PASCAL/JPEGImages/2009_2.jpg,12",
    )
    return made


@pytest.fixture
def willow(tmp_path):
    """Return a PF-WILLOW of two cars and two ducks; the list is not written yet."""
    made = WillowWriter(tmp_path / "data")
    for place in ("car(G)/a.png", "car(G)/b.png", "duck(S)/c.png", "duck(S)/d.png"):
        made.image(place)
    return made


@pytest.fixture
def animals(tmp_path):
    """Return an AP-10K of two zebras and a horse; the file is not written yet."""
    made = AnimalWriter(tmp_path / "data")
    for image_id in (7, 3, 9):
        made.image(image_id)
    made.animal(1, 7, 17)
    made.animal(2, 3, 3)
    made.animal(3, 9, 10, category_id=5)
    return made
