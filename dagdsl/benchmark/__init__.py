"""Benchmarks of networks: interleaved timings, memory, and a check that the machine was idle."""
