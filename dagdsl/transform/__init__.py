"""Text -> other text: what a person would otherwise rewrite by hand."""
