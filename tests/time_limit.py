"""A pytest plugin: a test that hangs fails with the stacks of its tasks, or ends its process.

`pytest-timeout` raises an exception in a test that takes too long. Where that does not end it, for
example because a task ignores its cancellation, `faulthandler` ends the process. The limits are in
pyproject.toml.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import io
import os
from collections.abc import Generator
from typing import Final

import pytest

_STDERR: Final = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the standard error of the process: during a test, pytest captures it."""
    config.stash[_STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds where each task waits. The stack of the thread shows only that its event loop waits."""
    report = yield
    if call.excinfo is not None and str(call.excinfo.value).startswith("Timeout ("):
        report.sections.append(("Tasks that wait", _stacks_of_tasks()))
    return report


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Limits the teardown of a test that failed: pytest cancels its own limit at a failure."""
    limit = float(node.config.getini("faulthandler_timeout"))
    if isinstance(node, pytest.Item) and limit > 0:
        # pytest cancels this too, at the end of the test.
        faulthandler.dump_traceback_later(limit, file=node.config.stash[_STDERR], exit=True)


def _stacks_of_tasks() -> str:
    stacks = io.StringIO()
    for task in gc.get_objects():  # `asyncio.all_tasks` needs the loop
        if isinstance(task, asyncio.Task) and not task.done():
            task.print_stack(file=stacks)
    return stacks.getvalue()
