"""Where each file of a bundle is from: a distribution, Python, PyInstaller, or the system.

The list of what a bundle is made of rests on this instead of on what ought to be in it.
"""

import csv
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name
from parts import Part, builder_part, part_of, python_part, system_parts
from requirement_tree import requirement_tree

ROOT = Path(__file__).resolve().parents[1]
_PROGRAM, _BUILDER, _PYTHON, _SYSTEM = "fmstudio", "pyinstaller", "python", "system"


@dataclass(frozen=True, slots=True)
class Origins:
    """Where a bundle's files are from.

    Attributes
    ----------
    distributions : frozenset of str
        Canonical names of those of which there is more than metadata.
    libraries : tuple of str
        Files of the system, that no distribution and not Python itself brings.
    """

    distributions: frozenset[str]
    libraries: tuple[str, ...]


def origins_of(entries: Iterable[tuple[str, str | None, str]], made: Path) -> Origins:
    """Return where a bundle's files are from.

    Parameters
    ----------
    entries : iterable of (str, str or None, str)
        PyInstaller's: place or module, file on this disk, kind.
    made : Path
        Folder of what the build itself makes.
    """
    owners = _owners()
    names, libraries = set(), set()
    for place, source, kind in entries:
        # A namespace package has no file, and a link is to a file that stands in the list too.
        if source in (None, "", "-") or kind == "SYMLINK" or _is_metadata(place):
            continue
        path = _real(str(source))
        owner = owners.get(path) or _other_owner(path, _real(str(made)))
        if owner == _SYSTEM:
            libraries.add(path)
        elif owner != _PYTHON:
            names.add(owner)
    return Origins(frozenset(names), tuple(sorted(libraries)))


def parts_of(origins: Origins, left_out: Iterable[str]) -> list[Part]:
    """Return the parts of a bundle, the program first.

    Raises
    ------
    ValueError
        If it holds a distribution that fmstudio does not need.
    """
    tree = {canonicalize_name(dist.name): dist for dist in requirement_tree(left_out=left_out)}
    strays = sorted(origins.distributions - set(tree) - {_BUILDER, "pyinstaller-hooks-contrib"})
    if strays:
        raise ValueError(
            f"The bundle holds {', '.join(strays)}, which fmstudio does not need: exclude it in "
            "packaging/contents.py, or build where it is not installed."
        )
    own = [part_of(dist) for name, dist in tree.items() if name in origins.distributions]
    return [*own, python_part(), builder_part(), *system_parts(origins.libraries)]


def without_orphans(
    datas: Iterable[tuple[str, str, str]], origins: Origins
) -> list[tuple[str, str, str]]:
    """Return data files without the metadata of distributions that the bundle does not hold."""
    kept = []
    for entry in datas:
        folder = entry[0].replace("\\", "/").partition("/")[0]
        name = canonicalize_name(folder.removesuffix(".dist-info").rpartition("-")[0])
        if not _is_metadata(entry[0]) or name in origins.distributions:
            kept.append(entry)
    return kept


def _owners() -> dict[str, str]:
    """Return the canonical name of the distribution of each installed file."""
    # A distribution may hold others, as setuptools does: what is in it is its own.
    found = sorted(distributions(), key=lambda dist: len(str(dist.locate_file(""))))
    owners: dict[str, str] = {}
    for dist in found:
        # Some 100,000 of them: their folder is looked up once, and lists are read as text.
        base, name = _real(str(dist.locate_file(""))), canonicalize_name(dist.name)
        for row in csv.reader((dist.read_text("RECORD") or "").splitlines()):
            path = os.path.join(base, row[0])  # noqa: PTH118 (a Path for each takes its time)
            owners.setdefault(os.path.normcase(os.path.normpath(path)), name)
    return owners


def _other_owner(path: str, made: str) -> str:
    """Return whose a file is that no distribution lists."""
    # Before the checkout, within which it may lie.
    if path.startswith(made + os.sep):
        return _PYTHON
    if path.startswith(_real(str(ROOT)) + os.sep):
        return _PROGRAM
    if path.startswith(_real(sysconfig.get_path("stdlib")) + os.sep):
        return _PYTHON
    # Its shared library and, on Windows, those that it comes with.
    if Path(path).name.lower().startswith(("libpython", "python3")):
        return _PYTHON
    if sys.platform == "win32" and path.startswith(_real(sys.base_prefix) + os.sep):
        return _PYTHON
    return _SYSTEM


def _real(path: str) -> str:
    """Return a file's one name."""
    return os.path.normcase(os.path.realpath(path))


def _is_metadata(place: str) -> bool:
    """Return whether a file of the bundle only describes a distribution."""
    return place.replace("\\", "/").partition("/")[0].endswith(".dist-info")
