"""The command line."""

from igniter_connectors.cli.main import main

__all__ = ["main"]
