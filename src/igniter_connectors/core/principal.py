"""The person who makes a request, as the application knows them."""

from __future__ import annotations

import msgspec

from igniter_connectors.core.scope import Scope


class Principal(msgspec.Struct, frozen=True):
    """The person who is signed in, and the tenant that they act for.

    `subject` is the application's stable identifier of the person, such as a user id. Do not
    use an email address, which may later belong to somebody else.
    """

    tenant: Scope
    subject: str
