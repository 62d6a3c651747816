"""Findings about a file, and how they are shown."""
