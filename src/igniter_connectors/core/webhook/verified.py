"""What verification finds out about a webhook request: verified events, or why it failed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec


class BatchItem(msgspec.Struct, frozen=True):
    """One of several events that arrived in one body.

    `body` has the same shape as the whole body, with only this event in it, so that the
    payload type decodes both. `event_id` is None if the event has no id of its own.
    """

    body: bytes
    event_id: str | None

    def __repr__(self) -> str:
        return f"BatchItem({len(self.body)} bytes)"


class Verified(msgspec.Struct, frozen=True, gc=False):
    """What is known about a request after its signature matched.

    Attributes:
        event_id: None if the scheme declares no id, or the event has none.
        event_id_is_signed: True if an attacker who replays the body cannot change the id.
        signed_at: None if no time is signed.
        batch: Each event on its own, if one body may hold events of several tenants. Empty
            if the body is one event. Anything outside these items is not verified.
        signed_content: What was signed, if the same content can be encoded differently
            (Twilio signs the fields of a form, not its encoding). None if it is the body.
    """

    event_id: str | None
    event_id_is_signed: bool
    signed_at: datetime | None
    batch: tuple[BatchItem, ...] = ()
    signed_content: bytes | None = None

    def __repr__(self) -> str:
        return f"Verified(event_id={self.event_id!r}, signed_at={self.signed_at}, …)"


class VerificationFailure(msgspec.Struct, frozen=True):
    """Why a request is not accepted as genuine. For our own log; the sender never sees it."""

    reason: str


NO_MATCH: Final = VerificationFailure("no signature matches")
OUT_OF_TOLERANCE: Final = VerificationFailure("the time is missing or out of tolerance")
NO_HEADER: Final = VerificationFailure(
    "the signature header is missing, repeated or longer than 4,096 characters"
)
INVALID_ID: Final = VerificationFailure("the event id is not valid")
REPEATED_ID: Final = VerificationFailure("the header with the event id is repeated")
TOO_MANY_EVENTS: Final = VerificationFailure("too many events in one body")
