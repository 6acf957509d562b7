"""Schemas of COCO files; imports and exports are tested through the session."""

import json

import pytest

from fmstudio.errors import FormatError
from fmstudio.session_coco import read_schemas


@pytest.fixture
def write(tmp_path):
    def written(document):
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return written


def test_schemas_are_read_whatever_else_the_file_holds(write):
    categories = [
        {"id": 7, "name": "cat", "keypoints": ["a", "b"], "skeleton": [[1, 2]]},
        {"id": 9, "name": "rock"},
    ]
    broken = {"categories": categories, "images": "none", "annotations": [{"id": 0}]}
    cat, rock = read_schemas(write(broken))
    assert (cat.name, cat.keypoints, cat.skeleton) == ("cat", ("a", "b"), ((0, 1),))
    assert rock.keypoints == ()


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"images": []}, "has no categories"),
        ([1, 2], "has no categories"),
        ({"categories": []}, "has no categories"),
        ({"categories": [{"id": 1}]}, r"categories\[0\] has no name"),
        ({"categories": {"id": 1}}, "no list 'categories'"),
    ],
)
def test_a_file_without_usable_categories_is_refused(write, document, why):
    with pytest.raises(FormatError, match=why):
        read_schemas(write(document))


def test_what_is_no_json_or_not_there_is_refused(tmp_path):
    path = tmp_path / "labels.json"
    with pytest.raises(FormatError, match="There is no file"):
        read_schemas(path)
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(FormatError, match="is not JSON"):
        read_schemas(path)
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(FormatError, match="nested too deeply"):
        read_schemas(path)
