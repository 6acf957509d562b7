"""How many examples a fuzzed test takes: few on CI, as many as a person asks for."""

import os


def rounds(usual: int) -> int:
    """Return ``usual``, or the number in FMSTUDIO_EXAMPLES."""
    return int(os.environ.get("FMSTUDIO_EXAMPLES", usual))
