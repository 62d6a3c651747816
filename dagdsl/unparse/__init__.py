"""IR -> the text of a `.dg` file that elaborates to the same IR."""
