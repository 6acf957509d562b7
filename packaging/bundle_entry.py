"""What the bundle's programs run first: the command line, or the window when nothing is typed."""

import multiprocessing

from fmstudio.__main__ import main

if __name__ == "__main__":
    # Libraries start helpers by running the program again, as they would run Python.
    multiprocessing.freeze_support()
    main()
