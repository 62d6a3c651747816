"""Syntax tree -> IR: imports, names, values, expansion, shapes."""
