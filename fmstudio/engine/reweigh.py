"""One object fused anew, as a person weighs its references or places some of its points.

What was matched stays matched: after the first time the answer comes at once.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.carry import CarriedMark, vote
from fmstudio.engine.keys import mark_key
from fmstudio.engine.live import LivePairs
from fmstudio.engine.recent import Recent
from fmstudio.engine.requests import ImageRef, Mark, Phase, Progress, ProposedMark
from fmstudio.engine.rivals import carry_both
from fmstudio.engine.settle import as_taken, settle
from fmstudio.errors import MatchError
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import Pose

# Words that are kept: a few of a reference's patches' scores each, less than a megabyte.
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Weighed:
    """A mark of a reference, and what a person lets it count."""

    image: ImageRef
    mark: Mark
    say: float


@dataclass(frozen=True, slots=True)
class Correction:
    """An object's keypoints after a person placed some of them.

    Attributes
    ----------
    points : Keypoints
    proposed : Keypoints
        As they were before the first was placed.
    pose : Pose or None
        By which map they were proposed, where two competed.
    """

    points: Keypoints
    proposed: Keypoints
    pose: Pose | None = None


class LiveWords:
    """What references say of targets, kept between questions; belongs to one thread.

    Parameters
    ----------
    pairs : LivePairs
    """

    def __init__(self, pairs: LivePairs) -> None:
        self.pairs = pairs
        self._words: Recent[tuple[str, str, str], CarriedMark] = Recent()

    def word(self, s: ImageRef, t: ImageRef, mark: Mark, token: CancelToken) -> CarriedMark:
        """Return what a mark of ``s`` becomes on ``t``; raises ImageError if one cannot be read."""

        def carried() -> CarriedMark:
            found = self.pairs.find(s, t, mark, token.check)
            views = self.pairs.view(s), self.pairs.view(t)
            return carry_both(self.pairs.matcher, *views, mark, found, check=token.check)

        word = self._words.get((s.key, t.key, mark_key(mark)), carried, _KEPT)
        # Two annotations may have the same content: the id is the one that was asked for.
        return replace(word, mark=mark)


def reweigh(
    words: LiveWords, target: ImageRef, weighed: Sequence[Weighed], token: CancelToken
) -> Iterator[Progress | ProposedMark]:
    """Yield progress per reference, and at last the object as all references say it together.

    Parameters
    ----------
    words : LiveWords
    target : ImageRef
    weighed : sequence of Weighed
        Marks of one category, one of each reference.
    token : CancelToken

    Raises
    ------
    Cancelled
        When the token is set.
    MatchError
        If all references are left out.
    ImageError
        If an image cannot be read.
    """
    if not any(each.say > 0 for each in weighed):
        raise MatchError("All references are left out: let at least one of them count.")
    said = yield from hear(words, target, weighed, token)
    view = words.pairs.view(target)
    drawn = view.open if words.pairs.matcher.settings.edges else None
    yield from vote([[word] for word in said], view.analysis.grid, open_target=drawn)


def settle_live(
    words: LiveWords,
    target: ImageRef,
    weighed: Sequence[Weighed],
    correction: Correction,
    token: CancelToken,
) -> Iterator[Progress | Keypoints]:
    """Yield progress per reference, and at last an object's points by those that a person placed.

    Parameters
    ----------
    words : LiveWords
    target : ImageRef
    weighed : sequence of Weighed
        Marks of one category, one of each reference.
    correction : Correction
    token : CancelToken

    Raises
    ------
    Cancelled, ImageError
        As `reweigh`.
    ValueError
        As `settle`.
    """
    said = yield from hear(words, target, weighed, token)
    said = as_taken(said, correction.pose)
    yield settle(said, correction.points, correction.proposed)


def hear(
    words: LiveWords, target: ImageRef, weighed: Sequence[Weighed], token: CancelToken
) -> Generator[Progress, None, list[CarriedMark]]:
    """Yield progress per reference, and return what each says; errors as `reweigh`."""
    said = []
    for done, each in enumerate(weighed):
        token.check()
        yield Progress(Phase.MATCH, done, len(weighed))
        said.append(replace(words.word(each.image, target, each.mark, token), say=each.say))
    yield Progress(Phase.TRANSFER, len(weighed), len(weighed))
    return said
