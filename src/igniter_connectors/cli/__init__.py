"""The command line: `igniter-connectors`."""

from igniter_connectors.cli.main import main

__all__ = ["main"]
