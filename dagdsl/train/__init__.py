"""`Net` and data -> a trained run folder, and back.

Import from the modules: `loop.train`, `evaluate.evaluate`, `config.TrainConfig`. Nothing is
re-exported, so that reading a config does not import torch's compiler.
"""
