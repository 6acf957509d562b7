import json

import pytest

from fmstudio.errors import FormatError
from fmstudio.project.edits import AddCategory, apply
from fmstudio.project.model import Project
from fmstudio.project.templates import parse_template
from fmstudio.resources import resource

FILES = sorted(resource("templates").glob("*.json"))


def read(name):
    return parse_template((resource("templates") / name).read_text(encoding="utf-8"))


def test_the_four_templates_are_there():
    assert [path.name for path in FILES] == [
        "face_5.json",
        "human_17.json",
        "insect_wing_12.json",
        "quadruped_20.json",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_template_is_a_category_that_a_project_takes(path):
    template = parse_template(path.read_text(encoding="utf-8"))
    m = int(path.stem.rpartition("_")[2])
    assert len(template.category.keypoints) == len(template.layout) == m
    assert len(template.category.sigmas) == m
    assert template.title.endswith(f"{m} keypoints")
    assert template.about.endswith(".")
    project = apply(Project.build("p"), AddCategory(template.category))
    assert project.categories[1].keypoints == template.category.keypoints


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_keypoint_is_joined_and_has_a_place_of_its_own(path):
    template = parse_template(path.read_text(encoding="utf-8"))
    joined = {i for pair in template.category.skeleton for i in pair}
    assert joined == set(range(len(template.layout)))
    assert len(set(template.layout)) == len(template.layout)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_flip_pairs_hold_every_name_with_a_side_and_no_other(path):
    category = parse_template(path.read_text(encoding="utf-8")).category
    paired = {i for pair in category.flip_pairs for i in pair}
    sided = {i for i, name in enumerate(category.keypoints) if name.startswith(("left", "right"))}
    assert paired == sided
    for a, b in category.flip_pairs:
        assert category.keypoints[a].replace("left", "right") == category.keypoints[b]


def test_the_human_is_the_published_one():
    """Against pycocotools, which carries the numbers of COCO's evaluation."""
    from pycocotools.cocoeval import Params

    human = read("human_17.json")
    assert human.category.sigmas == pytest.approx(Params("keypoints").kpt_oks_sigmas)
    assert human.category.keypoints[:3] == ("nose", "left_eye", "right_eye")
    # cocodataset.org, person_keypoints_val2017.json, less one.
    assert human.category.skeleton[0] == (15, 13)
    assert human.category.skeleton[-1] == (4, 6)
    assert len(human.category.skeleton) == 19


def test_a_broken_template_is_refused():
    text = (resource("templates") / "face_5.json").read_text(encoding="utf-8")
    raw = json.loads(text)
    raw["skeleton"].append(["nose", "chin"])
    with pytest.raises(FormatError, match="chin"):
        parse_template(json.dumps(raw))
    raw = json.loads(text)
    raw["keypoints"][0]["at"] = [0.5, 1.5]
    with pytest.raises(FormatError, match=r"1\.5"):
        parse_template(json.dumps(raw))
    with pytest.raises(FormatError, match="cannot be read"):
        parse_template("[")
