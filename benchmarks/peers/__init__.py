"""The networks of the benchmarks, written by hand in plain PyTorch."""
