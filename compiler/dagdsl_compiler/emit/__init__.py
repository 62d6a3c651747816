"""Emit a net as `model.py`, standalone PyTorch source."""

from dagdsl_compiler.emit.source import emit_source as emit_source
