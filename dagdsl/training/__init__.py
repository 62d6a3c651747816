"""`Net` and data -> a trained run folder, and back.

Import from the modules: `loop.train`, `evaluate.evaluate`, `config.TrainConfig`. Nothing is
re-exported: `config`, `metrics` and `observer` do without torch, and so can `--help`.
"""
