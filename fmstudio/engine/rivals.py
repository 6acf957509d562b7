"""A mark carried by the map that was taken and, where two maps compete, by the other one too."""

from collections.abc import Callable
from dataclasses import replace

from fmstudio.engine.carry import CarriedMark, Rival, carry
from fmstudio.engine.focus import closer_alternative
from fmstudio.engine.object_map import ObjectMap
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import Matching, View
from fmstudio.geometry.votes import competing


def carry_both(
    matcher: Matching,
    s: View,
    t: View,
    mark: Mark,
    found: ObjectMap,
    *,
    check: Callable[[], object],
) -> CarriedMark:
    """Return a mark carried by its object's map, with its rival where two maps compete.

    Where they do, the object is looked at closely by the other map too, as it could be taken: this
    costs about as much again as matching the object once.

    Parameters
    ----------
    matcher : Matcher
    s, t : View
    mark : Mark
        Of the source.
    found : ObjectMap
        From `map_object`, of the same four.
    check : callable
        Called between the steps; what it raises ends the work.

    Raises
    ------
    ImageError
        If an image has to be opened and cannot be.
    """
    word = carry(found, mark)
    rival = found.alternative
    if rival is None:
        return word
    support = rival.found.displacement.support
    taken = support + rival.margin
    if not competing(taken, support):
        return word
    other = closer_alternative(matcher, s, t, mark, rival, check)
    check()
    return replace(word, rival=Rival(carry(other, mark), support, taken, other.pose, found.pose))
