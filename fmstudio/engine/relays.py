"""Other images of a run, through which a target is reached where its own map is weak.

Two images that look little alike may both look much like a third. So a target whose proposal is
weak is asked again: what was proposed on surer images of the run that look like it is carried on to
it, and votes beside its references. What is passed on stays a guess: it counts no more than both of
its steps are worth, it is never named as a source, and no image becomes a reference by it.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.carry import CarriedMark, carry
from fmstudio.engine.focus import map_objects
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import ImageRef, Mark, Proposal, ProposedMark, covers_something
from fmstudio.engine.views import View

# A proposal of less quality is weak: above it, more votes changed little (docs/method.md).
_WEAK = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Relay:
    """An image that others are reached through.

    Attributes
    ----------
    image : ImageRef
    marks : tuple of Mark
        What was proposed on it, its points with their confidence; at least one.
    quality : float
        Of the proposal, in [0, 1].
    """

    image: ImageRef
    marks: tuple[Mark, ...]
    quality: float


class Relays:
    """What a run has proposed, to find who can pass what on to whom.

    A few kilobytes an image, and its masks.

    Parameters
    ----------
    most : int
        How many images a target is reached through.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._relays: list[Relay] = []
        self._means: list[torch.Tensor] = []

    def add(self, proposal: Proposal, mean: torch.Tensor) -> None:
        """Take in what was proposed on an image.

        Parameters
        ----------
        proposal : Proposal
        mean : Tensor, (d,)
            See `mean_descriptor`.
        """
        marks = tuple(_mark(mark) for mark in proposal.marks if covers_something(mark))
        if marks:
            self._relays.append(Relay(proposal.target, marks, quality(proposal)))
            self._means.append(mean)

    def reached(self) -> list[tuple[ImageRef, tuple[Relay, ...]]]:
        """Return the images whose proposals are weak, with those that they are reached through.

        Of the images whose proposals are surer, the ones with the highest quality times cosine of
        the mean descriptors, the best first. A weak image without any is left out.
        """
        if not self._relays:
            return []
        qualities = np.array([relay.quality for relay in self._relays])
        means = torch.stack(self._means)
        found = []
        for own in np.flatnonzero(qualities < _WEAK):
            worth = qualities * (means @ means[own]).double().numpy()
            best = np.argsort(-worth, kind="stable")
            surer = [i for i in best if qualities[i] > qualities[own]]
            chosen = [self._relays[i] for i in surer[: self._most]]
            if chosen:
                found.append((self._relays[own].image, tuple(chosen)))
        return found


def quality(proposal: Proposal) -> float:
    """Return the mean quality of a proposal's marks, 0 without any."""
    return float(np.mean([mark.quality for mark in proposal.marks] or [0.0]))


def is_weak(proposal: Proposal) -> bool:
    """Return whether a proposal is so unsure that its target is reached through others too."""
    return bool(proposal.marks) and quality(proposal) < _WEAK


def pass_on(
    matcher: Matcher, relay: Relay, source: View, target: View, token: CancelToken
) -> list[CarriedMark]:
    """Return what a relay, seen as ``source``, says of a target; raises as `map_object`."""
    found = map_objects(matcher, source, target, relay.marks, check=token.check, may_turn=False)
    return [relayed(carry(each, mark)) for mark, each in found]


def relayed(word: CarriedMark) -> CarriedMark:
    """Return a word whose mark is a guess itself.

    The confidence of its points becomes the geometric mean of both steps', so that its weight,
    which is a square, is the product of the two.
    """
    points = word.mark.keypoints
    if points is None:
        return replace(word, is_relayed=True)
    return replace(word, is_relayed=True, confidence=np.sqrt(word.confidence * points.score))


def _mark(mark: ProposedMark) -> Mark:
    """Return a proposed mark as one that is carried."""
    mask = mark.mask if mark.mask is not None and mark.mask.area else None
    return Mark(mark.sources[0], mark.category, mark.keypoints, mask)
