"""The command line: a thin user of the façade. One command, one file."""

from repository.cli.main import main

__all__ = ["main"]
