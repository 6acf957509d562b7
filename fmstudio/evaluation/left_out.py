"""Whether a choice holds where it was not made: one category left out at a time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Scores = Mapping[str, Mapping[str, float | None]]
"""By candidate and category, higher is better; None where a category has no such score."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What choosing on the other categories gives.

    Attributes
    ----------
    chosen : Mapping of str to str
        Candidate by category: the best mean over all the others.
    held : float
        Mean over categories of what that candidate reaches on the one left out.
    default : float
        Mean of the first candidate.
    own : float
        Mean of each category's own best candidate: what tuning to each would give.
    """

    chosen: Mapping[str, str]
    held: float
    default: float
    own: float

    def sentence(self, name: str) -> str:
        """Return the result in words, shares in percent."""
        times = Counter(self.chosen.values()).most_common()
        picked = ", ".join(f"{candidate} ({count})" for candidate, count in times)
        return (
            f"{name}: chosen on the others {100 * self.held:.1f}, the default "
            f"{100 * self.default:.1f}, each category's own best {100 * self.own:.1f}; "
            f"chosen: {picked}."
        )


def leave_one_out(scores: Scores) -> LeftOut | None:
    """Return what the candidates reach where they were not chosen; None below two categories.

    Parameters
    ----------
    scores : Scores
        The first candidate is the default; of equals the earlier one is chosen.
    """
    names = list(scores)
    categories = [
        category
        for category in scores[names[0]]
        if all(scores[name].get(category) is not None for name in names)
    ]
    if len(categories) < 2:
        return None
    values = np.array([[scores[name][category] for category in categories] for name in names])
    values = values.astype(float)  # (candidates, categories)
    others = values.sum(axis=1, keepdims=True) - values
    picked = others.argmax(axis=0)
    return LeftOut(
        {category: names[i] for category, i in zip(categories, picked, strict=True)},
        float(values[picked, np.arange(len(categories))].mean()),
        float(values[0].mean()),
        float(values.max(axis=0).mean()),
    )
