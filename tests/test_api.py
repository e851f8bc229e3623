"""The public names."""

from __future__ import annotations

import subprocess
import sys

import igniter_connectors
from igniter_connectors import api
from igniter_connectors.core.event import Event
from igniter_connectors.core.problem import Problem


def test_every_public_name_is_there_and_documented() -> None:
    """`__all__` holds what exists; each class and function says what it is."""
    for name in api.__all__:
        found = getattr(igniter_connectors, name)
        assert found is getattr(api, name)
        if isinstance(found, type) and found is not api.ErrorCode:  # a functional enum has none
            assert found.__doc__, name


def test_every_problem_and_event_is_public() -> None:
    """A caller can match on anything it may be given."""
    for base in (Problem, Event):
        for kind in base.__subclasses__():
            if kind.__module__.startswith("igniter_connectors."):
                assert kind.__name__ in api.__all__


def test_importing_the_package_loads_no_driver_and_no_framework() -> None:
    """Those come with what is first used of them."""
    script = (
        "import sys, igniter_connectors; igniter_connectors.ConnectorManager;"
        "print(*[n for n in ('httpx','joserfc','aiosqlite','litestar','dependency_injector',"
        "'psycopg','rich') if n in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""
