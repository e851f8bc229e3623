"""Microsoft Graph: each notification is verified and handled on its own."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful
from returns.result import Failure, Result

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.microsoft_graph import check_microsoft_graph
from igniter_connectors.core.webhook.presets import MICROSOFT_GRAPH
from igniter_connectors.core.webhook.signing_keys import Ed25519Key
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.core.webhook.verified import BatchItem, VerificationFailure, Verified

from .requests import OTHER_TEXT_SECRET, SIGNED_AT, TEXT_SECRET, request


def notification(state: str, tenant: str, **more: object) -> dict[str, object]:
    """A notification as Graph sends it."""
    return {
        "subscriptionId": "7f105c7d",
        "clientState": state,
        "changeType": "updated",
        "tenantId": tenant,
        **more,
    }


def judge(body: object, *secrets: Secret) -> Result[Verified, VerificationFailure]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return verify(MICROSOFT_GRAPH, request({}, raw), secrets or [TEXT_SECRET], now=SIGNED_AT)


OURS, THEIRS = TEXT_SECRET.reveal(), OTHER_TEXT_SECRET.reveal()


def test_a_notification_with_our_client_state_is_genuine() -> None:
    """Nothing is signed: neither its id nor a time is verified."""
    one = notification(OURS, "a", id="n-1")
    judged = judge({"value": [one]}).unwrap()
    item = BatchItem(msgspec.json.encode({"value": [one]}), "n-1")
    assert judged == Verified(None, False, None, batch=(item,))


def test_of_several_tenants_each_is_checked_alone() -> None:
    """Notifications with another value are dropped, and so are the fields beside the list."""
    ours, theirs, again = (
        notification(OURS, "a", id="n-1"),
        notification(THEIRS, "b", id="n-2"),
        notification(OURS, "c"),
    )
    judged = judge({"value": [ours, theirs, again], "validationTokens": ["of b"]}).unwrap()
    assert [item.event_id for item in judged.batch] == ["n-1", None]
    bodies = [msgspec.json.decode(item.body) for item in judged.batch]
    assert bodies == [{"value": [ours]}, {"value": [again]}]


def test_while_a_value_rotates_both_are_live() -> None:
    """A subscription keeps the value with which it was created."""
    body = {"value": [notification(OURS, "a"), notification(THEIRS, "b")]}
    for secrets in ((TEXT_SECRET, OTHER_TEXT_SECRET), (OTHER_TEXT_SECRET, TEXT_SECRET)):
        assert len(judge(body, *secrets).unwrap().batch) == 2
    assert len(judge(body, OTHER_TEXT_SECRET).unwrap().batch) == 1
    assert not is_successful(judge(body, Secret("third")))
    assert not is_successful(judge(body, Secret("")))


@pytest.mark.parametrize(
    "state", ["", "x", OURS + "x", OURS[:-1], OURS.upper(), None, 7, [OURS], {"a": OURS}, True]
)
def test_another_client_state_is_refused(state: object) -> None:
    """Absent, of another type, longer or shorter: the whole delivery is refused."""
    one = {**notification("", "a"), "clientState": state}
    assert judge({"value": [one]}) == Failure(
        VerificationFailure("no notification's clientState matches")
    )
    del one["clientState"]
    assert not is_successful(judge({"value": [one]}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b"{}",
        b'{"value":7}',
        b'{"value":[]}',
        b'{"value":[7]}',
        b'{"value":{}}',
        b'{"value":' + b"[" * 9999,
        b'{"value":["%s"]}' % OURS.encode(),
    ],
)
def test_a_body_without_notifications_is_refused(body: bytes) -> None:
    """No body raises."""
    assert not is_successful(judge(body))


def test_the_last_of_two_client_states_counts() -> None:
    """As the payload decoder reads it."""
    for first, last, taken in ((OURS, "x", False), ("x", OURS, True)):
        body = b'{"value":[{"clientState":"%b","clientState":"%b"}]}'
        assert is_successful(judge(body % (first.encode(), last.encode()))) is taken


@pytest.mark.parametrize(("count", "taken"), [(1000, True), (1001, False)])
def test_a_body_holds_at_most_a_thousand_notifications(count: int, taken: bool) -> None:
    """Each event becomes a row in the inbox."""
    assert is_successful(judge({"value": [notification(OURS, "a")] * count})) is taken


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_text_may_be_the_shared_value(state: str) -> None:
    """It is compared as UTF-8, with or without escapes."""
    one = notification(state, "a")
    assert is_successful(judge({"value": [one]}, Secret(state)))


def test_a_public_key_is_no_client_state() -> None:
    """Keys of another scheme match nothing."""
    body = msgspec.json.encode({"value": [notification(OURS, "a")]})
    judged = check_microsoft_graph(request({}, body), [Ed25519Key(OURS.encode())])
    assert judged == VerificationFailure("no notification's clientState matches")
