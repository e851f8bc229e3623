"""Deduplication: the keys by which a duplicate is recognised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.webhook.deduplication import (
    DedupeKeys,
    ReceivedEvent,
    dedupe_keys,
    received_events,
)
from igniter_connectors.core.webhook.verified import BatchItem, Verified

from .requests import SECOND, SIGNED_AT

DAY = timedelta(days=1)
EPOCH = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)


def verified(
    event_id: str | None = None,
    *,
    signed: bool = False,
    at: datetime | None = None,
    content: bytes | None = None,
) -> Verified:
    return Verified(event_id, signed, at, signed_content=content)


def known(one: Verified, body: bytes = b"body", within: timedelta | None = None) -> DedupeKeys:
    return dedupe_keys(one, body, identical_bodies_for=within)


def test_a_signed_id_is_the_key() -> None:
    """Body and time may differ: it is the same event. The key is proof against replay."""
    first = known(verified("evt_1", signed=True, at=SIGNED_AT))
    assert (first.is_proof_against_replay, first.fingerprint, first.within) == (True, None, None)
    assert known(verified("evt_1", signed=True, at=SIGNED_AT + SECOND), b"other") == first
    assert known(verified("evt_1", signed=True), within=DAY) == first
    assert known(verified("evt_2", signed=True, at=SIGNED_AT)).key != first.key


def test_without_an_id_time_and_body_are_the_key() -> None:
    """The signature is not part of it: a replay may choose among several of a header."""
    first = known(verified(at=SIGNED_AT))
    assert (first.is_proof_against_replay, first.fingerprint, first.within) == (True, None, None)
    assert known(verified(at=SIGNED_AT), within=DAY) == first
    assert known(verified(at=SIGNED_AT + SECOND)).key != first.key
    assert known(verified(at=SIGNED_AT + timedelta(milliseconds=1))).key != first.key
    assert known(verified(at=SIGNED_AT), b"other").key != first.key


@pytest.mark.parametrize("at", [None, SIGNED_AT])
def test_an_unsigned_id_is_a_key_but_no_proof(at: datetime | None) -> None:
    """The same body under another id has another key and the same fingerprint."""
    first, again = known(verified("evt_1", at=at)), known(verified("evt_2", at=at))
    assert first.key is not None
    assert first.key != again.key
    assert first.fingerprint is not None
    assert first.fingerprint == again.fingerprint
    assert not first.is_proof_against_replay
    assert known(verified("evt_1", at=at), b"other").fingerprint != first.fingerprint
    assert known(verified("evt_1", at=at), b"other").key == first.key


def test_with_neither_id_nor_time_there_is_no_key() -> None:
    """Two equal orders are two orders."""
    one = known(verified())
    assert (one.key, one.within, one.is_proof_against_replay) == (None, None, False)
    assert one.fingerprint is not None


def test_a_time_and_a_body_are_not_mixed_up() -> None:
    """Digits cannot move from the end of the time to the start of the body."""
    milli = SIGNED_AT + timedelta(milliseconds=1)
    assert known(verified(at=SIGNED_AT), b"01x").key != known(verified(at=milli), b"x").key


def test_a_signed_time_needs_no_window_for_identical_bodies() -> None:
    """The unsigned id stays the key: a replay under another id comes within the tolerance."""
    one = verified("evt_1", at=SIGNED_AT)
    assert known(one, within=DAY) == known(one)


@pytest.mark.parametrize("event_id", [None, "evt_1"])
def test_identical_bodies_are_one_where_the_connector_says_so(event_id: str | None) -> None:
    """For the given time, whatever the unsigned id."""
    one = known(verified(event_id), within=DAY)
    assert (one.within, one.is_proof_against_replay) == (DAY, False)
    assert one.key is not None
    assert one == known(verified("evt_2"), within=DAY)
    assert one.key != known(verified(event_id), b"other", within=DAY).key


def test_what_was_signed_counts_where_it_is_not_the_body() -> None:
    """A form that is encoded differently is the same event."""
    same = [known(verified("a", content=b"signed"), body) for body in (b"a=1", b"%61=1")]
    assert same[0] == same[1]
    assert known(verified("a", content=b"other"), b"a=1").fingerprint != same[0].fingerprint


@given(st.binary(), st.text(min_size=1), st.datetimes(min_value=EPOCH))
def test_keys_of_different_kinds_never_meet(body: bytes, text: str, at: datetime) -> None:
    """An id equal to a body, or a body equal to a time, still gives another key of 32 bytes."""
    signed_at = at.replace(tzinfo=SIGNED_AT.tzinfo)
    keys = [
        known(verified(text, signed=True), body).key,
        known(verified(at=signed_at), body).key,
        known(verified(at=signed_at), str(signed_at.timestamp()).encode() + body).key,
        known(verified(), body, within=DAY).key,
        known(verified(), text.encode("utf-8", "replace") + b"\x00", within=DAY).key,
    ]
    assert all(key is not None and len(key) == 32 for key in keys)
    for index, (one, other) in enumerate(combinations(keys[:4], 2)):
        assert one != other, index


# --- one delivery, several events -----------------------------------------------------------------


def test_a_delivery_of_one_event_is_its_body() -> None:
    """Unchanged, with its own id."""
    one = verified("evt_1", signed=True)
    assert received_events(one, b"body") == (ReceivedEvent(b"body", "evt_1", known(one)),)


def batch(*bodies: bytes, ids: tuple[str | None, ...] = ()) -> tuple[BatchItem, ...]:
    return tuple(BatchItem(body, ids[index] if ids else None) for index, body in enumerate(bodies))


def test_each_part_has_an_id_of_its_own() -> None:
    """The id is the key, but no proof: an id in an unsigned body is not signed."""
    several = Verified(None, False, None, batch=batch(b"a", b"b", b"b", ids=("1", "2", None)))
    first, second, third = received_events(several, b"whole")
    assert (first.body, first.event_id) == (b"a", "1")
    assert first.dedupe == known(verified("1"), b"a")
    assert second.dedupe == known(verified("2"), b"b")
    assert (third.event_id, third.dedupe) == (None, known(verified(), b"b"))


def test_items_with_one_id_are_distinguished_by_position() -> None:
    """Each event is handled once, however often the batch arrives."""
    for signed in (True, False):
        several = Verified("evt_1", signed, None, batch=batch(b"a", b"a"))
        first, second = received_events(several, b"whole")
        assert first.dedupe.key != second.dedupe.key
        assert first.event_id == second.event_id == "evt_1"
        assert first.dedupe.is_proof_against_replay is signed
        assert received_events(several, b"whole") == (first, second)


def test_items_with_one_time_are_distinguished_by_position() -> None:
    """Two equal events of one batch are two events. The same batch again adds none."""
    several = Verified(None, False, SIGNED_AT, batch=batch(b"a", b"a"))
    first, second = received_events(several, b"whole")
    assert None not in (first.dedupe.key, second.dedupe.key)
    assert first.dedupe.key != second.dedupe.key
    assert received_events(several, b"whole") == (first, second)


def test_parts_may_be_known_by_their_bodies() -> None:
    """If the connector asks for it, each item by its own body."""
    several = Verified(None, False, None, batch=batch(b"a", b"b"))
    first, second = received_events(several, b"whole", identical_bodies_for=DAY)
    assert first.dedupe == known(verified(), b"a", within=DAY)
    assert second.dedupe == known(verified(), b"b", within=DAY)


def test_a_delivery_does_not_show_its_body() -> None:
    """Neither an event nor an item does: a body is a tenant's data."""
    several = Verified("evt_1", True, None, batch=batch(b"canary"), signed_content=b"canary")
    shown = repr((several, several.batch, received_events(several, b"canary")))
    assert "canary" not in shown
