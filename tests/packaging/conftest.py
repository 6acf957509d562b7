"""The packaging scripts are no package: they are found as the programs find each other."""

import importlib
import sys
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def script(monkeypatch):
    """Return a function that imports one of the scripts in ``packaging/`` by its name."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    before = set(sys.modules)
    yield importlib.import_module
    # Their names are short, and others may have the same.
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) == str(PACKAGING / f"{name}.py"):
            del sys.modules[name]
