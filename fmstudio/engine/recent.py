"""What was used lately, so much of it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by their keys; those that were not used for longest are let go."""

    def __init__(self) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V], most: int | None) -> V:
        """Return the value of a key, made where it is not kept.

        Parameters
        ----------
        key : K
        make : callable
            Makes the value; what it raises leaves all as it is.
        most : int or None
            Values that are kept afterwards, at least 1; None keeps all.
        """
        if key not in self._values:
            self._values[key] = make()
        self._values.move_to_end(key)
        while most is not None and len(self._values) > most:
            self._values.popitem(last=False)
        return self._values[key]
