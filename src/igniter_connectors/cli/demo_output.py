"""What the demo prints, and how a failed check ends it."""

from __future__ import annotations

from rich.console import Console

from igniter_connectors.cli.output import print_json
from igniter_connectors.core.printable import printable


class DemoFailed(Exception):
    """A check of the demo failed, or the demo cannot start. Its text is for the user."""


class StepPrinter:
    """Prints each finished step, as text with colours or as JSON lines."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False)

    def step(self, title: str, detail: str = "") -> None:
        """Prints a step that ran and passed its checks."""
        if self._as_json:
            print_json({"step": title, "detail": detail})
            return
        self._console.print(f"[green]✓[/green] [bold]{title}[/bold]")
        if detail:
            for line in detail.splitlines():
                self._console.print("  " + printable(line), style="dim", markup=False)

    def open_url(self, url: str) -> None:
        """Asks the user to open a URL in a browser."""
        if self._as_json:
            print_json({"open": url})
        else:
            self._console.print(
                f"→ open in your browser: {printable(url)}", markup=False, soft_wrap=True
            )


def check(holds: bool, expectation: str) -> None:
    """Raises `DemoFailed` with the expectation if it does not hold."""
    if not holds:
        raise DemoFailed(f"the demo failed. Expected: {expectation}")
