"""The one-folder build: its lists name what exists, and a built one does what it should."""

import importlib.util
import os
import plistlib
import runpy
import subprocess
import sys
import types
from pathlib import Path

import pytest
from PIL import Image

from fmstudio import __version__
from fmstudio.features.weights import PACKAGED

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
SKIPPED = 77


def test_what_is_bundled_by_name_exists(script):
    contents = script("contents")
    for name in (*contents.HIDDEN, *contents.LAZY_PACKAGES, *contents.DATA_PACKAGES):
        assert importlib.util.find_spec(name) is not None, name
    assert set(contents.WITH_SOURCES) <= set(contents.LAZY_PACKAGES)
    assert {packaged.package for packaged in PACKAGED.values()} == set(contents.DATA_PACKAGES)


def test_resources_go_where_the_program_looks_for_them(script):
    places = {(Path(source).name, folder) for source, folder in script("contents").resources()}
    assert ("fmstudio.svg", "fmstudio/_resources/icons") in places
    assert ("coco.json", "fmstudio/_resources/sample/cats") in places
    assert len(places) == len([p for p in (ROOT / "resources").rglob("*") if p.is_file()])


def test_what_the_program_runs_on_is_not_left_out(script):
    contents = script("contents")
    left = {"fmstudio", "torch", "timm", "diffusers", "transformers", "PySide6", "PIL", "numpy"}
    assert not left & set(contents.EXCLUDED)
    for place in (
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/plugins/platforms/qwindows.dll",
        "PySide6/Qt/plugins/iconengines/libqsvgicon.so",
        "PySide6/Qt/lib/libQt6Svg.so.6",
        "torch/bin/torch_shm_manager",
        "torch/lib/libtorch_cpu.so",
    ):
        assert contents.is_wanted_file(place), place
    for place in (
        "PySide6\\plugins\\platforminputcontexts\\qtvirtualkeyboardplugin.dll",
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/Qt/translations/qt_de.qm",
        "torch/bin/protoc",
    ):
        assert not contents.is_wanted_file(place), place
    assert contents.is_wanted_module("diffusers.models.unets.unet_2d_condition")
    assert not contents.is_wanted_module("diffusers.pipelines.flux")


def test_hidden_imports_are_found_where_pyinstaller_is_installed(script):
    pytest.importorskip("PyInstaller", reason="the extra 'bundle' is not installed")
    contents = script("contents")
    libraries = [Path(source).name for source, _ in contents.network_libraries()]
    assert any(name.startswith("_C") for name in libraries), "torchvision's operators"
    found = contents.hidden_imports()
    for name in (
        "diffusers.models.autoencoders.autoencoder_kl",
        "diffusers.models.unets.unet_2d_condition",
        "transformers.models.clip.modeling_clip",
        "fmstudio.engine.propagate",
        "fmstudio.ui.studio",
    ):
        assert name in found


def test_a_file_is_known_by_where_it_is_from(script, tmp_path, monkeypatch):
    origins = script("origins")
    made, library = tmp_path / "made", tmp_path / "lib" / "libz.so.1"
    entries = [
        ("numpy/core.py", importlib.util.find_spec("numpy").origin, "PYMODULE"),
        ("json/__init__.py", importlib.util.find_spec("json").origin, "PYMODULE"),
        ("fmstudio/cli.py", str(ROOT / "fmstudio" / "cli.py"), "PYMODULE"),
        ("base_library.zip", str(made / "base_library.zip"), "DATA"),
        ("libz.so.1", str(library), "BINARY"),
        ("libz.so", "libz.so.1", "SYMLINK"),
        ("pytest-9.dist-info/METADATA", importlib.util.find_spec("pytest").origin, "DATA"),
        ("namespace", "-", "PYMODULE"),
    ]
    found = origins.origins_of(entries, made)
    assert found.distributions == {"numpy", "fmstudio"}
    assert found.libraries == (str(library),)
    datas = [("numpy-2.dist-info/METADATA", "", "DATA"), ("pytest-9.dist-info/RECORD", "", "DATA")]
    assert origins.without_orphans(datas, found) == datas[:1]
    monkeypatch.setattr(origins, "builder_part", lambda: None)
    assert [p.name for p in origins.parts_of(found, ())[:2]] == ["fmstudio", "numpy"]
    stray = origins.Origins(frozenset({"fmstudio", "pytest"}), ())
    with pytest.raises(ValueError, match=r"^The bundle holds pytest, which fmstudio does not need"):
        origins.parts_of(stray, ())


