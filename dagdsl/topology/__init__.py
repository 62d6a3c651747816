"""Connect patterns."""
