"""Every example of the documentation runs as it stands, one after the other on each page.

A page's blocks of ``python`` share a namespace; blocks of ``bash`` hold commands of fmstudio. What
cannot run says so behind its language: ``python no-run``.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fmstudio.features import registry

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Attributes
    ----------
    language : str
    words : tuple of str
        What stands behind the language.
    text : str
    line : int
        Where the code begins, from 1.
    """

    language: str
    words: tuple[str, ...]
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the blocks of code of a page, in order."""
    source = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(source):
        indent, head, text = match.groups()
        language, *words = head.split() or [""]
        plain = "\n".join(line.removeprefix(indent) for line in text.splitlines())
        line = source.count("\n", 0, match.start(3)) + 1
        found.append(Block(language, tuple(words), plain, line))
    return found


def runnable(page: Path) -> list[Block]:
    """Return the blocks of a page that are to run."""
    languages = ("python", "bash")
    return [b for b in blocks(page) if b.language in languages and "no-run" not in b.words]


PAGES = [page for page in sorted(DOCS.rglob("*.md")) if runnable(page)]


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_the_examples_of_a_page_run(
    page: Path, command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # An example adds to what there is; only for itself.
    monkeypatch.setattr(registry, "EXTRACTORS", dict(registry.EXTRACTORS))
    namespace: dict[str, Any] = {"__name__": "docs"}
    for block in runnable(page):
        if block.language == "python":
            # Empty lines before it, so that a fault names the page's own line.
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page.relative_to(ROOT)), "exec"), namespace)  # noqa: S102 - our own text
            continue
        for line in block.text.splitlines():
            program, *args = shlex.split(line, comments=True) or [""]
            if program:
                assert program == "fmstudio", f"{page.name}: '{line}' is no command of fmstudio"
                ran = command(*args)
                assert ran.code == 0, (page.name, line, ran.err)


def test_the_python_page_has_examples() -> None:
    assert len([b for b in runnable(DOCS / "python.md") if b.language == "python"]) >= 10


def test_no_example_is_left_out() -> None:
    left_out = [p.name for p in DOCS.rglob("*.md") for b in blocks(p) if "no-run" in b.words]
    assert left_out == []
