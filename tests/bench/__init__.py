"""Benchmarks: `make bench`. Figures are quoted as ratios to a reference of the same run."""
