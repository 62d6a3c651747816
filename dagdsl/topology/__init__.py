"""The connect patterns of the language."""
