"""Tree -> IR: imports, names, values, expansion, shapes."""
