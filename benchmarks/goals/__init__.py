"""What dagdsl is held to, measured: `python -m benchmarks.goals`."""
