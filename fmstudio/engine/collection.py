"""A whole set of images at a glance: from its images to an `Overview`.

Memory: d numbers an image for its global descriptor, and for at most `MOST_MAPPED` images what
their maps need (a few hundred kilobytes each). Of a larger set, images far from each other are
mapped; the others have a place, a cluster and a coverage by their global descriptors alone.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from fmstudio.engine.agreement import ImageSummary, summarise
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.match import Matcher
from fmstudio.engine.overview import FEWEST, Outlier, OutlierReason, Overview
from fmstudio.engine.propagate import look_at
from fmstudio.engine.requests import Failure, ImageRef, Phase, Progress
from fmstudio.errors import ImageError, MatchError
from fmstudio.spectral.collection import (
    Collection,
    CollectionSettings,
    cycle_losses,
    edge_errors,
    image_errors,
    image_graph,
    outlier_images,
    solve_collection,
    triangles,
)
from fmstudio.spectral.coverage import centred, coverage

MOST_MAPPED = 300
# Few functions and maps solved on their own tell best who does not belong: docs/method.md.
_FUNCTIONS, _NEIGHBOURS = 40, 4
_SETTINGS = CollectionSettings(consistency=0.0, latent=10, rounds=0)
# Clusters end where images are, on average, no more alike than any two of the set.
_UNLIKE = 1.0
Load = Callable[[ImageRef], NDArray[np.uint8]]


def overview(
    images: Sequence[ImageRef],
    is_annotated: Sequence[bool],
    load: Load,
    matcher: Matcher,
    token: CancelToken,
) -> Iterator[Progress | Overview]:
    """Yield progress per image, and at last the overview of a set.

    Parameters
    ----------
    images : sequence of ImageRef
    is_annotated : sequence of bool
        Which of them can be references already.
    load : callable
        Opens an image that is not cached.
    matcher : Matcher
    token : CancelToken

    Raises
    ------
    Cancelled
        When the token is set.
    MatchError
        If fewer than three images can be read.
    """
    kept, descriptors, failures = yield from look_over(images, load, matcher, token)
    if len(kept) < FEWEST:
        raise MatchError(f"At least {FEWEST} images that can be read are needed, not {len(kept)}.")
    chosen = spread(centred(descriptors), MOST_MAPPED)
    summaries = []
    for done, at in enumerate(chosen.tolist()):
        token.check()
        yield Progress(Phase.BASIS, done, len(chosen))
        analysis = look_at(matcher, load, images[kept[at]]).analysis
        summaries.append(summarise(analysis, replace(matcher.settings, k=_FUNCTIONS)))
    yield Progress(Phase.MATCH, 0, len(chosen))
    ids = tuple(images[at].id for at in kept)
    annotated = np.asarray(is_annotated, dtype=np.bool_)[kept]
    found = _found(ids, descriptors, annotated, chosen, summaries, token)
    yield replace(found, failures=failures)


def look_over(
    images: Sequence[ImageRef], load: Load, matcher: Matcher, token: CancelToken
) -> Generator[Progress, None, tuple[list[int], NDArray[np.float32], tuple[Failure, ...]]]:
    """Yield progress per image; return what each looks like as a whole.

    Images that are cached are not opened; the others are analysed, for good.

    Parameters
    ----------
    images, load, matcher, token
        As for `overview`.

    Returns
    -------
    kept : list of int
        Indices of the n images that can be read.
    descriptors : ndarray, (n, d)
        Their global descriptors: the means of their patches'; (0, 0) without any.
    failures : tuple of Failure
        The others.

    Raises
    ------
    Cancelled
        When the token is set.
    """
    means, kept, failures = [], [], []
    for done, image in enumerate(images):
        token.check()
        yield Progress(Phase.FEATURES, done, len(images))
        try:
            mean = look_at(matcher, load, image).analysis.descriptors.mean(dim=0)
        except ImageError as error:
            failures.append(Failure(image, str(error)))
            continue
        means.append(mean.float().cpu().numpy())
        kept.append(done)
    yield Progress(Phase.FEATURES, len(images), len(images))
    descriptors = np.stack(means) if means else np.zeros((0, 0), dtype=np.float32)
    return kept, descriptors, tuple(failures)


def spread(unit: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return so many rows (n, d) far from each other, ascending; all where there are no more.

    Farthest point sampling from the first row on: count * n * d multiplications.

    References
    ----------
    Gonzalez 1985, "Clustering to minimize the maximum intercluster distance",
    doi:10.1016/0304-3975(85)90224-5.
    """
    if len(unit) <= count:
        return np.arange(len(unit))
    chosen = [0]
    nearest = unit @ unit[0]
    while len(chosen) < count:
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, unit @ unit[chosen[-1]])
        nearest[chosen] = np.inf
    return np.sort(np.array(chosen))


