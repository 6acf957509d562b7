"""Modules and functions stay small enough to be read in one go."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "fmstudio").rglob("*.py"))

MAX_LINES = 420
# Of code: docstrings here state shapes, units and sources, and are not what is hard to read.
MAX_FUNCTION_LINES = 45


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the length of a function in lines, less its docstring's."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    has_docstring = ast.get_docstring(node, clean=False) is not None
    return length - ((first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    too_long = {f.name: code_lines(f) for f in functions if code_lines(f) > MAX_FUNCTION_LINES}
    assert not too_long
