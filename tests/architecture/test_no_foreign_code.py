"""Nothing in the program runs what a file says: no pickles, no eval, no shell."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "fmstudio").rglob("*.py"))

# Modules that turn bytes into objects of any class, or text into code.
NEVER = {
    "cloudpickle", "code", "codeop", "ctypes", "dill", "imp", "joblib", "jsonpickle", "marshal",
    "pickle", "pty", "runpy", "shelve", "xmlrpc", "yaml",
}  # fmt: skip
BUILT_IN = {"eval", "exec", "compile", "__import__"}
SHELLS = {f"os.{name}" for name in ("system", "popen", "startfile", "posix_spawn", "fork")} | {
    f"os.{how}{end}"
    for how in ("exec", "spawn")
    for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
}
# Of pickle only the name of an error that torch raises; ctypes loads torch's own libraries.
MAY_IMPORT = {("features/tensors.py", "pickle"), ("engine/loading.py", "ctypes")}
# Programs are started here, each by a list of words: git, to say a benchmark's version, and this
# program itself, to download in a process of its own.
MAY_START = {"evaluation/environment.py", "ui/downloads.py"}
# Ray sends objects of our own workers as pickles; their bytes come from nowhere else.
MAY_UNPICKLE = {"engine/ray_pool.py"}


def findings(source: str, name: str) -> list[str]:
    """Return a line per thing that a module must not do."""
    found = []
    for node in ast.walk(ast.parse(source)):
        tops = set()
        if isinstance(node, ast.Import):
            tops = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            tops = {node.module.partition(".")[0]}
        found += [f"imports {t}" for t in tops & NEVER if (name, t) not in MAY_IMPORT]
        if "subprocess" in tops and name not in MAY_START:
            found.append("imports subprocess")
        if isinstance(node, ast.Attribute):
            found += _attribute_findings(ast.unparse(node), name)
        if isinstance(node, ast.Call):
            found += _call_findings(node, name)
    return found


def _attribute_findings(text: str, name: str) -> list[str]:
    """Return what is wrong with a dotted name."""
    if text in SHELLS:
        return [f"takes {text}"]
    if text.startswith("pickle.") and text != "pickle.UnpicklingError":
        return [f"takes {text}"]
    if text.endswith("cloudpickle.loads") and name not in MAY_UNPICKLE:
        return [f"takes {text}"]
    return []


def _call_findings(node: ast.Call, name: str) -> list[str]:
    """Return what is wrong with a call."""
    called = ast.unparse(node.func)
    words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if called in BUILT_IN:
        return [f"calls {called}"]
    if "shell" in words:
        return ["asks for a shell"]
    if called == "torch.load" and words.get("weights_only") != "True":
        return ["calls torch.load without weights_only=True"]
    if called in ("np.load", "numpy.load") and words.get("allow_pickle") != "False":
        return ["calls numpy.load without allow_pickle=False"]
    if words.get("trust_remote_code", "False") != "False":
        return ["trusts remote code"]
    if called == "QProcess" and name not in MAY_START:
        return ["starts a program"]
    return []


def test_no_module_runs_what_a_file_says() -> None:
    found = {}
    for path in MODULES:
        name = path.relative_to(ROOT / "fmstudio").as_posix()
        found[name] = findings(path.read_text(encoding="utf-8"), name)
    assert len(found) > 100
    assert not {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from yaml import load", "import subprocess", "eval('1')", "exec(x)",
        "import os\nos.system('x')", "import os\nrun = os.popen", "f('x', shell=True)",
        "import torch\ntorch.load(p)", "import torch\ntorch.load(p, weights_only=False)",
        "np.load(p)", "np.load(p, allow_pickle=True)", "M.from_pretrained(p, trust_remote_code=1)",
        "ray.cloudpickle.loads(b)", "QProcess(self)", "__import__(name)",
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(source: str) -> None:
    assert len(findings(source, "any.py")) == 1
