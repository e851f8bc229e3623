"""The person who makes a request, as the application knows them, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from igniter_connectors.core.problem import BuildInvalid, WrongWiring
from igniter_connectors.core.scope import Scope


class Principal(msgspec.Struct, frozen=True):
    """The person who is signed in, and the tenant that they act for.

    `subject` is the application's stable identifier of the person, such as a user id. Do not
    use an email address, which may later belong to somebody else.

    Raises:
        WrongWiring: `tenant` is not a tenant, or `subject` is empty or no text. All who have no
            subject would be the same person.
    """

    tenant: Scope
    subject: str

    def __post_init__(self) -> None:
        tenant: object = self.tenant  # msgspec checks no field of a struct that Python makes
        if not isinstance(tenant, Scope):
            raise WrongWiring(
                BuildInvalid(f"Principal: tenant must be a Scope, not {type(tenant).__name__}")
            )
        subject: object = self.subject
        if not isinstance(subject, str) or not subject.strip():
            kind = "empty" if isinstance(subject, str) else type(subject).__name__
            raise WrongWiring(
                BuildInvalid(f"Principal: subject must be the person's id as text, and is {kind}")
            )

    @property
    def names(self) -> tuple[str, str, str]:
        """The tenant's kind, its identity, and the subject: what an authorization is bound to."""
        return self.tenant.kind, self.tenant.identity, self.subject


Operation = Literal[
    "read", "connect", "update", "disconnect", "enable", "disable", "action", "authorize"
]
"""What a route does. A route that does two things asks permission for both."""

Permit = Callable[[Principal, Operation, str], Awaitable[bool]]
"""The application's own rule: whether a principal may do an operation at a connector. The last
argument is the connector's key; "" for lists."""
