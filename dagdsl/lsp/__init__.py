"""The language server for `.dg` files, spoken over stdin and stdout."""
