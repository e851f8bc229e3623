"""`python -m benchmarks.reliability`: prints each figure; exits 1 where one does not hold."""

import asyncio
import sys

import click
import msgspec

from benchmarks.reliability.campaigns import CAMPAIGNS
from benchmarks.reliability.figure import Figure


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", multiple=True, type=click.Choice(sorted(CAMPAIGNS)), help="Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def main(only: tuple[str, ...], as_json: bool) -> None:
    """Count what must never happen."""
    holds = True
    for name in only or CAMPAIGNS:
        click.echo(f"{name} …", err=True)
        figure: Figure = asyncio.run(CAMPAIGNS[name]())
        holds &= figure.holds
        if as_json:
            click.echo(msgspec.json.encode(figure))
        else:
            verdict = "holds" if figure.holds else "DOES NOT HOLD"
            click.echo(f"{figure.name:<20} {figure.figure}  (bar: {figure.bar})  {verdict}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":  # the processes of the campaigns import this module too
    main()
