"""IR -> `torch.fx` -> `torch.compile`: networks as PyTorch modules."""
