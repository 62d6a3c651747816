"""Functions and modules that lowered graphs call, each self-contained."""
