"""Tenants and their kinds."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.problem import (
    ConnectorError,
    ScopeIdentifierRequired,
    ScopeInvalid,
    ScopeProblem,
)
from igniter_connectors.core.storable_text import IDENTITY_LIMIT, is_storable


class Scope(msgspec.Struct, frozen=True):
    """One tenant. Subclass it for each kind; `tag="…"` is the kind's name in the database.

    ```python
    class Organization(Scope, frozen=True, tag="organization"): ...
    class System(Scope, frozen=True, tag="system"):
        identity: str = ""
    ```

    Raises:
        ConnectorError: the identity is one that `make_tenant` refuses.
    """

    identity: str

    def __post_init__(self) -> None:
        problem = _judge_identity(type(self), self.identity)
        if problem is not None:
            raise ConnectorError(problem)

    @property
    def kind(self) -> str:
        """The name of the kind, which is the tag of the subclass."""
        return str(self.__struct_config__.tag)


def make_tenant(kind: type[Scope], identity: str) -> Result[Scope, ScopeProblem]:
    """The tenant of a kind, from a string of unknown origin such as a route or a command line.

    Returns:
        The tenant, or
        - `ScopeIdentifierRequired`: the identity is empty, and the kind has no default of "".
        - `ScopeInvalid`: the identity has more than 255 characters, or one is not printable.
    """
    problem = _judge_identity(kind, identity)
    return Success(kind(identity)) if problem is None else Failure(problem)


@lru_cache(maxsize=4096)
def known_tenant(kind: type[Scope], identity: str) -> Scope:
    """The tenant of a stored row, whose identity was validated when it was stored."""
    return kind(identity)


def _judge_identity(kind: type[Scope], identity: object) -> ScopeProblem | None:
    name = str(kind.__struct_config__.tag or kind.__name__)
    if not isinstance(identity, str):
        return ScopeInvalid(scope=name, reason="the identity is not a string")
    if identity == "" and kind.__struct_defaults__ != ("",):
        return ScopeIdentifierRequired(scope=name)
    if not is_storable(identity):
        return ScopeInvalid(
            scope=name,
            reason=f"an identity is printable and at most {IDENTITY_LIMIT} characters",
        )
    return None
