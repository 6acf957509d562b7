"""Functional maps over a set of images: consistency, what it corrects, and who breaks it.

Maps stand under the edge they belong to: ``maps[i, j]`` is C_ij (k_j, k_i), from image i to j.
Images are numbered from 0 and every one has a map. With N images, e edges between them, each
mapped both ways, k functions an image and a latent basis of q, memory is ``2 e k^2`` numbers for
the maps, ``N k q`` for the latent basis, and while that is solved about ``10 N k q`` numbers and
``(N + 4 e) k^2`` entries of a sparse matrix (24 bytes each). On an `image_graph`, whose e is below
N (neighbours + 1), all of it is linear in N.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from fmstudio.spectral.fmap import fmap_energy, solve_fmap
from fmstudio.spectral.graph import knn_edges
from fmstudio.spectral.latent import Edge, Maps, check_connected, latent_basis


@dataclass(frozen=True, slots=True)
class CollectionSettings:
    """How the maps of a set of images are solved together.

    Attributes
    ----------
    laplacian : float
        Weight of Laplacian commutativity, as in `solve_fmap`, at least 0.
    consistency : float
        Weight of ``N |C_ij Y_i - Y_j|^2``, at least 0; the N undoes that of ``sum Y_i' Y_i = I``.
    latent : int
        Size q of the latent basis, at least 1; at most the smallest k is taken. Maps of few
        functions are what images of one kind agree on: few tell best who does not belong.
    rounds : int
        How often maps are solved again with the latent basis of the last ones, at least 0.
    """

    laplacian: float = 0.1
    consistency: float = 0.1
    latent: int = 10
    rounds: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """The maps of a set of images with their latent basis.

    Attributes
    ----------
    maps : Mapping of (i, j) to Tensor, (k_j, k_i)
    latent : tuple of Tensor, (k_i, q) each
        ``sum Y_i' Y_i = I``.
    energies : tuple of float
        The joint objective before the first round and after each; it never grows.
    """

    maps: Maps
    latent: tuple[torch.Tensor, ...]
    energies: tuple[float, ...]


def image_graph(global_descriptors: torch.Tensor, neighbours: int) -> NDArray[np.int64]:
    """Return a sparse connected graph of images: nearest neighbours and a minimum spanning tree.

    Distances are ``1 - cosine``. The tree is grown by Prim's algorithm, one row of distances at a
    time: N^2 d multiplications, but never N^2 numbers in memory.

    Parameters
    ----------
    global_descriptors : Tensor, (N, d)
        One row an image, for instance the mean of its patches.
    neighbours : int
        At least 1; at most N - 1 are there to be taken.

    Returns
    -------
    edges : ndarray, (e, 2) int64
        The smaller index first, each edge once; e < N (neighbours + 1).

    Raises
    ------
    ValueError
        If there are fewer than two images, or ``neighbours`` is below 1.

    References
    ----------
    Prim 1957, "Shortest connection networks", doi:10.1002/j.1538-7305.1957.tb01515.x.
    """
    count = len(global_descriptors)
    if count < 2:
        raise ValueError(f"a graph of images needs at least 2 of them, not {count}")
    nearest = knn_edges(global_descriptors, min(neighbours, count - 1))
    tree = _spanning_tree(normalize(global_descriptors, dim=1))
    return np.unique(np.concatenate([nearest, tree]), axis=0)


def triangles(maps: Maps) -> tuple[tuple[int, int, int], ...]:
    """Return the cycles of three images along which there are maps, each once in each direction."""
    onward: dict[int, list[int]] = {}
    for i, j in sorted(maps):
        onward.setdefault(i, []).append(j)
    return tuple(
        (i, j, k)
        for i, j in sorted(maps)
        for k in onward.get(j, [])
        if (k, i) in maps and i < min(j, k)
    )


def cycle_losses(
    maps: Maps, cycles: Sequence[Sequence[int]], *, check: Callable[[], object] | None = None
) -> NDArray[np.float64]:
    """Return how far the maps along each cycle are from leading back to where they began.

    For a cycle (a, b, ..., z): ``|C_za ... C_ab - I|^2 / k_a``. 0 is consistent; around 1 or more
    says nothing is left of the functions.

    Parameters
    ----------
    maps : Mapping of (i, j) to Tensor, (k_j, k_i)
    cycles : sequence of sequences of int
        Images in order, each at least two; the last leads back to the first.
    check : callable or None
        Called before each cycle; what it raises ends the work.

    Returns
    -------
    losses : ndarray, (c,) float64

    Raises
    ------
    ValueError
        If a cycle has fewer than two images, or a map that it needs is missing.
    """
    losses = []
    for cycle in cycles:
        if check is not None:
            check()
        if len(cycle) < 2:
            raise ValueError(f"a cycle has at least two images, not {list(cycle)}")
        steps = [(cycle[i], cycle[(i + 1) % len(cycle)]) for i in range(len(cycle))]
        missing = [step for step in steps if step not in maps]
        if missing:
            raise ValueError(
                f"the cycle {list(cycle)} needs the map {missing[0]}, which is not there"
            )
        product = maps[steps[0]]
        for step in steps[1:]:
            product = maps[step] @ product
        size = len(product)
        losses.append(float((product - torch.eye(size).to(product)).square().sum()) / size)
    return np.array(losses)


def edge_errors(maps: Maps, latent: Sequence[torch.Tensor]) -> dict[Edge, float]:
    """Return for each map ``|C_ij Y_i - Y_j|^2 / (|Y_i|^2 + |Y_j|^2)``: 0 is consistent."""
    errors = {}
    for (i, j), C in maps.items():
        whole = latent[i].square().sum() + latent[j].square().sum()
        misfit = (C @ latent[i] - latent[j]).square().sum()
        errors[i, j] = float(misfit / whole.clamp_min(torch.finfo(whole.dtype).tiny))
    return errors


def image_errors(errors: Mapping[Edge, float]) -> NDArray[np.float64]:
    """Return the median error (N,) of the maps from and to each image.

    The median: an image is not to blame for one neighbour that does not belong. An image with one
    neighbour only is consistent with whatever its maps say.

    Parameters
    ----------
    errors : Mapping of (i, j) to float
        See `edge_errors`; every image has one.
    """
    count = 1 + max(max(edge) for edge in errors)
    own: list[list[float]] = [[] for _ in range(count)]
    for edge, error in errors.items():
        for image in edge:
            own[image].append(error)
    return np.array([float(np.median(values)) for values in own])


def outlier_images(errors: NDArray[np.float64], *, deviations: float = 5.0) -> NDArray[np.int64]:
    """Return the images whose error stands out, the worst first.

    Those above ``median + deviations * s``, where s is 1.4826 times the median absolute deviation
    (the standard deviation of a normal distribution) and at least a tenth of the median.

    Parameters
    ----------
    errors : ndarray, (N,)
        See `image_errors`.
    deviations : float
        Above 0.
    """
    center = float(np.median(errors))
    scale = max(1.4826 * float(np.median(np.abs(errors - center))), 0.1 * center, 1e-9)
    order = np.argsort(-errors, kind="stable")
    return np.asarray(order[errors[order] > center + deviations * scale], dtype=np.int64)


def solve_collection(
    descriptors: Sequence[torch.Tensor],
    evals: Sequence[torch.Tensor],
    edges: NDArray[np.int64],
    settings: CollectionSettings | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
    check: Callable[[], object] | None = None,
) -> Collection:
    """Return maps between neighbouring images that agree with each other.

    Alternates two exact minimisations of
    ``sum |C_ij A_i - A_j|^2 + mu |C_ij diag(l_i) - diag(l_j) C_ij|^2 + w N |C_ij Y_i - Y_j|^2``:
    over Y with the maps held fixed, see `latent_basis`, and over the maps with Y held fixed. There
    the last term is one more set of descriptors: ``w N Y_i Y_i'`` is added to the Gram matrix and
    ``w N Y_j Y_i'`` to the right-hand side of the closed form.

    Parameters
    ----------
    descriptors : sequence of Tensor, (k_i, p) each
        In each image's basis; same p, same device.
    evals : sequence of Tensor, (k_i,) each
    edges : ndarray, (e, 2)
        Pairs of images, mapped in both directions.
    settings : CollectionSettings or None
        None is the default.
    progress : callable or None
        Called with (rounds done, rounds).
    check : callable or None
        Called before each map; what it raises ends the work.

    Raises
    ------
    ValueError
        If the edges do not connect all images, or a shape does not fit.
    ArithmeticError
        If the latent basis does not converge.

    References
    ----------
    Wang, Huang and Guibas 2013, doi:10.1109/ICCV.2013.110.
    """
    settings = settings or CollectionSettings()
    both = [(int(i), int(j)) for i, j in (*edges, *edges[:, ::-1])]
    check_connected(both, len(descriptors))
    A, energies = list(descriptors), []
    weight = (settings.consistency * len(A)) ** 0.5
    size = min(settings.latent, *(len(e) for e in evals))
    for done in range(settings.rounds + 1):
        maps = {}
        for i, j in both:
            if check is not None:
                check()
            mu = settings.laplacian
            maps[i, j] = solve_fmap(A[i], A[j], evals[i], evals[j], lap_weight=mu)
        latent = latent_basis(maps, size, check=check)
        A = [torch.cat([a, weight * y], dim=1) for a, y in zip(descriptors, latent, strict=True)]
        energies.append(
            sum(
                fmap_energy(C, A[i], A[j], evals[i], evals[j], lap_weight=settings.laplacian)
                for (i, j), C in maps.items()
            )
        )
        if progress is not None:
            progress(done, settings.rounds)
    return Collection(maps, latent, tuple(energies))


def _spanning_tree(unit: torch.Tensor) -> NDArray[np.int64]:
    """Return the edges (N - 1, 2) of the tree of largest cosines of unit rows (N, d)."""
    nearest = torch.zeros(len(unit), dtype=torch.int64, device=unit.device)
    similarity = unit @ unit[0]
    similarity[0] = -torch.inf
    edges = []
    for _ in range(len(unit) - 1):
        new = int(similarity.argmax())
        edges.append(sorted((int(nearest[new]), new)))
        own = unit @ unit[new]
        # Who is in the tree stays at minus infinity.
        closer = (own > similarity) & similarity.isfinite()
        similarity = torch.where(closer, own, similarity)
        nearest[closer] = new
        similarity[new] = -torch.inf
    return np.array(edges, dtype=np.int64)
