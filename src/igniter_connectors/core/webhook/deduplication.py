"""When two deliveries are one event: what is kept to know the second by."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import msgspec

from igniter_connectors.core.webhook.request import Part, Verified

_LABEL = b"igniter-connectors webhook "


class Dedupe(msgspec.Struct, frozen=True, gc=False):
    """What an inbox knows a delivery by; 32 bytes each, and to be kept per connection.

    Attributes:
        key: A delivery with a key already there is the same event: it is not run again.
            None where nothing says so.
        within: How long the key makes a duplicate; None for as long as keys are kept.
        is_proof_against_replay: Whether someone who captured a delivery could not give it
            another key. Where not, the application is told when it looks like one.
        fingerprint: Of what was signed. Under another key, one that is already there
            marks a `possible_replay`. None where the key is proof, and for unsigned events
            without a key.
    """

    key: bytes | None
    within: timedelta | None
    is_proof_against_replay: bool
    fingerprint: bytes | None


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One event of one delivery: what is decoded, recorded and handled on its own."""

    body: bytes
    event_id: str | None
    dedupe: Dedupe

    def __repr__(self) -> str:
        return f"Delivery({len(self.body)} bytes)"


def deliveries(
    verified: Verified, body: bytes, *, identical_bodies_for: timedelta | None = None
) -> tuple[Delivery, ...]:
    """Every event of a verified body, in order: one, unless it came in parts.

    Args:
        verified: What the signature proved of this body.
        body: As received.
        identical_bodies_for: As `dedupe`.
    """
    if not verified.parts:
        decided = dedupe(verified, body, identical_bodies_for=identical_bodies_for)
        return (Delivery(body, verified.event_id, decided),)
    return tuple(
        _of_part(verified, part, place, identical_bodies_for)
        for place, part in enumerate(verified.parts)
    )


def dedupe(
    verified: Verified, body: bytes, *, identical_bodies_for: timedelta | None = None
) -> Dedupe:
    """How one event is told from another, by the best that was proven of it.

    1. A signed id is the key, and proof.
    2. An unsigned id is the key where a time is signed too: a replay under another id
       comes within the tolerance, with the same fingerprint.
    3. A signed time without an id: time and body together are the key, and proof. The
       signature is left out of it: whoever replays may choose among several that a
       header listed, but signs no other time.
    4. Neither id nor time signed, and `identical_bodies_for` given: the body is the key
       for so long, whatever id comes with it.
    5. An unsigned id alone is the key; a repeated body under a new one is suspect.
    6. Nothing: no key.
    """
    event_id, signed_at = verified.event_id, verified.signed_at
    if event_id is not None and verified.event_id_is_signed:
        return Dedupe(_hash(b"id", _octets(event_id)), None, True, None)
    content = body if verified.signed_content is None else verified.signed_content
    if signed_at is not None and event_id is None:
        return Dedupe(
            _hash(b"time", str(signed_at.timestamp()).encode(), content), None, True, None
        )
    fingerprint = _hash(b"body", content)
    if signed_at is None and identical_bodies_for is not None:
        return Dedupe(fingerprint, identical_bodies_for, False, fingerprint)
    key = None if event_id is None else _hash(b"id", _octets(event_id))
    return Dedupe(key, None, False, fingerprint)


def _of_part(
    verified: Verified, part: Part, place: int, identical_bodies_for: timedelta | None
) -> Delivery:
    if part.event_id is not None or verified.event_id is None:
        # By its place too: a second event like the first is not the first again.
        placed = None if verified.signed_at is None else b"%d:%b" % (place, part.body)
        alone = Verified(part.event_id, False, verified.signed_at, signed_content=placed)
        decided = dedupe(alone, part.body, identical_bodies_for=identical_bodies_for)
        return Delivery(part.body, part.event_id, decided)
    # The whole has the id: its events are told apart by their place, which a retry keeps.
    alone = msgspec.structs.replace(verified, event_id=f"{verified.event_id}#{place}")
    decided = dedupe(alone, part.body, identical_bodies_for=identical_bodies_for)
    return Delivery(part.body, verified.event_id, decided)


def _octets(event_id: str) -> bytes:
    # A function of one's own may have let through what no other scheme does.
    return event_id.encode("utf-8", "surrogatepass")


def _hash(kind: bytes, *values: bytes) -> bytes:
    # Each value's length goes first, so that no two lists of values hash alike.
    framed = [b"%d:%b" % (len(value), value) for value in values]
    return hashlib.sha256(b"".join((_LABEL, kind, b"\x00", *framed))).digest()
