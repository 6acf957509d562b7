"""Content keys: the same inputs and the same code give the same key, anything else another."""

import hashlib
import json
from dataclasses import asdict

from fmstudio.engine.requests import Mark, MatchSettings

# Raise when the mathematics changes, so that what older code cached is not taken for today's.
CODE_VERSION = 2


def analysis_key(image_key: str, extractor_keys: tuple[str, ...], settings: MatchSettings) -> str:
    """Return the key of one image's features and basis.

    Parameters
    ----------
    image_key : str
        Hash of the image's bytes.
    extractor_keys : tuple of str
        `ExtractorSpec.key` of the basis extractor, then of the descriptor extractors.
    settings : MatchSettings
        Only what shapes features and basis enters: changing a map's weight keeps them, a refinement
        that needs more functions does not.
    """
    parts = (
        CODE_VERSION,
        image_key,
        extractor_keys,
        settings.long_side,
        settings.basis_size,
        settings.basis,
        settings.neighbours,
        settings.laplacian,
    )
    return _digest(parts)


def request_key(image_keys: tuple[str, ...], settings: MatchSettings) -> str:
    """Return the key of what a proposal came from: its images and all settings."""
    return _digest((CODE_VERSION, image_keys, asdict(settings)))


def mark_key(mark: Mark) -> str:
    """Return the key of where an object is: what its maps depend on."""
    points, mask = mark.keypoints, mark.mask
    return _digest(
        (
            None if points is None else (points.xy.tolist(), points.visibility.tolist()),
            None if mask is None else (mask.size.width, mask.size.height, mask.counts.tolist()),
        )
    )


def _digest(value: object) -> str:
    """Return a short hash of a JSON-able value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
