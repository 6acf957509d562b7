"""How well patches match according to a functional map: the decoders by their names."""

from typing import TYPE_CHECKING

import torch

from fmstudio.engine.requests import MatchSettings
from fmstudio.spectral.convert import hub_corrected, map_similarity
from fmstudio.spectral.decode import (
    concatenated_similarity,
    spectral_similarity,
    transferred_similarity,
)

if TYPE_CHECKING:
    from fmstudio.engine.match import ImageAnalysis


def patch_score(
    C_st: torch.Tensor,
    s: "ImageAnalysis",
    t: "ImageAnalysis",
    raw: torch.Tensor,
    settings: MatchSettings,
    *,
    A_s: torch.Tensor,
) -> torch.Tensor:
    """Return the score that points and masks of a pair are decoded from.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
        In the first functions of the bases.
    s, t : ImageAnalysis
    raw : Tensor, (n_s, n_t)
        Cosine similarity of the descriptors.
    settings : MatchSettings
        Of which the decoder, its weight and the hub correction are looked at.
    A_s : Tensor, (k_s, d)
        The source's descriptors in the map's functions.

    Returns
    -------
    score : Tensor, (n_s, n_t)
        Higher is better.
    """
    similarity = _similarity(C_st, s, t, raw, settings, A_s)
    return hub_corrected(similarity) if settings.hub_correction else similarity


def _similarity(
    C_st: torch.Tensor,
    s: "ImageAnalysis",
    t: "ImageAnalysis",
    raw: torch.Tensor,
    settings: MatchSettings,
    A_s: torch.Tensor,
) -> torch.Tensor:
    """Return the similarity (n_s, n_t) that the settings' decoder takes from a map."""
    basis_s, basis_t = s.basis.truncated(C_st.shape[1]), t.basis.truncated(C_st.shape[0])
    match settings.decoder:
        case "mixed":
            mapped = map_similarity(C_st, basis_s, basis_t, A_s)
            return torch.lerp(raw, mapped, settings.map_weight)
        case "band-limited":
            return map_similarity(C_st, basis_s, basis_t, A_s)
        case "spectral":
            return spectral_similarity(C_st, basis_s.per_patch(), basis_t.per_patch())
        case "transferred" | "concatenated":
            transferred = transferred_similarity(C_st, basis_s, basis_t, s.descriptors)
            if settings.decoder == "transferred":
                return transferred
            return concatenated_similarity(transferred, raw)
        case other:
            raise ValueError(f'there is no decoder "{other}"')