def _found(
    ids: tuple[int, ...],
    descriptors: NDArray[np.float32],
    annotated: NDArray[np.bool_],
    chosen: NDArray[np.int64],
    summaries: Sequence[ImageSummary],
    token: CancelToken,
) -> Overview:
    """Return the overview of images whose descriptors (n, d) and, of those chosen, maps count."""
    unit = centred(descriptors)
    graph = image_graph(torch.from_numpy(descriptors[chosen]), _NEIGHBOURS)
    solved = solve_collection(
        [summary.descriptors for summary in summaries],
        [summary.evals for summary in summaries],
        graph,
        _SETTINGS,
        check=token.check,
    )
    by_edge = edge_errors(solved.maps, solved.latent)
    errors = np.full(len(ids), np.nan)
    errors[chosen] = image_errors(by_edge)
    through = np.full(len(ids), np.nan)
    through[chosen] = _through(solved, len(chosen), token)
    pairs = graph.tolist()
    return Overview(
        ids,
        places(unit),
        clusters(unit, chosen),
        coverage(unit, annotated),
        errors,
        through,
        chosen[graph],
        np.array([(by_edge[i, j] + by_edge[j, i]) / 2 for i, j in pairs]),
        cycle_losses(solved.maps, pairs, check=token.check),
        outliers(errors, unusual(descriptors)),
    )


def _through(solved: Collection, count: int, token: CancelToken) -> NDArray[np.float64]:
    """Return the median loss (count,) of the triangles through each image, NaN without any."""
    cycles = np.array(triangles(solved.maps), dtype=np.int64).reshape(-1, 3)
    losses = cycle_losses(solved.maps, cycles.tolist(), check=token.check)
    medians = np.full(count, np.nan)
    for image in range(count):
        own = losses[(cycles == image).any(axis=1)]
        if len(own):
            medians[image] = np.median(own)
    return medians


def places(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a place (n, 2) in [0, 1] for each descriptor (n, d): two principal components.

    The larger entries of a component are positive, so that a set always looks the same.
    """
    evecs = np.linalg.eigh(unit.T @ unit)[1][:, :-3:-1]
    largest = evecs[np.abs(evecs).argmax(axis=0), np.arange(2)]
    xy = unit @ (evecs * np.sign(largest))
    low, high = xy.min(axis=0), xy.max(axis=0)
    return np.asarray((xy - low) / np.maximum(high - low, 1e-9))


def clusters(unit: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the cluster (n,) of each descriptor (n, d); the largest is 0.

    The chosen ones are joined by average linkage of cosine distances until what is joined would be
    no more alike than any two of the set; each other one belongs where its nearest chosen one does.
    """
    distances = np.clip(1 - unit[chosen] @ unit[chosen].T, 0.0, 2.0)
    condensed = distances[np.triu_indices(len(chosen), 1)]
    labels = fcluster(linkage(condensed, "average"), _UNLIKE, "distance")
    nearest = np.concatenate(
        [(rows @ unit[chosen].T).argmax(axis=1) for rows in np.array_split(unit, _pieces(unit))]
    )
    nearest[chosen] = np.arange(len(chosen))
    labels = labels[nearest]
    names, sizes = np.unique(labels, return_counts=True)
    rank = np.argsort(np.argsort(-sizes, kind="stable"))
    return np.asarray(rank[np.searchsorted(names, labels)], dtype=np.int64)


def unusual(descriptors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return how unlike the set each descriptor (n, d) is: 1 - cosine with the median one."""
    unit = descriptors / np.maximum(np.linalg.norm(descriptors, axis=1, keepdims=True), 1e-12)
    middle = np.median(unit, axis=0)
    return np.asarray(1 - unit @ (middle / max(float(np.linalg.norm(middle)), 1e-12)))


def outliers(errors: NDArray[np.float64], distances: NDArray[np.float64]) -> tuple[Outlier, ...]:
    """Return the images that stand out, by both measures first, then by maps, then by looks.

    Parameters
    ----------
    errors : ndarray, (n,)
        Of the images' maps; NaN where there are none.
    distances : ndarray, (n,)
        See `unusual`.
    """
    mapped = np.flatnonzero(np.isfinite(errors))
    by_maps = mapped[outlier_images(errors[mapped])].tolist()
    by_looks = outlier_images(distances).tolist()
    both = [at for at in by_maps if at in by_looks]
    return (
        *(Outlier(at, OutlierReason.BOTH) for at in both),
        *(Outlier(at, OutlierReason.MAPS) for at in by_maps if at not in both),
        *(Outlier(at, OutlierReason.LOOKS) for at in by_looks if at not in both),
    )


def _pieces(unit: NDArray[np.float64]) -> int:
    """Return in how many pieces rows are compared, so that each takes a few megabytes."""
    return 1 + len(unit) // 4096
