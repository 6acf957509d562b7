"""Speed as ratios within one run; ``python -m benchmarks`` measures and writes README.md."""

import fmstudio  # noqa: F401 - before torch, which reads how its threads are to wait
