"""Pairs that a person looks at: matched once, then asked again and again.

Between two questions the networks stay loaded and the images analysed, so that an answer takes
milliseconds. Belongs to one thread, the one that asks.
"""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.focus import map_object
from fmstudio.engine.keys import mark_key
from fmstudio.engine.match import Matcher
from fmstudio.engine.object_map import ObjectMap
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
        self._views: OrderedDict[str, View] = OrderedDict()
        self._pairs: OrderedDict[tuple[str, str, str], ObjectMap] = OrderedDict()

    def view(self, image: ImageRef) -> View:
        """Return an image as matching looks at it; raises ImageError if it cannot be opened."""
        if image.key not in self._views:
            known = self.matcher.recall(image.size, image.key)
            analysis = known or self.matcher.analyse(self._load(image), image.key)
            self._views[image.key] = View(analysis, image.key, lambda: self._load(image))
        self._views.move_to_end(image.key)
        while len(self._views) > _IMAGES:
            self._views.popitem(last=False)
        return self._views[image.key]

    def find(
        self, s: ImageRef, t: ImageRef, mark: Mark, check: Callable[[], object] | None = None
    ) -> ObjectMap:
        """Return the map of one object of ``s`` to ``t``; see `map_object`."""
        at = (s.key, t.key, mark_key(mark))
        if at not in self._pairs:
            found = map_object(self.matcher, self.view(s), self.view(t), mark, check=check)
            self._pairs[at] = found
        self._pairs.move_to_end(at)
        while len(self._pairs) > _PAIRS:
            self._pairs.popitem(last=False)
        return self._pairs[at]
