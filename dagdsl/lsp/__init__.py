"""The language server: what an editor asks about a `.dg` file, answered over stdio."""
