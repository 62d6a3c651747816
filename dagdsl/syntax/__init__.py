"""Parser, recovery, formatter and printer: text to syntax tree and back."""
