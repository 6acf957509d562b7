"""Speed as ratios within one run; ``python -m benchmarks`` measures and writes README.md."""
