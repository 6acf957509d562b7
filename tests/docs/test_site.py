"""The site builds without a warning, asks no third party for anything, and says what is true."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from fmstudio.ui.action_specs import ACTIONS, GESTURES
from fmstudio.ui.workspaces import DockName

pytest.importorskip("mkdocs", reason="the docs extra is not installed")

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

# What a browser loads by itself, and the attribute that says from where.
_LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
# Of links, those that only tell where something is.
_TOLD = {"canonical", "prev", "next", "alternate", "author", "license"}


def hooks() -> ModuleType:
    """Return the script that makes parts of pages from the program."""
    spec = importlib.util.spec_from_file_location(
        "docs_pages", ROOT / "packaging" / "docs_pages.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, with every warning an error."""
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


class Loaded(HTMLParser):
    """Collects what a page has a browser load."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of what is loaded."""
        given = dict(attrs)
        if tag == "link" and _TOLD & set((given.get("rel") or "").split()):
            return
        for name in (_LOADED.get(tag), "srcset", "poster"):
            address = given.get(name) if name else None
            if address:
                self.addresses.append(address)
        self.addresses += re.findall(r"url\(([^)]+)\)", given.get("style") or "")


@pytest.mark.slow
def test_no_page_asks_a_third_party_for_anything(site: Path) -> None:
    found = []
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PAGES) // 2
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = Loaded()
        loaded.feed(text)
        styles = re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL)
        loaded.addresses += re.findall(r"(?:url\(|@import\s)([^)\s;]+)", "\n".join(styles))
        found += [(page.name, a) for a in loaded.addresses if _is_foreign(a)]
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        addresses = re.findall(r"(?:url\(|@import\s)['\"]?([^)'\"\s;]+)", text)
        found += [(sheet.name, a) for a in addresses if _is_foreign(a)]
    assert found == []


def _is_foreign(address: str) -> bool:
    """Return whether an address is of another server."""
    return re.match(r"\s*['\"]?(https?:|//|ftp:|ws)", address) is not None


@pytest.mark.slow
def test_the_site_has_the_program_s_icon_and_the_pages_made_for_it(site: Path) -> None:
    icon = (ROOT / "resources" / "icons" / "fmstudio.svg").read_bytes()
    assert (site / "assets" / "icon.svg").read_bytes() == icon
    assert "<!-- keys -->" not in (site / "keys.html").read_text(encoding="utf-8")
    api = (site / "api.html").read_text(encoding="utf-8")
    for name in ("Session", "Matcher", "solve_fmap", "MatchSettings", "Annotation"):
        assert name in api
    assert "python -m benchmarks" in unescape((site / "benchmarks.html").read_text("utf-8"))
    assert "Unreleased" in (site / "changelog.html").read_text(encoding="utf-8")


def test_the_page_of_keys_has_every_command_and_key() -> None:
    page = "\n".join([*hooks().keys(), *hooks().gestures()])
    assert "<!-- keys -->" in (DOCS / "keys.md").read_text(encoding="utf-8")
    for spec in ACTIONS:
        if re.fullmatch(r"category-[2-9]", spec.id):
            continue
        if not spec.id.startswith("category-"):
            assert spec.text.removesuffix("...") in page
        for key in spec.keys:
            assert f"<kbd>{key}</kbd>" in page
    for gesture in GESTURES:
        assert gesture.text in page


def test_the_page_of_commands_has_every_command_and_option() -> None:
    page = "\n".join(hooks().commands())
    assert "<!-- commands -->" in (DOCS / "command-line.md").read_text(encoding="utf-8")
    every = list(hooks().every_command())
    assert len(every) > 15
    for words, command in every:
        assert f"### fmstudio {' '.join(words)}\n" in page
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert f"<code>{', '.join(parameter.opts)}" in page


def test_no_page_names_a_command_that_is_none() -> None:
    known = {words[0] for words, _ in hooks().every_command()}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        fenced = re.findall(r"^ *```[^\n]*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
        code = [*re.findall(r"`([^`\n]+)`", text), *"\n".join(fenced).splitlines()]
        for line in code:
            for name in re.findall(r"(?:^|[ (])fmstudio ([a-z][a-z-]*)\b(?![./])", line):
                assert name in known | {"met", "never"}, (page.name, line)


def test_every_panel_has_its_place_in_the_guide() -> None:
    guide = (DOCS / "guide" / "index.md").read_text(encoding="utf-8").lower()
    assert [name for name in DockName if name.value not in guide] == []


def test_the_messages_that_are_explained_are_the_program_s() -> None:
    said = _texts_of_the_program()
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    messages = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(messages) > 20
    for message in messages:
        for part in message.split("…"):
            assert _bare(part) in said, (message, part)


def _texts_of_the_program() -> str:
    """Return all texts in the source, with nothing where a value is put in."""
    texts = []
    for path in (ROOT / "fmstudio").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "\n" for p in node.values]
                texts.append("".join(str(part) for part in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"\{\d*\}", "\n", node.value))
    return "\n".join(_bare(text) for text in texts)


def _bare(text: str) -> str:
    """Return a text without what stands at its ends between values."""
    return "\n".join(line.strip(" '\"().,:;") for line in text.split("\n"))


def test_every_picture_is_used_and_small() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, ROOT / "README.md"])
    scripts = (ROOT / "packaging").glob("screenshot*.py")
    script = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    for picture in (DOCS / "images").iterdir():
        assert f"images/{picture.name}" in text, f"{picture.name} is shown nowhere"
        assert picture.stat().st_size < 160_000, picture.name
        if picture.suffix == ".jpg":
            assert picture.stem in script, f"{picture.name} is not made by packaging/screenshots.py"
