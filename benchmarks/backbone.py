"""Times the default networks in other forms than the product's: ``python -m benchmarks.backbone``.

The product's form is channels last, batch normalisations folded into the convolutions, in single
precision, without tracing or compiling, one image at a time. Every other form differs in one thing.
All take turns, each turn gives a ratio to the product's form, and medians of the ratios are shown:
what else the machine does hits both sides of a ratio. The deviation is one less the cosine between
the same cell's descriptors.
"""

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.photos import cat_photos
from benchmarks.timing import turn
from fmstudio.engine.match import PATCH
from fmstudio.engine.requests import MatchSettings
from fmstudio.features import weights
from fmstudio.features.efficientnet import LITES, MEAN, STD, EfficientNetLite, Trunk, load_network
from fmstudio.features.preprocess import to_input
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.io.images import read_rgb

HEADS = ("network", "input", "form", "to make, s", "speed an image", "deviation: mean", "largest")
OURS = "as it is"
# A form that has used so many seconds takes no further turn.
BUDGET = 5.0

Blocks = list[torch.Tensor]
Run = Callable[[], Blocks]
# From a network's name and its input to what runs it in some form.
Make = Callable[[str, torch.Tensor], Run]


def measure(
    repeats: int, sides: Sequence[int] | None = None, *, makers: Mapping[str, Make] | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the table of both default networks: one row for each form.

    Parameters
    ----------
    repeats : int
        Turns of each form, at least 1.
    sides : sequence of int or None
        Longer sides of the photo in pixels; None is the default settings' two looks.
    makers : mapping of str to callable or None
        The forms; None takes `MAKERS`.
    """
    usual = MatchSettings()
    for side in sides or (usual.long_side, usual.fine_side):
        for name in usual.descriptor_extractors:
            yield from _rows(name, _input(name, side), makers or MAKERS, repeats)


def _input(name: str, side: int) -> torch.Tensor:
    """Return the first cat as a network sees it, (1, 3, height, width) channels last."""
    rgb = read_rgb(cat_photos()[0])
    grid = PatchGrid.of_long_side(ImageSize(rgb.shape[1], rgb.shape[0]), side // PATCH)
    return to_input(rgb, EfficientNetLite(name).input_size(grid), MEAN, STD, torch.device("cpu"))


def _rows(
    name: str, x: torch.Tensor, makers: Mapping[str, Make], repeats: int
) -> list[tuple[str, ...]]:
    """Return one network's rows at one size."""
    forms: dict[str, Run] = {OURS: partial(_infer, _trunk(name), x)}
    exact = forms[OURS]()
    cells: dict[str, tuple[str, ...]] = {}
    for form, make in makers.items():
        start = time.perf_counter()
        try:
            run = make(name, x)
            # Compilers and tracers do their work in the first calls.
            run()
            mean, largest = deviation(exact, run())
        # They, and exporters, raise what they like where something is missing.
        except Exception as error:
            cells[form] = "-", f"skipped: {str(error).splitlines()[0]}", "-", "-"
            continue
        made = time.perf_counter() - start
        forms[form] = run
        cells[form] = f"{made:.1f}", "", f"{mean:.0e}", f"{largest:.0e}"
    for form, speed in _speeds(forms, repeats).items():
        made_in, _, *off = cells.get(form, ("-", "", "0", "0"))
        cells[form] = made_in, f"{speed:.2f}", *off
    return [(name, f"{x.shape[3]} x {x.shape[2]}", form, *cells[form]) for form in (OURS, *makers)]


def _speeds(forms: Mapping[str, Run], repeats: int) -> dict[str, float]:
    """Return how many times as fast as the product's form each is: medians over the turns."""
    images = {form: len(run()[0]) for form, run in forms.items()}
    ratios: dict[str, list[float]] = {form: [] for form in forms}
    spent = dict.fromkeys(forms, 0.0)
    for _ in range(repeats):
        for form, run in forms.items():
            if spent[form] > BUDGET:
                continue
            # The product's form directly before each: the load changes within a round.
            ours, other = turn(forms[OURS]), turn(run)
            ratios[form].append(images[form] * ours / other)
            spent[form] += other
    return {form: statistics.median(found) for form, found in ratios.items()}


def deviation(exact: Blocks, found: Blocks) -> tuple[float, float]:
    """Return one less the cosine between cells' descriptors, the mean and the largest.

    Parameters
    ----------
    exact, found : list of Tensor, (b, d, h, w)
        The same blocks in two forms; only the first image is looked at.
    """
    off = [
        1 - torch.cosine_similarity(a[0].double(), b[0].double(), dim=0).flatten()
        for a, b in zip(exact, found, strict=True)
    ]
    whole = torch.cat(off).clamp(min=0)
    return float(whole.mean()), float(whole.max())


def _trunk(name: str) -> nn.Module:
    """Return a default network in the product's form."""
    trunk = Trunk(load_network(name, weights.find(name)), LITES[name].taps)
    return trunk.eval().to(memory_format=torch.channels_last)


def _infer(network: Callable[[torch.Tensor], Blocks], x: torch.Tensor) -> Blocks:
    """Return the tapped blocks, without gradients and without counting changes."""
    with torch.inference_mode():
        return network(x)


def _infer_no_grad(network: Callable[[torch.Tensor], Blocks], x: torch.Tensor) -> Blocks:
    """Return the tapped blocks, without gradients."""
    with torch.no_grad():
        return network(x)


def _make_contiguous(name: str, x: torch.Tensor) -> Run:
    """Return the network with channels first in memory."""
    network = _trunk(name).to(memory_format=torch.contiguous_format)
    return partial(_infer, network, x.contiguous())


def _make_unfolded(name: str, x: torch.Tensor) -> Run:
    """Return the network with its batch normalisations as they were trained."""
    whole: Any = load_network(name, weights.find(name)).to(memory_format=torch.channels_last)
    taps = LITES[name].taps
    blocks = [block for stage in whole.blocks for block in stage][: taps[-1] + 1]

    def network(x: torch.Tensor) -> Blocks:
        x = whole.bn1(whole.conv_stem(x))
        tapped = []
        for index, block in enumerate(blocks):
            x = block(x)
            if index in taps:
                tapped.append(x)
        return tapped

    return partial(_infer, network, x)


def _make_no_grad(name: str, x: torch.Tensor) -> Run:
    """Return the network under ``no_grad``, which keeps the book that ``inference_mode`` drops."""
    return partial(_infer_no_grad, _trunk(name), x)


def _make_bfloat16(name: str, x: torch.Tensor) -> Run:
    """Return the network with its convolutions in bfloat16."""
    network = _trunk(name)

    def run() -> Blocks:
        with torch.autocast("cpu", torch.bfloat16):
            return _infer(network, x)

    return run


def _make_traced(name: str, x: torch.Tensor, *, is_optimised: bool) -> Run:
    """Return the network as TorchScript traces and freezes it."""
    # TorchScript is on its way out, and says so at every call.
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(_trunk(name), x, check_trace=False)
        if is_optimised:
            return partial(_infer_no_grad, torch.jit.optimize_for_inference(traced), x)
        return partial(_infer_no_grad, torch.jit.freeze(traced), x)


def _make_compiled(name: str, x: torch.Tensor) -> Run:
    """Return the network as ``torch.compile`` makes it; needs a C++ compiler."""
    return partial(_infer_no_grad, torch.compile(_trunk(name)), x)


def _make_pair(name: str, x: torch.Tensor) -> Run:
    """Return the network on two images at once."""
    both = x.expand(2, -1, -1, -1).contiguous(memory_format=torch.channels_last)
    return partial(_infer, _trunk(name), both)


def _make_onnx(name: str, x: torch.Tensor) -> Run:
    """Return the network in ONNX Runtime, which is no dependency of the product."""
    needed = ("onnx", "onnxruntime")
    missing = [package for package in needed if not importlib.util.find_spec(package)]
    if missing:
        raise ImportError(f"{' and '.join(missing)} not installed")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "network.onnx"
        torch.onnx.export(_trunk(name), (x.contiguous(),), file, dynamo=False, input_names=["x"])
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    given = {"x": x.contiguous().numpy()}
    return lambda: [torch.from_numpy(block) for block in session.run(None, given)]


MAKERS: dict[str, Make] = {
    "channels first": _make_contiguous,
    "batch norm not folded": _make_unfolded,
    "no_grad for inference_mode": _make_no_grad,
    "bfloat16 autocast": _make_bfloat16,
    "traced and frozen": partial(_make_traced, is_optimised=False),
    "traced, optimize_for_inference": partial(_make_traced, is_optimised=True),
    "torch.compile": _make_compiled,
    "two images at once": _make_pair,
    "ONNX Runtime": _make_onnx,
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backbone", description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--sides", type=int, nargs="+", help="of the photo; both looks by default")
    given = parser.parse_args()
    print(
        f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}; load at the start {os.getloadavg()[0]:.1f}.\n"
    )
    heads = (HEADS, ("---",) * len(HEADS))
    for line in chain(heads, measure(given.repeats, given.sides)):
        print("| " + " | ".join(line) + " |", flush=True)


if __name__ == "__main__":
    main()
