"""The cost of importing the library and of starting its command line, in new interpreters.

One operation is a whole process, from its start until its exit. Both sides include the start of the
interpreter, so the comparison shows what a user waits. The floors import what everything built on
these libraries needs. Byte code is cached on both sides: the first run, outside the timing, writes
it.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from benchmarks.measure import AtMost, Benchmark, Sides, WrongAnswerError, repeat

Command: TypeAlias = tuple[str, ...]

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def ours_import() -> Command:
    """Imports the library and uses one name, so that lazy imports are included."""
    return python("import igniter_connectors; igniter_connectors.ConnectorManager")


def ours_help() -> Command:
    """The console script that is installed with this interpreter."""
    return (str(Path(sysconfig.get_path("scripts"), "igniter-connectors")), "--help")


def python(source: str) -> Command:
    return (sys.executable, "-c", source)


def run(command: Command) -> int:
    """The exit status of a process without input and output."""
    return subprocess.call(
        command,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def require_output(command: Command, expected: str) -> None:
    """Raises `WrongAnswerError` unless the command succeeds and prints the expected text."""
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode != 0 or expected not in done.stdout:
        raise WrongAnswerError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")


def processes(
    ours: Callable[[], Command], against: Command, *, prints: str
) -> Callable[[], AbstractAsyncContextManager[Sides]]:
    """Two commands in turn. Ours must print the expected text."""

    @asynccontextmanager
    async def open_sides() -> AsyncGenerator[Sides, None]:
        command = ours()
        require_output(command, prints)
        yield Sides(ours=repeat(run, command, 0), against=repeat(run, against, 0))

    return open_sides


ROWS = (
    Benchmark(
        name="import",
        against="httpx, msgspec, returns, AEAD",
        bar=AtMost(1.2),
        open_sides=processes(
            ours_import,
            python(
                "import httpx, msgspec, returns.result, cryptography.hazmat.primitives.ciphers.aead"
            ),
            prints="",
        ),
    ),
    Benchmark(
        name="cli-help",
        against="import click",
        bar=AtMost(3),
        open_sides=processes(ours_help, python("import click"), prints="Usage"),
    ),
)
