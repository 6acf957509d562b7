"""The layers hold: by contract, and, where only running tells, in processes of their own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BLOCK_QT = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "pyqtgraph"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Block())
try:
    import PySide6
except ImportError:
    pass
else:
    raise SystemExit("the block does not hold")
"""


def run(code: str) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a statement has brought in."""
    tops = "sorted({name.partition('.')[0] for name in sys.modules})"
    return set(run(f"import sys\n{statement}\nprint(*{tops})").split())


def test_import_contracts_hold(tmp_path: Path) -> None:
    # In a process of its own: import-linter's logging set-up silences every logger that is there.
    config, cache = str(ROOT / "pyproject.toml"), str(tmp_path)
    run(
        "from importlinter.cli import lint_imports\n"
        f"raise SystemExit(lint_imports(config_filename={config!r}, cache_dir={cache!r}))"
    )


def test_the_headless_core_needs_no_qt() -> None:
    package = ROOT / "fmstudio"
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(package.rglob("*.py"))
        if path.name not in ("__main__.py", "app.py")
        and path.relative_to(package).parts[0] not in ("ui", "worker")
    ]
    imports = "\n".join(f"import {module}" for module in modules)
    run(f"{BLOCK_QT}\n{imports}")


@pytest.mark.parametrize(
    "module",
    ["session", "project.edits", "io.coco", "io.images", "geometry.masks", "drawing.sheet"],
)
def test_the_session_and_below_leave_torch_alone(module: str) -> None:
    assert not loaded_by(f"import fmstudio.{module}") & {"torch", "torchvision", "timm"}


def test_the_command_line_starts_without_heavy_packages() -> None:
    heavy = {"torch", "torchvision", "timm", "scipy", "numpy", "cv2", "PIL"}
    assert not loaded_by("import fmstudio.cli") & heavy


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys\nfrom fmstudio.__main__ import main\n"
        "try:\n    main(['propagate', '--help'])\n"
        "except SystemExit:\n    pass\n"
        "print('torch' in sys.modules)"
    )
    assert run(code).splitlines()[-1] == "False"


def test_every_label_is_plain_or_says_that_it_is_not():
    """A file's name must not become HTML: `fmstudio.ui.plain` makes the labels."""
    for path in sorted((ROOT / "fmstudio" / "ui").rglob("*.py")):
        if path.name != "plain.py":
            assert not re.search(r"(?<!Plain)\bQLabel\(", path.read_text(encoding="utf-8")), path
