"""Everything that a command prints. Text from outside is escaped here, and nowhere else."""

from __future__ import annotations

import click

from igniter_connectors.core.printable import printable, printable_json


def print_line(text: str, *, to_stderr: bool = False) -> None:
    """Prints one line."""
    click.echo(printable(text), err=to_stderr)


def print_json(value: object) -> None:
    """Prints a value as one line of JSON."""
    click.echo(printable_json(value))
