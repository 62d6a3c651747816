"""IR -> the text of a `.dg` file that gives the same IR."""
