"""What an entry of a functional map costs: Laplacian penalties from loose to partial."""

import torch

COMMUTATOR = "commutator"
SLANTED = "slanted"
RESOLVENT = "resolvent"
PENALTIES = (COMMUTATOR, SLANTED, RESOLVENT)

# Of the slanted penalty: how fast it is eased towards high frequencies; the paper's value.
_EASE = 0.03
# Of the resolvent penalty: the power of the Laplacian; the paper's value.
_POWER = 0.5


def laplacian_penalty(
    kind: str, evals_s: torch.Tensor, evals_t: torch.Tensor, *, slope: float = 1.0
) -> torch.Tensor:
    """Return the squared weights of a functional map's entries by the name of a penalty.

    All three are brought to the mean of the commutator's, so that one ``lap_weight`` means the
    same whichever is taken.

    Parameters
    ----------
    kind : str
        "commutator", "slanted" or "resolvent".
    evals_s, evals_t : Tensor, (k_s,) and (k_t,)
    slope : float
        Of the diagonal of "slanted", above 0; the other two do not look at it.

    Returns
    -------
    penalty : Tensor, (k_t, k_s)
        At least 0.

    Raises
    ------
    ValueError
        If ``kind`` is another word, or ``slope`` is not above 0.
    """
    commutator = commutator_penalty(evals_s, evals_t)
    if kind == COMMUTATOR:
        return commutator
    if kind == SLANTED:
        penalty = slanted_penalty(len(evals_s), len(evals_t), slope=slope).to(commutator)
    elif kind == RESOLVENT:
        penalty = resolvent_penalty(evals_s, evals_t)
    else:
        raise ValueError(f'a Laplacian penalty is one of {", ".join(PENALTIES)}, not "{kind}"')
    # One function in either basis leaves nothing to penalise, and nothing to divide by.
    size = penalty.mean().clamp_min(torch.finfo(penalty.dtype).tiny)
    return penalty * (commutator.mean() / size)


def commutator_penalty(evals_s: torch.Tensor, evals_t: torch.Tensor) -> torch.Tensor:
    """Return ``(evals_s - evals_t)^2``, (k_t, k_s): the map commutes with the Laplacians.

    ``|C diag(evals_s) - diag(evals_t) C|^2`` is the sum of this times ``C^2``.

    References
    ----------
    Ovsjanikov et al. 2012, "Functional Maps", doi:10.1145/2185520.2185526, section 5.
    """
    return (evals_s[None, :] - evals_t[:, None]).square()


def slanted_penalty(k_s: int, k_t: int, *, slope: float) -> torch.Tensor:
    """Return the squared distance of each entry to a slanted diagonal, (k_t, k_s) float64.

    With i and j counting source and target functions from 0,
    ``w_ji = exp(-0.03 sqrt((i + 1)^2 + (j + 1)^2)) |slope i - j| / sqrt(1 + slope^2)``: where the
    images show different shares of one scene, function i of the source has the frequency of
    function ``slope i`` of the target. Squared, because it stands for ``|W o C|^2``. The reverse
    map's penalty, with slope ``1 / slope``, is the transpose.

    Raises
    ------
    ValueError
        If ``slope`` is not above 0.

    References
    ----------
    Rodola et al. 2017, "Partial functional correspondence", doi:10.1111/cgf.12797:
    there the slope is the rank of C over k, estimated from the eigenvalues of part and whole; here
    both images are parts, see `fmstudio.spectral.partial.slant`.
    """
    if not slope > 0:
        raise ValueError(f"the slope of the diagonal must be above 0, not {slope}")
    i = torch.arange(k_s, dtype=torch.float64)[None, :]
    j = torch.arange(k_t, dtype=torch.float64)[:, None]
    ease = torch.exp(-_EASE * torch.hypot(i + 1, j + 1))
    return (ease * (slope * i - j)).square() / (1 + slope**2)


def resolvent_penalty(evals_s: torch.Tensor, evals_t: torch.Tensor) -> torch.Tensor:
    """Return the resolvents' squared difference, (k_t, k_s): bounded at high frequencies.

    With the eigenvalues divided by the largest of both images and raised to 1/2, called x on the
    source and y on the target:
    ``(y / (1 + y^2) - x / (1 + x^2))^2 + (1 / (1 + y^2) - 1 / (1 + x^2))^2``.

    References
    ----------
    Ren et al. 2019, "Structured regularization of functional map computations",
    doi:10.1111/cgf.13788: complex resolvent at i, power 1/2.
    """
    largest = torch.maximum(evals_s.max(), evals_t.max())
    largest = largest.clamp_min(torch.finfo(evals_s.dtype).tiny)
    # Rounding may put the first eigenvalue a hair below 0, whose root is none.
    x = (evals_s.clamp_min(0) / largest).pow(_POWER)[None, :]
    y = (evals_t.clamp_min(0) / largest).pow(_POWER)[:, None]
    real = y / (1 + y.square()) - x / (1 + x.square())
    imaginary = 1 / (1 + y.square()) - 1 / (1 + x.square())
    return real.square() + imaginary.square()
