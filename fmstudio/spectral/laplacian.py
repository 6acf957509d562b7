"""The Laplacian of a patch graph, with its mass."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

SYMMETRIC = "symmetric"
RANDOM_WALK = "random-walk"


@dataclass(frozen=True, slots=True, eq=False)
class Laplacian:
    """The generalised eigenproblem ``L v = lambda diag(mass) v`` of a graph.

    Attributes
    ----------
    L : sparse array, (n, n) float64
        Symmetric, positive semi-definite.
    mass : ndarray, (n,) float64
        Positive; sums to n.
    """

    L: sparse.csc_array
    mass: NDArray[np.float64]


def build_laplacian(W: sparse.csr_array, kind: str = SYMMETRIC) -> Laplacian:
    """Return the normalised Laplacian of the affinity ``W``.

    "symmetric" is ``I - D^-1/2 W D^-1/2`` with unit mass. "random-walk" is the same spectrum
    written as ``(D - W) v = lambda D v``: its eigenvectors are those of ``I - D^-1 W``, and the
    first is constant. Both have eigenvalues in [0, 2].

    Parameters
    ----------
    W : sparse array, (n, n)
        Symmetric, non-negative, no isolated patch.
    kind : str
        "symmetric" or "random-walk".

    Raises
    ------
    ValueError
        If ``kind`` is another word, or a patch has no neighbour.

    References
    ----------
    von Luxburg 2007, "A tutorial on spectral clustering", doi:10.1007/s11222-007-9033-z,
    section 3.2.
    """
    degree = np.asarray(W.sum(axis=1), dtype=np.float64).ravel()
    if not (degree > 0).all():
        raise ValueError("every patch of the graph needs at least one neighbour")
    n = len(degree)
    if kind == SYMMETRIC:
        scale = sparse.diags_array(1.0 / np.sqrt(degree))
        L = sparse.eye_array(n) - scale @ W @ scale
        return Laplacian(sparse.csc_array(L), np.ones(n))
    if kind == RANDOM_WALK:
        mean = degree.mean()
        L = (sparse.diags_array(degree) - W) / mean
        return Laplacian(sparse.csc_array(L), degree / mean)
    raise ValueError(f'a Laplacian is "{SYMMETRIC}" or "{RANDOM_WALK}", not "{kind}"')
