"""`python -m dagdsl`: the `dagdsl` command."""

from dagdsl.cli.app import main

if __name__ == "__main__":
    main()
