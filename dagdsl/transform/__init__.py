"""Source-to-source transformations of `.dg` files."""
