"""IR -> module tree and `fx.Graph`."""
