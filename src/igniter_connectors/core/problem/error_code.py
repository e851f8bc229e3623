"""The stable codes, read off the problems: there is no second list."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

# Each module that defines problems, so that all of them are known below.
from igniter_connectors.core.problem import (
    action,
    addressing,
    api,
    connection,
    oauth,
    webhook,
    wiring,
)
from igniter_connectors.core.problem.base import Problem

_DEFINED_IN = (action, addressing, api, connection, oauth, webhook, wiring)


def _leaves(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _leaves(child)


# A functional StrEnum, so that the structs stay the only list; mypy wants a literal there.
ErrorCode = StrEnum(  # type: ignore[misc]
    "ErrorCode",
    [(code, code) for code in sorted(str(kind.__struct_config__.tag) for kind in _leaves(Problem))],
)
"""Every code that a problem can have."""
