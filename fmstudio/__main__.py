"""The entry point: ``fmstudio`` and ``python -m fmstudio``."""

import sys
from collections.abc import Sequence

from fmstudio.cli import app


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; leaves by SystemExit.

    Exit codes: 0 done, 1 an error that was said in a sentence, 2 wrong usage, 130 Ctrl+C.

    Parameters
    ----------
    args : sequence of str or None
        None takes those of the process.
    """
    app(args=sys.argv[1:] if args is None else list(args), prog_name="fmstudio")


if __name__ == "__main__":
    main()
