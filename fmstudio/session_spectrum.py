"""Questions about the spectral side of the pair that is shown, as jobs.

Importing this module does not import torch; a job does.
"""

from collections.abc import Iterator

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.questions import (
    BandAnswer,
    BandQuestion,
    HeatMap,
    PairQuestion,
    Spectrum,
)
from fmstudio.session_live import Live

__all__ = [
    "BandAnswer",
    "BandQuestion",
    "HeatMap",
    "PairQuestion",
    "Spectrum",
    "band_job",
    "spectrum_job",
]


def spectrum_job(live: Live, question: PairQuestion, token: CancelToken) -> Iterator[Spectrum]:
    """Yield the bases and the functional map of a pair; errors as in `session_inspect.find_job`."""
    pairs = live.pairs()
    from fmstudio.engine.spectrum import spectrum_of

    found = pairs.find(question.s, question.t, question.mark, token.check)
    yield spectrum_of(question, pairs.matcher, found)


def band_job(live: Live, question: BandQuestion, token: CancelToken) -> Iterator[BandAnswer]:
    """Yield where keypoints lie by fewer functions; errors as in `session_inspect.find_job`."""
    pairs = live.pairs()
    from fmstudio.engine.spectrum import points_in_band

    pair = question.pair
    found = pairs.find(pair.s, pair.t, pair.mark, token.check)
    yield points_in_band(question, pairs.matcher, found)
