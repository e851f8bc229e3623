"""Deduplication: the key under which an event is stored, so that a duplicate is recognised."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import msgspec

from igniter_connectors.core.webhook.verified import BatchItem, Verified

_LABEL = b"igniter-connectors webhook "


class DedupeKeys(msgspec.Struct, frozen=True, gc=False):
    """How the inbox recognises a duplicate of an event. Keys are 32 bytes, per connection.

    Attributes:
        key: An event with a stored key is a duplicate and is not handled again. None if
            nothing identifies the event.
        within: How long the key identifies duplicates; None: as long as keys are kept.
        is_proof_against_replay: True if an attacker with a captured delivery cannot give it
            another key. If False, a suspected replay is marked for the application.
        fingerprint: A hash of the signed content. If it is already stored under another key,
            the event is marked `possible_replay`. None if the key is proof against replay.
    """

    key: bytes | None
    within: timedelta | None
    is_proof_against_replay: bool
    fingerprint: bytes | None


class ReceivedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of a verified request. It is decoded, recorded and handled on its own."""

    body: bytes
    event_id: str | None
    dedupe: DedupeKeys

    def __repr__(self) -> str:
        return f"ReceivedEvent({len(self.body)} bytes)"


def received_events(
    verified: Verified, body: bytes, *, identical_bodies_for: timedelta | None = None
) -> tuple[ReceivedEvent, ...]:
    """The events of a verified body, in order. One event, unless the body is a batch.

    Args:
        verified: What the signature proves about this body.
        body: The bytes as received.
        identical_bodies_for: See `dedupe_keys`.
    """
    if not verified.batch:
        keys = dedupe_keys(verified, body, identical_bodies_for=identical_bodies_for)
        return (ReceivedEvent(body, verified.event_id, keys),)
    return tuple(
        _batched_event(verified, item, index, identical_bodies_for)
        for index, item in enumerate(verified.batch)
    )


def dedupe_keys(
    verified: Verified, body: bytes, *, identical_bodies_for: timedelta | None = None
) -> DedupeKeys:
    """The keys of one event, from the strongest fact that was verified.

    1. A signed id is the key, and proof against replay.
    2. An unsigned id with a signed time: the id is the key. A replay under another id must
       come within the tolerance, and has the same fingerprint.
    3. A signed time without an id: time and body are the key, and proof against replay. The
       signature is not part of it: an attacker can choose among several signatures of a
       header, but cannot sign another time.
    4. No signed id and no signed time, and `identical_bodies_for` is given: the body is the
       key for that long, whatever the id.
    5. An unsigned id alone is the key. The same body under another id is a possible replay.
    6. Otherwise there is no key.
    """
    event_id, signed_at = verified.event_id, verified.signed_at
    if event_id is not None and verified.event_id_is_signed:
        return DedupeKeys(_hash(b"id", _octets(event_id)), None, True, None)
    content = body if verified.signed_content is None else verified.signed_content
    if signed_at is not None and event_id is None:
        return DedupeKeys(
            _hash(b"time", str(signed_at.timestamp()).encode(), content), None, True, None
        )
    fingerprint = _hash(b"body", content)
    if signed_at is None and identical_bodies_for is not None:
        return DedupeKeys(fingerprint, identical_bodies_for, False, fingerprint)
    key = None if event_id is None else _hash(b"id", _octets(event_id))
    return DedupeKeys(key, None, False, fingerprint)


def _batched_event(
    verified: Verified, item: BatchItem, index: int, identical_bodies_for: timedelta | None
) -> ReceivedEvent:
    if item.event_id is not None or verified.event_id is None:
        # The index is part of the content: two equal events of one batch are two events.
        content = None if verified.signed_at is None else b"%d:%b" % (index, item.body)
        alone = Verified(item.event_id, False, verified.signed_at, signed_content=content)
        keys = dedupe_keys(alone, item.body, identical_bodies_for=identical_bodies_for)
        return ReceivedEvent(item.body, item.event_id, keys)
    # The batch has the id. A retry has the same order, so the index identifies the event.
    alone = msgspec.structs.replace(verified, event_id=f"{verified.event_id}#{index}")
    keys = dedupe_keys(alone, item.body, identical_bodies_for=identical_bodies_for)
    return ReceivedEvent(item.body, verified.event_id, keys)


def _octets(event_id: str) -> bytes:
    # A custom verification may return an id that no other scheme accepts.
    return event_id.encode("utf-8", "surrogatepass")


def _hash(kind: bytes, *values: bytes) -> bytes:
    # Each value has its length before it, so that two lists of values never hash alike.
    framed = [b"%d:%b" % (len(value), value) for value in values]
    return hashlib.sha256(b"".join((_LABEL, kind, b"\x00", *framed))).digest()
