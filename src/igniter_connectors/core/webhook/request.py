"""A webhook as it came in, and what a signature proved of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from igniter_connectors.core.http import Headers, single_header


class SignedRequest(msgspec.Struct, frozen=True):
    """The parts of a request that signatures cover.

    `public_url` is built from the configured base URL, never from a Host header; `body` is
    the bytes as received.
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


class Verified(msgspec.Struct, frozen=True):
    """What is known once a signature matched.

    `event_id` is None where the scheme declares none; `event_id_is_signed` says whether an
    attacker who replays a body could change it. `signed_at` is None without a signed time.
    """

    event_id: str | None
    event_id_is_signed: bool
    signed_at: datetime | None


class Refused(msgspec.Struct, frozen=True):
    """Why a request is not taken for genuine, for our own log; the sender is told nothing."""

    reason: str
