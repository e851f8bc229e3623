"""The stable codes, generated from the problem classes. There is no second list."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

# Import every module that defines problems, so that `__subclasses__` finds them all.
from igniter_connectors.core.problem import (
    action,
    addressing,
    api,
    connection,
    oauth,
    webhook,
    wiring,
)
from igniter_connectors.core.problem.problem import Problem

_DEFINED_IN = (action, addressing, api, connection, oauth, webhook, wiring)


def _leaves(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _leaves(child)


# A functional StrEnum, so that the structs stay the only list; mypy wants a literal there.
ErrorCode: type[StrEnum] = StrEnum(  # type: ignore[misc]
    "ErrorCode",
    [(code, code) for code in sorted(str(kind.__struct_config__.tag) for kind in _leaves(Problem))],
)
"""The code of every problem."""
