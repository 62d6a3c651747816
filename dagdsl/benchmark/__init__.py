"""Measuring networks: times side by side, memory, and whether the machine was quiet enough."""
