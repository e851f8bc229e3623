"""A test that hangs fails and says where, and the run ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WAITS = """
import asyncio

async def test_waits():
    async def the_task_that_waits():
        await asyncio.Event().wait()

    await asyncio.create_task(the_task_that_waits())

def test_after_it():
    pass
"""

IGNORES_CANCELLATION = """
import asyncio

async def test_ignores_cancellation():
    async def never_ends():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    await asyncio.wait({asyncio.create_task(never_ends())})
"""


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of this test in a process of its own, with the settings of the suite."""
    file = folder / "test_it.py"
    file.write_text(test)
    plugins = ("pytest_asyncio.plugin", "pytest_timeout", "xdist.plugin", "tests.time_limit")
    settings = ("-c", "pyproject.toml", *(f"-p{name}" for name in plugins), "-pno:cacheprovider")
    # Other plugins take seconds to load.
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", folder, *settings, *options, file],
        cwd=Path(__file__).parents[1],
        env=os.environ | environment,
        capture_output=True,
        check=False,
        text=True,
    )


def test_the_next_test_runs_after_one_that_hangs(tmp_path: Path) -> None:
    """The report shows the line at which each task waits."""
    done = run(tmp_path, WAITS, "--timeout=1")
    assert "1 failed, 1 passed" in done.stdout, done
    assert "Timeout (>1.0s)" in done.stdout
    assert "in the_task_that_waits" in done.stdout


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_test_that_cannot_be_ended_ends_its_process(tmp_path: Path, processes: str) -> None:
    """A task that ignores that it is cancelled keeps the event loop from closing."""
    options = ("--timeout=1", "-o", "faulthandler_timeout=3", "-n", processes)
    done = run(tmp_path, IGNORES_CANCELLATION, *options)
    assert done.returncode != 0
    assert "Timeout (0:00:03)!" in done.stderr, done
    assert "run_forever" in done.stderr
    assert ("crashed" in done.stdout) == (processes != "0")
