"""Backends: an `fx.GraphModule` -> a callable."""
