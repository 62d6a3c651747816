"""Diagnostics: the findings about a file, and the formats they are shown in."""
