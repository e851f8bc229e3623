"""Who is calling, as the application knows it."""

from __future__ import annotations

import msgspec

from igniter_connectors.core.scope import Scope


class Principal(msgspec.Struct, frozen=True):
    """The tenant acted for, and the person who acts.

    `subject` is the application's own stable name for the person who is signed in (a user
    id, not an email address that may pass to another).
    """

    tenant: Scope
    subject: str
