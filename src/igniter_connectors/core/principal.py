"""The person who makes a request, as the application knows them, and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from igniter_connectors.core.scope import Scope


class Principal(msgspec.Struct, frozen=True):
    """The person who is signed in, and the tenant that they act for.

    `subject` is the application's stable identifier of the person, such as a user id. Do not
    use an email address, which may later belong to somebody else.
    """

    tenant: Scope
    subject: str

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
