"""The IR: a network as data."""
