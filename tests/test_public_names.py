"""The public names: sorted, documented, complete, and imported only when they are used."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import igniter_connectors
from igniter_connectors import events, problems
from igniter_connectors.events import Event
from igniter_connectors.problems import ErrorCode, Problem

SUBJECTS = (
    "igniter_connectors",
    "igniter_connectors.container",
    "igniter_connectors.events",
    "igniter_connectors.problems",
    "igniter_connectors.providers",
    "igniter_connectors.stores",
    "igniter_connectors.testing",
    "igniter_connectors.typing",
    "igniter_connectors.web",
    "igniter_connectors.webhooks",
)


def public_module(name: str) -> ModuleType:
    return importlib.import_module(name)


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions and values, as ruff sorts `__all__`."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("module", SUBJECTS)
def test_every_public_name_is_sorted_present_and_documented(module: str) -> None:
    """`__all__` holds what exists; each class and function says what it is."""
    subject = public_module(module)
    assert list(subject.__all__) == sorted(set(subject.__all__), key=order)
    for name in subject.__all__:
        found = getattr(subject, name)
        if isinstance(found, type) and found is not ErrorCode:  # a functional enum has none
            assert found.__doc__, name


def test_the_root_lists_its_names_and_its_version() -> None:
    """`dir` shows what can be imported, and nothing else can."""
    assert dir(igniter_connectors) == sorted([*igniter_connectors.__all__, "__version__"])
    assert igniter_connectors.__version__[0].isdigit()
    for name in ("Conector", "_private"):
        with pytest.raises(AttributeError, match=name):
            getattr(igniter_connectors, name)


def test_every_problem_and_event_is_public() -> None:
    """A caller can match on anything that it may receive."""
    for base, subject in ((Problem, problems), (Event, events)):
        for kind in base.__subclasses__():
            if kind.__module__.startswith("igniter_connectors."):
                assert kind.__name__ in subject.__all__


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
