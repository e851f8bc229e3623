"""`python -m benchmarks`: measures each row and checks it against its bar."""

import asyncio
import sys

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.measure import FULL, SMOKE, Benchmark, Figure, measure
from benchmarks.rows import ROWS


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines, with times in seconds.")
@click.option(
    "--only",
    "names",
    multiple=True,
    metavar="NAME",
    type=click.Choice([row.name for row in ROWS]),
    help="Measure only this row. Repeatable.",
)
@click.option("--smoke", is_flag=True, help="Check only that results are correct.")
def main(as_json: bool, names: tuple[str, ...], smoke: bool) -> None:
    """Measure this library against hand-written floors and other libraries.

    Every figure is a ratio of two measurements of the same run. The exit status is 1 if a bar is
    missed or a row cannot be measured.
    """
    effort = SMOKE if smoke else FULL
    figures: list[tuple[Benchmark, Figure]] = []
    failures = 0
    for row in [row for row in ROWS if not names or row.name in names]:
        click.echo(f"{row.name} …", err=True)
        try:
            figure = asyncio.run(measure(row, effort))
        except (RuntimeError, OSError) as problem:
            click.echo(f"{row.name} failed: {type(problem).__name__}: {problem}", err=True)
            failures += 1
            continue
        figures.append((row, figure))
        if as_json:
            click.echo(msgspec.json.encode(figure))
    if figures and not as_json:
        Console().print(table_of(figures))
    sys.exit(1 if failures or any(figure.holds is False for _, figure in figures) else 0)


def table_of(figures: list[tuple[Benchmark, Figure]]) -> Table:
    """The figures as a table."""
    table = Table("name", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("ours", "against", "ratio", "bar"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("holds", no_wrap=True)
    for row, figure in figures:
        table.add_row(
            f"{figure.name}\n[dim]against {row.against}[/dim]",
            readable(figure.ours),
            readable(figure.against),
            f"{figure.ratio:.2f}",
            figure.bar,
            {True: "yes", False: "NO", None: "-"}[figure.holds],
        )
    return table


def readable(seconds: float) -> str:
    """A duration in µs, or in ms from one millisecond."""
    milliseconds = seconds * 1000
    return f"{milliseconds * 1000:.2f} µs" if milliseconds < 1 else f"{milliseconds:.1f} ms"


if __name__ == "__main__":
    main()
