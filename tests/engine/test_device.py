import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from fmstudio.engine import match
from fmstudio.engine.device import choose_device, within_memory
from fmstudio.engine.match import Matcher

GPU = torch.device("cuda")


class FakeDevice:
    """A device with a byte limit."""

    def __init__(self, limit):
        self.limit = limit
        self.held = 0

    def hold(self, owner, count):
        """Take bytes for as long as their owner lives."""
        self.work(count)
        self.held += count
        weakref.finalize(owner, self._give_back, count)

    def work(self, count):
        """Take bytes for a moment."""
        if self.held + count > self.limit:
            raise torch.OutOfMemoryError(f"{self.held} of {self.limit} bytes held, no {count} more")

    def _give_back(self, count):
        self.held -= count


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
    [
        (0, 1, ("done", False)),
        (1, 2, ("done", False)),
        (2, 3, ("done", False)),
        (3, 3, ("on the CPU", True)),
    ],
)
def test_each_rung_is_tried_once(failures, calls, expected):
    work = Scarce(failures)
    assert within_memory(work, lambda: "on the CPU", GPU) == expected
    assert work.calls == calls


def test_below_the_processor_there_is_no_rung():
    with pytest.raises(torch.OutOfMemoryError):
        within_memory(Scarce(3), lambda: "never", torch.device("cpu"))


def test_other_faults_are_not_taken_for_missing_memory():
    def broken():
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        within_memory(broken, lambda: "never", GPU)


@pytest.mark.parametrize(
    "words",
    ["MPS backend out of memory (MPS allocated: 7 GB)", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED"],
)
def test_missing_memory_is_known_by_its_words_too(words):
    def work():
        raise RuntimeError(words)

    assert within_memory(work, lambda: "on the CPU", GPU) == ("on the CPU", True)


def test_only_what_does_not_fit_otherwise_is_evicted():
    device, evicted, rest = FakeDevice(100), [], [set()]
    device.hold(rest[0], 60)

    def evict():
        evicted.append(True)
        rest.clear()

    def ask(count):
        return within_memory(lambda: device.work(count) or "done", lambda: "CPU", GPU, evict)

    assert ask(40) == ("done", False)
    assert not evicted
    assert ask(80) == ("done", False)
    assert evicted
    assert device.held == 0
    assert ask(101) == ("CPU", True)


def test_networks_that_do_not_fit_together_take_turns(scene, pixel_extractor, make_matcher):
    device, loaded = FakeDevice(100), []

    class Large(pixel_extractor):
        def __init__(self, name, **where):
            super().__init__(name, **where)
            device.hold(self, 30)
            loaded.append(name)

        def extract(self, rgb, grid):
            device.work(50)
            return super().extract(rgb, grid)

    settings = replace(make_matcher().settings, descriptor_extractors=("pixels", "more pixels"))
    matcher = Matcher(settings, extractors=Large)
    assert device.held == 60
    for key in ("a", "b"):
        found = matcher.analyse(scene, key)
        assert device.held == 30
    assert loaded == ["pixels", "more pixels", "more pixels", "pixels", "more pixels"]
    expected = make_matcher(settings).analyse(scene, "a")
    assert torch.equal(found.descriptors, expected.descriptors)
    assert matcher.take_notes() == ()


def test_the_lowest_rung_gives_the_same_map_and_says_so(monkeypatch, make_matcher, scene):
    matcher = make_matcher()
    before = matcher.pair(matcher.analyse(scene, "a"), matcher.analyse(scene[:, ::-1].copy(), "b"))
    assert matcher.take_notes() == ()
    monkeypatch.setattr(match, "within_memory", lambda work, on_cpu, *_: (on_cpu(), True))
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
