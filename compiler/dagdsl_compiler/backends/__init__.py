"""`fx.GraphModule` -> callable."""
