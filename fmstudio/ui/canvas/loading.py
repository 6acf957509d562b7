"""Images on their way to a canvas: decoded and halved on the compute thread, then kept a while."""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from fmstudio.project.model import ImageItem
from fmstudio.session import CancelToken, ImageRef, Session
from fmstudio.ui.canvas.pyramid import Pyramid

_BUDGET = 512 * 2**20


def load_pyramid(session: Session, image: ImageItem) -> Callable[[CancelToken], Iterator[Pyramid]]:
    """Return a job that yields an image's pyramid; raises `ImageError` where it cannot be read."""
    ref = ImageRef(image.id, image.sha256, image.path, image.size)

    def make(token: CancelToken) -> Iterator[Pyramid]:
        token.check()
        rgb = session.load(ref)
        token.check()
        yield Pyramid(rgb)

    return make


class Shelf:
    """The pyramids that were shown last, so that going back and forth does not decode again.

    Belongs to the GUI thread.

    Parameters
    ----------
    budget : int
        Bytes to keep at most; the last one is kept even if it is larger.
    """

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._kept: OrderedDict[str, Pyramid] = OrderedDict()

    def put(self, image: ImageItem, pyramid: Pyramid) -> None:
        """Keep an image's pyramid, and let go of those that were shown longest ago."""
        # Without a hash nobody knows whether the file is still the same.
        if image.sha256:
            self._kept[image.sha256] = pyramid
            self._kept.move_to_end(image.sha256)
        while len(self._kept) > 1 and sum(p.n_bytes for p in self._kept.values()) > self._budget:
            self._kept.popitem(last=False)

    def get(self, image: ImageItem) -> Pyramid | None:
        """Return an image's pyramid if it is kept."""
        pyramid = self._kept.get(image.sha256)
        if pyramid is not None:
            self._kept.move_to_end(image.sha256)
        return pyramid
