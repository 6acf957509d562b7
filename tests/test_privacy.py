"""What leaves the machine says nothing of it: no absolute path, no name of a person."""

import getpass
import json
import shutil
import socket

import pytest

from fmstudio.session import CocoOptions, Session


@pytest.fixture
def exported(tmp_path, sample, make_session):
    """Return the bytes of exports of a project whose photos lie in two places."""
    home = tmp_path / "home" / "jane-doe"
    inside, outside = home / "work" / "photos", home / "private" / "holiday"
    for folder, names in ((inside, ("siamese.jpg", "tabby.jpg")), (outside, ("persian.jpg",))):
        folder.mkdir(parents=True)
        for name in names:
            shutil.copy(sample / "cats" / "images" / name, folder)
    with Session.create(home / "work" / "cats") as session:
        session.add_images([inside, outside])
        session.import_coco(_labels(sample, tmp_path), inside)
        for name, options in (
            ("plain.json", None),
            ("from_images.json", CocoOptions(image_root=inside)),
        ):
            session.export_coco(home / "work" / name, options)
    return [path.read_bytes() for path in sorted((home / "work").glob("*.json"))]


def _labels(sample, tmp_path):
    """Return a COCO file with the labels of the first photo."""
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    first = next(i for i in document["images"] if i["file_name"] == "siamese.jpg")["id"]
    document["images"] = [i for i in document["images"] if i["id"] == first]
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] == first]
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_an_export_names_no_folder_of_this_machine(exported, tmp_path):
    assert len(exported) == 2
    person = getpass.getuser()
    for data in exported:
        document = json.loads(data)
        names = [image["file_name"] for image in document["images"]]
        assert len(names) == 3
        assert not [name for name in names if name.startswith(("/", "\\")) or ":" in name]
        said = data.decode()
        for word in (str(tmp_path), "jane-doe", socket.gethostname()):
            assert word not in said
        # A person may be called like a word: only as a part of a path is it a trace.
        assert f"/{person}/" not in said
