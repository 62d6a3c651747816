"""`fx.Graph` -> `fx.Graph`: small passes, each verified."""
