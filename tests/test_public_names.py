"""The public names: sorted, documented, complete, and imported only when they are used."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from types import ModuleType

import msgspec
import pytest
import typing_extensions

import igniter_connectors
from igniter_connectors import events, problems
from igniter_connectors.events import Event
from igniter_connectors.problems import ErrorCode, Problem
from igniter_connectors.stores import Store

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

MADE_BY_THE_LIBRARY = frozenset(
    {
        *("At", "AtConfig", "AtOAuth", "Connectors", "DefaultAction", "Keyring"),
        *("ApiClient", "ConfigSchema", "Key", "ManagerBuilder"),
        *("ConnectorBuilder", "ConnectionWebhooks", "PendingDevice", "Scoped"),
        *("Subscription", "Worker"),
    }
)
"""Classes whose constructor is no part of the public surface."""

PORTS = frozenset({"clock", "entropy", "http", "logger", "manager", "store"})
"""Providers of the container that an application may replace. The others are wired inside."""


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


def test_every_name_in_a_public_signature_is_public() -> None:
    """Whatever a public function takes or returns, an application can import and annotate."""
    public = {name for module in SUBJECTS for name in public_module(module).__all__}
    missing: set[str] = set()
    for module in SUBJECTS:
        for name in public_module(module).__all__:
            for where, used in names_used(name, getattr(public_module(module), name)):
                if used not in public:
                    missing.add(f"{used} in {where}")
    assert sorted(missing) == []


def names_used(name: str, value: object) -> Iterator[tuple[str, str]]:
    """The library's own names in the signatures of a public value, each with its place."""
    if isinstance(value, type):
        for base in value.__mro__:
            if is_ours(base.__module__):
                yield from names_in_class(
                    name, base, constructor=inspect.getattr_static(value, "__init__")
                )
    elif inspect.isfunction(value) and is_ours(value.__module__):
        yield from names_in_function(name, value)


def names_in_class(name: str, kind: type, *, constructor: object) -> Iterator[tuple[str, str]]:
    """`constructor` is the one in effect: nobody calls one that a subclass replaced."""
    namespace = vars(sys.modules[kind.__module__])
    for field, annotation in inspect.get_annotations(kind).items():
        if not field.startswith("_") and (kind.__name__ != "Container" or field in PORTS):
            yield from names_in(f"{name}.{field}", annotation, namespace)
    is_store = kind.__name__ in ("MemoryStore", "PostgresStore", "SQLiteStore")
    for attribute, member in vars(kind).items():
        is_written = kind.__name__ not in MADE_BY_THE_LIBRARY and not is_dataclass(kind)
        is_constructor = attribute == "__init__" and is_written and member is constructor
        if attribute.startswith("_") and not is_constructor:
            continue
        if is_store and hasattr(Store, attribute):  # an application sees the port
            continue
        function = member
        if isinstance(member, staticmethod | classmethod):
            function = member.__func__
        elif isinstance(member, property):
            function = member.fget
        if inspect.isfunction(function) and is_ours(function.__module__):
            yield from names_in_function(f"{name}.{attribute}", inspect.unwrap(function))


def names_in_function(place: str, function: Callable[..., object]) -> Iterator[tuple[str, str]]:
    for form in (function, *typing.get_overloads(function)):
        for annotation in form.__annotations__.values():
            yield from names_in(place, annotation, vars(sys.modules[function.__module__]))


def names_in(
    place: str, annotation: object, namespace: dict[str, object]
) -> Iterator[tuple[str, str]]:
    """What an annotation names, where the library defines it. Type variables are no such name."""
    assert isinstance(annotation, str), place
    for node in ast.walk(ast.parse(annotation, mode="eval")):
        if isinstance(node, ast.Name) and is_defined_here(node.id, namespace):
            yield place, node.id


def is_defined_here(name: str, namespace: dict[str, object]) -> bool:
    value = namespace.get(name)
    if value is None:  # built in, or imported for type checkers alone
        return False
    if isinstance(value, type):
        return is_ours(value.__module__)
    # An alias says nothing of where it was made: it counts unless another package exports it.
    return not any(
        getattr(module, name, None) is value
        for module in (typing, inspect, msgspec, typing_extensions)
    ) and not isinstance(value, typing.TypeVar | type(typing.Any) | ModuleType)


def is_ours(module: str) -> bool:
    return module.partition(".")[0] == "igniter_connectors"


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
