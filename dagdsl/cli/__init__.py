"""The `dagdsl` command, one file per subcommand."""
