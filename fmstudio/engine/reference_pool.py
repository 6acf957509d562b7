"""The references of a run, and which of them a target takes."""

from collections.abc import Callable, Iterator

import torch

from fmstudio.engine.recent import Recent
from fmstudio.engine.requests import ImageRef, Reference
from fmstudio.engine.views import View, mean_descriptor

# Views that are held at once where not every target takes all references: some 20 MB each.
_HELD = 12


class ReferencePool:
    """References, found by what their images look like.

    Parameters
    ----------
    look : callable
        Returns an image as matching looks at it; raises `ImageError`.
    nearest : int
        How many references a target takes; 0 takes all, and then all are held.
    """

    def __init__(self, look: Callable[[ImageRef], View], nearest: int) -> None:
        self._look = look
        self._nearest = nearest
        self._references: list[Reference] = []
        self._means: list[torch.Tensor] = []
        self._views: Recent[int, View] = Recent()

    def __len__(self) -> int:
        return len(self._references)

    def add(self, reference: Reference) -> None:
        """Take a reference in; raises ImageError if its image cannot be read."""
        view = self._view(len(self), reference.image)
        self._references.append(reference)
        self._means.append(mean_descriptor(view))

    def views(self) -> Iterator[View]:
        """Yield each reference's view, in their order."""
        for index, reference in enumerate(self._references):
            yield self._view(index, reference.image)

    def near(self, target: View) -> list[tuple[Reference, View]]:
        """Return the references that a target takes, in their order.

        Those whose mean descriptor is most like the target's, by cosine.
        """
        chosen = list(range(len(self)))
        if 0 < self._nearest < len(self):
            alike = torch.stack(self._means) @ mean_descriptor(target)
            chosen = sorted(alike.topk(self._nearest).indices.tolist())
        references = [(index, self._references[index]) for index in chosen]
        return [(each, self._view(index, each.image)) for index, each in references]

    def _view(self, index: int, image: ImageRef) -> View:
        """Return a reference's view, looked at anew where it was let go."""
        most = max(_HELD, self._nearest) if self._nearest else None
        return self._views.get(index, lambda: self._look(image), most)
