"""Maps of many images that agree with each other, for those pairs that will be asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fmstudio.engine.requests import MatchSettings
from fmstudio.engine.solve import coefficients, first_functions
from fmstudio.spectral.collection import CollectionSettings, image_graph, solve_collection

if TYPE_CHECKING:
    from fmstudio.engine.match import ImageAnalysis

# Of each image in the graph: enough for cycles, few enough to stay linear in the images.
_NEIGHBOURS = 3
# Latent functions: the shared ones; through all k, maps are worse than on their own.
_LATENT = 10


@dataclass(frozen=True, slots=True, eq=False)
class ImageSummary:
    """What maps that agree need of an image: a thousandth of its analysis.

    Attributes
    ----------
    key : str
        `ImageAnalysis.key`.
    descriptors : Tensor, (k, d)
        In its basis, on the scale of `coefficients`.
    evals : Tensor, (k,)
    mean : Tensor, (d,)
        Of its patches: by it images find their neighbours.
    """

    key: str
    descriptors: torch.Tensor
    evals: torch.Tensor
    mean: torch.Tensor


def summarise(image: "ImageAnalysis", settings: MatchSettings) -> ImageSummary:
    """Return what maps that agree need of an image."""
    basis = first_functions(image.basis, settings.k)
    aligned = coefficients(image.descriptors, image.grid, basis, settings.foreground)
    return ImageSummary(image.key, aligned, basis.evals, image.descriptors.mean(dim=0))


def agreed_maps(
    images: Sequence[ImageSummary],
    pairs: Sequence[tuple[int, int]],
    settings: MatchSettings,
    check: Callable[[], object] | None = None,
) -> Mapping[tuple[str, str], torch.Tensor]:
    """Return the functional maps of pairs, solved together with those of a sparse graph of images.

    Parameters
    ----------
    images : sequence of ImageSummary
        At least two.
    pairs : sequence of (int, int)
        Source and target, as indices of ``images``.
    settings : MatchSettings
        Its ``consistency`` and ``lap_weight``; the penalty is the commutator's.
    check : callable or None
        Called before each map; what it raises ends the work.

    Returns
    -------
    maps : Mapping of (source key, target key) to Tensor, (k_t, k_s)

    References
    ----------
    Wang, Huang and Guibas 2013, doi:10.1109/ICCV.2013.110; see `fmstudio.spectral.collection`.
    """
    graph = image_graph(torch.stack([image.mean for image in images]), _NEIGHBOURS)
    asked = np.sort(
        np.array([pair for pair in pairs if pair[0] != pair[1]], dtype=np.int64), axis=1
    )
    edges = np.unique(np.concatenate([graph, asked.reshape(-1, 2)]), axis=0)
    smallest = min(len(image.evals) for image in images)
    solved = solve_collection(
        [image.descriptors for image in images],
        [image.evals for image in images],
        edges,
        CollectionSettings(
            laplacian=settings.lap_weight,
            consistency=settings.consistency,
            latent=min(_LATENT, smallest),
        ),
        check=check,
    )
    return {(images[s].key, images[t].key): solved.maps[s, t] for s, t in pairs if s != t}
