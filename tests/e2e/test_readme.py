"""What README.md says works as it stands there."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the one code block of a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return found


def test_the_commands_work_one_after_the_other(at_home: Path, command: Callable[..., Any]) -> None:
    lines = block("bash").splitlines()
    assert len(lines) >= 5
    for line in lines:
        program, *args = shlex.split(line, comments=True)
        assert program == "fmstudio"
        ran = command(*args)
        assert ran.code == 0, (line, ran.err)
    assert len(json.loads((at_home / "all.json").read_text())["annotations"]) == 5
    assert (at_home / "match.png").stat().st_size > 10_000


@pytest.mark.usefixtures("at_home")
def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102 - our own text
    x, y = (float(v) for v in re.findall(r"[\d.]+", capsys.readouterr().out))
    # The tabby's nose, as annotated, within a tenth of its face.
    assert abs(x - 242.5) < 25
    assert abs(y - 207.5) < 25


@pytest.mark.parametrize(
    "document", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
)
def test_links_lead_to_files(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not (document.parent / target).exists()]
    assert not missing


def test_readme_is_one_screen() -> None:
    assert len(README.splitlines()) <= 70
