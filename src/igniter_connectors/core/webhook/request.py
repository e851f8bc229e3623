"""A webhook as it came in, and what a signature proved of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from igniter_connectors.core.http.messages import Headers, single_header


class SignedRequest(msgspec.Struct, frozen=True, gc=False):
    """The parts of a request that signatures cover.

    `public_url` is built from the configured base URL, never from a Host header, with the
    path and the query as sent; `body` is the bytes as received.
    """

    method: str
    public_url: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """The header's value; None when absent or given twice."""
        return single_header(self.headers, name)

    def has(self, name: str) -> bool:
        """Whether the header stands there at all, once or more."""
        return any(key.lower() == name.lower() for key, _ in self.headers)

    def __repr__(self) -> str:
        return f"SignedRequest({self.method}, {len(self.body)} bytes)"


class Part(msgspec.Struct, frozen=True):
    """One of several events that came in one body.

    `body` has the form of the whole, with this event alone in it, so that the payload's
    type decodes either. `event_id` is None where the event has none of its own.
    """

    body: bytes
    event_id: str | None

    def __repr__(self) -> str:
        return f"Part({len(self.body)} bytes)"


class Verified(msgspec.Struct, frozen=True, gc=False):
    """What is known once a signature matched.

    Attributes:
        event_id: None where the scheme declares none, or the event has none.
        event_id_is_signed: Whether an attacker who replays a body could not change it.
        signed_at: None without a signed time.
        parts: Each event alone, where one body may hold those of several tenants; empty
            where the body is to be taken whole. What is in no part was not proven.
        signed_content: What was signed, where the same can be written as other bytes
            (Twilio signs a form's fields, not its encoding); None where it is the body.
    """

    event_id: str | None
    event_id_is_signed: bool
    signed_at: datetime | None
    parts: tuple[Part, ...] = ()
    signed_content: bytes | None = None

    def __repr__(self) -> str:
        return f"Verified(event_id={self.event_id!r}, signed_at={self.signed_at}, …)"


class Refused(msgspec.Struct, frozen=True):
    """Why a request is not taken for genuine, for our own log; the sender is told nothing."""

    reason: str
