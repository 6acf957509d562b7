"""Make a Debian package of a built bundle: ``python packaging/deb.py BUNDLE --out FOLDER``.

The bundle goes to ``/usr/lib/fmstudio``, with a link to its program in ``/usr/bin``, the desktop's
files in ``/usr/share`` and the licences in ``/usr/share/doc/fmstudio``. Needs dpkg-deb, and an
environment in which fmstudio is installed, since the icons are drawn.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import desktop_files

from fmstudio import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "fmstudio"
LIBRARY = Path("usr/lib") / PACKAGE
NOTICES = "_internal/notices"

# What the bundle leaves to the system: drivers of the screen, and data about fonts and keyboards.
DEPENDS = ("fontconfig-config", "libegl1", "libgl1", "libxcb1", "xkb-data")
# For a window under Wayland; without them it comes up through X11.
RECOMMENDS = ("libwayland-client0", "libwayland-cursor0", "libwayland-egl1")

CONTROL = """\
Package: {package}
Version: {version}
Architecture: {machine}
Maintainer: The fmstudio authors <authors@fmstudio.invalid>
Installed-Size: {size}
Depends: {depends}
Recommends: {recommends}
Section: science
Priority: optional
Description: annotation studio that carries keypoints and masks across photos
 Mark keypoints and a mask on one or a few photos, and fmstudio carries them to
 all the others by functional maps over deep features. What it proposes is
 reviewed most doubtful first, and written as COCO.
 .
 Without arguments it opens the window; 'fmstudio --help' lists its commands.
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: {package}
Comment: The libraries in /{library} have licences of their own, by file in
 /{library}/{notices}: THIRD-PARTY-LICENCES.txt, sbom.cdx.json.

Files: *
Copyright: 2026 The fmstudio authors
License: Apache-2.0
 On Debian systems its text is in /usr/share/common-licenses/Apache-2.0; it is
 in /{library}/{notices}/LICENSE too.
"""


def lay_out(bundle: Path, root: Path, machine: str) -> None:
    """Lay out a package of a bundle in an empty folder.

    Parameters
    ----------
    bundle, root : Path
    machine : str
        Debian's name of the architecture, such as "amd64".

    Raises
    ------
    OSError
        If there is no program in the bundle, or something cannot be written.
    """
    if not (bundle / PACKAGE).is_file():
        raise OSError(f"There is no bundle in {bundle}: make one with packaging/bundle.py.")
    shutil.copytree(bundle, root / LIBRARY, symlinks=True, copy_function=_link_or_copy)
    program = root / "usr/bin" / PACKAGE
    program.parent.mkdir(parents=True)
    program.symlink_to(Path("../lib") / PACKAGE / PACKAGE)
    desktop_files.install(root / "usr")
    papers = root / "usr/share/doc" / PACKAGE
    papers.mkdir(parents=True)
    words = COPYRIGHT.format(package=PACKAGE, library=LIBRARY.as_posix(), notices=NOTICES)
    (papers / "copyright").write_text(words, encoding="utf-8")
    news = (ROOT / "CHANGELOG.md").read_bytes()
    (papers / "changelog.gz").write_bytes(gzip.compress(news, mtime=0))
    _set_permissions(root)
    control = root / "DEBIAN" / "control"
    control.parent.mkdir(mode=0o755)
    control.write_text(control_of(root, machine), encoding="utf-8")
    control.chmod(0o644)


def control_of(root: Path, machine: str) -> str:
    """Return the control file of what lies in a folder."""
    files = (path for path in (root / "usr").rglob("*") if not path.is_symlink())
    # Debian counts in KiB, each file rounded up and each folder as one.
    size = sum(-(-path.stat().st_size // 1024) if path.is_file() else 1 for path in files)
    return CONTROL.format(
        package=PACKAGE,
        version=__version__,
        machine=machine,
        size=size,
        depends=", ".join(sorted([*DEPENDS, _libc()])),
        recommends=", ".join(RECOMMENDS),
    )


def build(bundle: Path, out: Path, compression: tuple[str, int]) -> Path:
    """Make the package in a folder and return it; raises OSError if dpkg-deb gives up."""
    asked = ["dpkg", "--print-architecture"]
    machine = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    out.mkdir(parents=True, exist_ok=True)
    package = out / f"{PACKAGE}_{__version__}_{machine}.deb"
    # Beside the bundle, whose files can be linked there instead of copied.
    with tempfile.TemporaryDirectory(dir=bundle.parent, prefix=".deb-") as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        lay_out(bundle, root, machine)
        kind, level = compression
        how = ["--root-owner-group", f"-Z{kind}", f"-z{level}"]
        done = subprocess.run(["dpkg-deb", *how, "--build", str(root), str(package)], check=False)
    if done.returncode:
        raise OSError("The package could not be built: dpkg-deb says above why.")
    return package


def _link_or_copy(source: str, target: str) -> None:
    """Give a file a second name, or copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _set_permissions(root: Path) -> None:
    """Let everyone read all files and nobody but root write them."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o111
            path.chmod(0o755 if runs else 0o644)


def _libc() -> str:
    """Return the C library that this machine's programs may need."""
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    return f"libc6 (>= {version})" if name == "glibc" else "libc6"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--kind", default="zstd", choices=("zstd", "xz", "gzip"))
    parser.add_argument("--level", type=int, default=3, help="of compression")
    given = parser.parse_args()
    if shutil.which("dpkg-deb") is None:
        print("dpkg-deb is missing: Debian packages are made on Debian.", file=sys.stderr)
        return 1
    start = time.monotonic()
    try:
        package = build(given.bundle.resolve(), given.out, (given.kind, given.level))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    seconds = time.monotonic() - start
    print(f"{package}: {package.stat().st_size / 1e6:,.0f} MB in {seconds:,.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