class Steps:
    """Stands for PyInstaller's steps, and keeps what a spec asks of them."""

    def __init__(self):
        self.asked = []

    def step(self, name):
        def ask(*arguments, **more):
            self.asked.append((name, more))
            return types.SimpleNamespace(pure=[], binaries=[], datas=[], scripts=[])

        return ask

    def of(self, name):
        return [more for step, more in self.asked if step == name]


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_the_spec_asks_for_each_systems_programs(script, tmp_path, monkeypatch, platform):
    contents, origins, sbom = script("contents"), script("origins"), script("sbom")
    script("programs")
    hooks = types.ModuleType("PyInstaller.utils.hooks")
    hooks.copy_metadata = lambda name: []
    monkeypatch.setitem(sys.modules, "PyInstaller.utils.hooks", hooks)
    for name in ("hidden_imports", "data_files", "network_libraries"):
        monkeypatch.setattr(contents, name, list)
    monkeypatch.setattr(contents, "without_idle", list)
    monkeypatch.setattr(script("requirement_tree"), "requirement_tree", lambda **_more: [])
    monkeypatch.setattr(origins, "origins_of", lambda *_given: origins.Origins(frozenset(), ()))
    monkeypatch.setattr(origins, "parts_of", lambda *_given: [])
    monkeypatch.setattr(sbom, "write", lambda parts, folder: (folder / sbom.SBOM,))
    steps = Steps()
    names = ("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE")
    given = {name: steps.step(name) for name in names}
    given |= {"SPECPATH": str(PACKAGING), "workpath": str(tmp_path)}
    spec = PACKAGING / "fmstudio.spec"
    monkeypatch.setattr(sys, "platform", platform)
    runpy.run_path(str(spec), init_globals=given)
    monkeypatch.undo()
    made = {exe["name"]: exe for exe in steps.of("EXE")}
    if platform == "win32":
        assert {name: exe["console"] for name, exe in made.items()} == {
            "fmstudio": True,
            "fmstudio-studio": False,
        }
        assert all(Path(exe["icon"]).is_file() for exe in made.values())
        assert "fmstudio-studio.exe" in Path(made["fmstudio-studio"]["version"]).read_text("utf-8")
    else:
        assert list(made) == ["fmstudio"]
    assert len(steps.of("BUNDLE")) == (platform == "darwin")
    assert len(steps.of("COLLECT")) == 1


def test_windows_is_told_the_version(script):
    programs = script("programs")
    kinds = ("VSVersionInfo", "FixedFileInfo", "StringFileInfo", "StringTable", "StringStruct")
    kinds += ("VarFileInfo", "VarStruct")
    said = {}

    def kind(name):
        def keep(*arguments, **more):
            if name == "StringStruct":
                said[arguments[0]] = arguments[1]
            return more or arguments

        return keep

    text = programs.windows_version(programs.programs("win32")[0])
    # PyInstaller reads it in this way too.
    resource = eval(text, {name: kind(name) for name in kinds})  # noqa: S307
    numbers = resource["ffi"]["filevers"]
    assert ".".join(map(str, numbers)) == f"{__version__}.0"
    assert said["ProductVersion"] == __version__
    assert said["OriginalFilename"] == "fmstudio.exe"
    assert programs.version_numbers("1.20") == (1, 20, 0, 0)


def test_macos_is_told_what_a_project_is(script):
    said = plistlib.loads(plistlib.dumps(script("programs").macos_info()))
    assert said["CFBundleShortVersionString"] == __version__
    (document,), (kind,) = said["CFBundleDocumentTypes"], said["UTExportedTypeDeclarations"]
    assert document["LSItemContentTypes"] == [kind["UTTypeIdentifier"]]
    assert kind["UTTypeTagSpecification"]["public.filename-extension"] == ["fmstudio"]


def test_the_icon_is_drawn_for_windows_and_macos(tmp_path):
    command = [sys.executable, str(PACKAGING / "icons.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with Image.open(tmp_path / "fmstudio.ico") as ico:
        assert {side for side, _ in ico.ico.sizes()} >= {16, 32, 48, 256}
    with Image.open(tmp_path / "fmstudio.icns") as icns:
        assert max(size[0] for size in icns.info["sizes"]) == 512  # in points, twice the pixels


@pytest.mark.parametrize("before", ["/opt/own", None])
def test_programs_that_a_bundle_opens_find_their_own_libraries(monkeypatch, before):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/bundle/_internal")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    runpy.run_path(str(PACKAGING / "hooks" / "runtime_environment.py"))
    assert os.environ.get("LD_LIBRARY_PATH") == before
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ
    with sys.stdout as stream:  # a program without a console can print
        print("nothing", file=stream)


def test_a_missing_bundle_is_said(tmp_path):
    command = [sys.executable, str(PACKAGING / "smoke.py"), str(tmp_path / "none")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("There is no program of fmstudio in ")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_built_bundle_works_on_its_own(tmp_path):
    place = os.environ.get("FMSTUDIO_BUNDLE")
    if place is None:
        pytest.skip("FMSTUDIO_BUNDLE names no built bundle: see packaging/README.md")
    command = [sys.executable, str(PACKAGING / "smoke.py"), place, "--pictures", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode == SKIPPED:
        pytest.skip(ran.stdout.strip().splitlines()[-1].removeprefix("skipped: "))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(list(tmp_path.glob("*.png"))) == 2
