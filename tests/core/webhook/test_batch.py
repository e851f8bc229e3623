"""Batches: one body with events of several tenants is split."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result

from igniter_connectors.core.webhook.batch import split_batch
from igniter_connectors.core.webhook.json_object import read_object
from igniter_connectors.core.webhook.presets import META
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified

from .requests import SIGNED_AT, TEXT_SECRET, request


def judge(body: bytes) -> Result[Verified, VerificationFailure]:
    key = TEXT_SECRET.reveal().encode()
    header = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
    signed = request({"X-Hub-Signature-256": header}, body)
    return verify(META, signed, [TEXT_SECRET], now=SIGNED_AT)


def test_each_entry_of_meta_goes_on_in_a_body_of_its_own() -> None:
    """With the other fields, so that the payload type decodes it in the same way."""
    entries = [{"id": "page-1", "changes": [1]}, {"id": "page-2", "changes": []}]
    judged = judge(msgspec.json.encode({"object": "page", "entry": entries})).unwrap()
    bodies = [msgspec.json.decode(item.body) for item in judged.batch]
    assert bodies == [{"object": "page", "entry": [one]} for one in entries]
    assert [item.event_id for item in judged.batch] == [None, None]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"entry":7}', b'{"entry":{}}', b'{"entry":[]}']
)
def test_a_body_without_the_list_is_one_event(body: bytes) -> None:
    """The payload type then decides whether it is valid."""
    assert judge(body).unwrap().batch == ()


@given(st.lists(st.integers() | st.text(st.characters(codec="utf-8")) | st.none(), max_size=9))
def test_no_event_is_lost_and_none_is_added(events: list[object]) -> None:
    """The items hold the list's members, in order."""
    fields = read_object(msgspec.json.encode({"a": 1, "events": events}))
    parts = split_batch(fields, "events")
    assert parts is not None
    assert [msgspec.json.decode(item.body)["events"] for item in parts] == [[one] for one in events]


@pytest.mark.parametrize(("count", "taken"), [(1000, True), (1001, False)])
def test_a_body_has_at_most_a_thousand_events(count: int, taken: bool) -> None:
    """Each event becomes a row in the inbox."""
    judged = judge(msgspec.json.encode({"entry": [1] * count}))
    assert (judged == Failure(VerificationFailure("too many events in one body"))) is not taken


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_what_is_repeated_around_each_comes_to_4_mib_at_most(more: int, taken: bool) -> None:
    """A body of 1 MiB does not become a thousand bodies of 1 MiB."""
    around = 4 * 1024 * 1024 // 64
    # The field's name and the quotes around its text count too.
    text = "x" * (around - len('a""') + more)
    fields = read_object(msgspec.json.encode({"a": text, "events": [1] * 64}))
    assert (split_batch(fields, "events") is not None) is taken
