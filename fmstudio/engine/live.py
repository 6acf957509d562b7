"""Pairs that a person looks at: matched once, then asked again and again.

Between two questions the networks stay loaded and the images analysed, so that an answer takes
milliseconds. Belongs to one thread, the one that asks.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.focus import map_object
from fmstudio.engine.keys import mark_key
from fmstudio.engine.match import Matcher
from fmstudio.engine.object_map import ObjectMap
from fmstudio.engine.propagate import look_at
from fmstudio.engine.recent import Recent
from fmstudio.engine.requests import ImageRef, Mark
from fmstudio.engine.views import View

# Bounds of what is kept, least recently asked for out first: an image takes some 20 MB with its
# looks, a pair some 5.
_IMAGES, _PAIRS = 12, 24


class LivePairs:
    """Images and pairs, kept between questions.

    Parameters
    ----------
    matcher : Matcher
        Best with a cache: then an image is opened at most once.
    load : callable
        Opens an image: ``ImageRef -> (H, W, 3) uint8``; raises `ImageError`.
    """

    def __init__(self, matcher: Matcher, load: Callable[[ImageRef], NDArray[np.uint8]]) -> None:
        self.matcher = matcher
        self._load = load
        self._views: Recent[str, View] = Recent()
        self._pairs: Recent[tuple[str, str, str], ObjectMap] = Recent()

    def view(self, image: ImageRef) -> View:
        """Return an image as matching looks at it; raises ImageError if it cannot be opened."""
        return self._views.get(image.key, lambda: look_at(self.matcher, self._load, image), _IMAGES)

    def find(
        self, s: ImageRef, t: ImageRef, mark: Mark, check: Callable[[], object] | None = None
    ) -> ObjectMap:
        """Return the map of one object of ``s`` to ``t``; see `map_object`."""
        return self._pairs.get(
            (s.key, t.key, mark_key(mark)),
            lambda: map_object(self.matcher, self.view(s), self.view(t), mark, check=check),
            _PAIRS,
        )
