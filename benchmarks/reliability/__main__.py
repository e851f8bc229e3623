"""`python -m benchmarks.reliability`: prints each figure; exits with 1 if one misses its bar."""

import asyncio
import sys

import click
import msgspec

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.registry import FIGURES


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(sorted(FIGURES)),
    help="Run only this figure. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def main(only: tuple[str, ...], as_json: bool) -> None:
    """Count failures that must never happen."""
    holds = True
    for name in only or FIGURES:
        click.echo(f"{name} …", err=True)
        figure: Figure = asyncio.run(FIGURES[name]())
        holds &= figure.holds
        if as_json:
            click.echo(msgspec.json.encode(figure))
        else:
            verdict = "holds" if figure.holds else "DOES NOT HOLD"
            click.echo(f"{figure.name:<20} {figure.figure}  (bar: {figure.bar})  {verdict}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":  # the application processes import this module too
    main()
