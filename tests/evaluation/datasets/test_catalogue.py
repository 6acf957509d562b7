"""Published sets are opened by name; what is missing is said with where to get it."""

import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.catalogue import DATASETS, open_dataset

KEYPOINT_SETS = ("spair-71k", "pf-pascal", "pf-willow", "ap-10k")


def test_the_published_keypoint_sets_are_there_under_their_names():
    assert set(KEYPOINT_SETS) <= set(DATASETS)
    assert all(info.name == name for name, info in DATASETS.items())
    assert all("test" in DATASETS[name].splits for name in KEYPOINT_SETS)


def test_a_set_is_opened_by_its_name(spair, animals):
    animals.close()
    assert [s.name for s in open_dataset("spair-71k", spair.root)] == ["cat", "dog"]
    assert [s.name for s in open_dataset("spair-71k", spair.root, "trn")] == ["cat"]
    assert [s.name for s in open_dataset("ap-10k", animals.root)] == ["horse", "zebra"]


def test_the_proposal_flow_sets_are_opened_by_their_names(pascal, willow):
    points = [[i, i] for i in range(10)]
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", points, points)
    willow.close()
    assert [s.name for s in open_dataset("pf-pascal", pascal.root)] == ["cat", "dog"]
    assert [s.name for s in open_dataset("pf-willow", willow.root)] == ["car(G)"]


@pytest.mark.parametrize("name", KEYPOINT_SETS)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_set_that_is_not_there_comes_with_where_to_get_it(tmp_path, name, is_there):
    root = tmp_path / "data"
    if is_there:
        root.mkdir()
    with pytest.raises(DatasetError) as caught:
        open_dataset(name, root)
    info = DATASETS[name]
    for told in (str(root), info.title, info.size, info.licence, info.homepage, info.layout):
        assert told in str(caught.value)


def test_an_unknown_set(tmp_path):
    with pytest.raises(DatasetError, match=r'no data set "spair"; choose among spair-71k, pf-'):
        open_dataset("spair", tmp_path)


def test_an_unknown_split(spair):
    with pytest.raises(DatasetError, match='SPair-71k has no split "train"; choose among trn, val'):
        open_dataset("spair-71k", spair.root, "train")


def test_a_fault_inside_a_set_is_no_missing_set(spair):
    (spair.folder / "JPEGImages" / "cat" / "2008_000001.jpg").unlink()
    with pytest.raises(DatasetError, match="this file is missing") as caught:
        open_dataset("spair-71k", spair.root)
    assert "downloads no data set" not in str(caught.value)
