"""Op of the IR -> the module or function that computes it."""
