"""Training: a network and data -> a run folder, and a run folder -> its evaluation.

Nothing is re-exported here, because `config`, `metrics`, `observer` and `options` work without
torch.
"""
