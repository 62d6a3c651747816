"""Measurements of the performance goals: `python -m benchmarks.goals`."""
