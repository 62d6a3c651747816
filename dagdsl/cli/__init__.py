"""The `dagdsl` command, one subcommand a file."""
