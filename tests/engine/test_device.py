import numpy as np
import pytest
import torch

from fmstudio.engine import match
from fmstudio.engine.device import choose_device, within_memory

GPU = torch.device("cuda")


class Scarce:
    """Work that finds too little memory a number of times."""

    def __init__(self, failures):
        self.failures = failures
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "done"


@pytest.mark.parametrize(
    ("failures", "calls", "expected"),
    [(0, 1, ("done", False)), (1, 2, ("done", False)), (2, 2, ("on the CPU", True))],
)
def test_each_rung_is_tried_once(failures, calls, expected):
    work = Scarce(failures)
    assert within_memory(work, lambda: "on the CPU", GPU) == expected
    assert work.calls == calls


def test_below_the_processor_there_is_no_rung():
    with pytest.raises(torch.OutOfMemoryError):
        within_memory(Scarce(2), lambda: "never", torch.device("cpu"))


def test_other_faults_are_not_taken_for_missing_memory():
    def broken():
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        within_memory(broken, lambda: "never", GPU)


def test_the_lowest_rung_gives_the_same_map_and_says_so(monkeypatch, make_matcher, scene):
    matcher = make_matcher()
    before = matcher.pair(matcher.analyse(scene, "a"), matcher.analyse(scene[:, ::-1].copy(), "b"))
    assert matcher.take_notes() == ()
    monkeypatch.setattr(match, "within_memory", lambda work, on_cpu, device: (on_cpu(), True))
    after = matcher.pair(matcher.analyse(scene, "a"), matcher.analyse(scene[:, ::-1].copy(), "b"))
    assert np.allclose(before.score, after.score, atol=1e-6)
    notes = matcher.take_notes()
    assert len(notes) == 2
    assert all("too little memory" in note for note in notes)
    assert matcher.take_notes() == ()


def test_a_device_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with pytest.raises(ValueError, match='no "cuda"'):
        choose_device("cuda")
