"""Challenges are answered for the provider only, and reveal nothing to others."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.challenge import (
    answers_get,
    challenge_answer,
    hub_verify_token,
)
from igniter_connectors.core.webhook.presets import (
    GITHUB,
    LINEAR,
    META,
    MICROSOFT_GRAPH,
    SHOPIFY,
    SLACK,
    STANDARD_WEBHOOKS,
    STRIPE,
    TWILIO,
    ZOOM,
)
from igniter_connectors.core.webhook.schemes import AcceptUnsignedEvents, Verification
from igniter_connectors.core.webhook.verification import verify

from .requests import OTHER_TEXT_SECRET, SECOND, SIGNED_AT, TEXT_SECRET, request, slack_request

KEY: Final = TEXT_SECRET.reveal().encode()
OTHER_KEY: Final = OTHER_TEXT_SECRET.reveal().encode()
URL: Final = "https://own.example/webhooks/x/t"


def answer(
    scheme: Verification, asked: HttpRequest, *keys: bytes, now: object = None
) -> HttpResponse | None:
    return challenge_answer(scheme, asked, keys or (KEY,), now=SIGNED_AT)


def zoom(body: bytes, key: bytes = KEY) -> HttpRequest:
    timestamp = str(int(SIGNED_AT.timestamp()))
    mac = hmac.new(key, f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return request({"x-zm-signature": f"v0={mac}", "x-zm-request-timestamp": timestamp}, body)


def plain_token(token: object, key: bytes = KEY) -> HttpRequest:
    asked = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    return zoom(msgspec.json.encode(asked), key)


def asked_with(method: str, query: dict[str, str] | str) -> HttpRequest:
    text = query if isinstance(query, str) else urlencode(query)
    return HttpRequest(method, f"{URL}?{text}", (), b"")


def is_plain_text(given: HttpResponse | None, text: str) -> bool:
    assert given is not None
    assert given.header("content-type") == "text/plain; charset=utf-8"
    assert given.header("x-content-type-options") == "nosniff"
    return (given.status, given.body) == (200, text.encode())


# --- Slack ----------------------------------------------------------------------------------------


def test_slack_is_answered_once_its_signature_held() -> None:
    """The challenge comes back as text."""
    body = '{"token":"legacy","challenge":"3eZbrw1aB","type":"url_verification"}'
    assert is_plain_text(answer(SLACK, slack_request(body)), "3eZbrw1aB")
    assert is_plain_text(answer(SLACK, slack_request(body), OTHER_KEY, KEY), "3eZbrw1aB")
    assert answer(SLACK, slack_request(body), OTHER_KEY) is None
    assert answer(SLACK, replace(slack_request(body), body=body.encode() + b" ")) is None
    late = SIGNED_AT + SLACK.tolerance + SECOND
    assert challenge_answer(SLACK, slack_request(body), [KEY], now=late) is None


@pytest.mark.parametrize(
    "body",
    [
        '{"type":"event_callback","challenge":"x"}',
        '{"type":"event_callback","event":{"text":"url_verification","type":"url_verification"}}',
        '"url_verification"',
        "url_verification",
    ],
)
def test_an_event_is_no_challenge(body: str) -> None:
    """Only the top-level `type` makes a challenge."""
    assert answer(SLACK, slack_request(body)) is None


@pytest.mark.parametrize(("length", "status"), [(0, 400), (1, 200), (256, 200), (257, 400)])
def test_an_echo_has_at_most_256_characters(length: int, status: int) -> None:
    """For Slack, Meta and Microsoft Graph."""
    text = "\u00e9" * length
    body = msgspec.json.encode({"type": "url_verification", "challenge": text}).decode()
    hub = {"hub.mode": "subscribe", "hub.verify_token": hub_verify_token(TEXT_SECRET).reveal()}
    for scheme, asked in (
        (SLACK, slack_request(body)),
        (META, asked_with("GET", {**hub, "hub.challenge": text})),
        (MICROSOFT_GRAPH, asked_with("POST", {"validationToken": text})),
    ):
        given = answer(scheme, asked)
        assert given is not None
        assert given.status == status
        assert given.header("x-content-type-options") == "nosniff"
        assert (given.body == text.encode()) is (status == 200)


# --- Zoom -----------------------------------------------------------------------------------------


def test_zoom_is_answered_with_the_hmac_of_its_token() -> None:
    """With the key that signed the challenge, while two keys are valid."""
    for key, keys in ((KEY, (KEY,)), (OTHER_KEY, (KEY, OTHER_KEY))):
        given = answer(ZOOM, plain_token("qgg8vlvZRS6UYooatFL8Aw", key), *keys)
        assert given is not None
        assert given.status == 200
        assert given.header("content-type") == "application/json"
        expected = hmac.new(key, b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
        assert msgspec.json.decode(given.body) == {
            "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
            "encryptedToken": expected,
        }


def test_zoom_is_not_answered_without_its_signature() -> None:
    """Otherwise anyone who knows the URL could get HMACs computed."""
    signed = plain_token("abc")
    assert answer(ZOOM, signed, OTHER_KEY) is None
    assert answer(ZOOM, replace(signed, headers=())) is None
    assert answer(ZOOM, replace(signed, body=signed.body.replace(b"abc", b"abd"))) is None
    assert answer(ZOOM, replace(signed, method="GET")) is None
    late = SIGNED_AT + ZOOM.tolerance + SECOND
    assert challenge_answer(ZOOM, signed, [KEY], now=late) is None


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("a", 200),
        ("A-Za_z09" * 16, 200),
        ("A-Za_z09" * 16 + "x", 400),
        ("", 400),
        ("v0:1793534400:{}", 400),
        ("a b", 400),
        ("a\n", 400),
        ("a.b", 400),
        ("\u0661", 400),
        ("\u00e9", 400),
        (7, 400),
        (None, 400),
        (["a"], 400),
    ],
)
def test_a_plain_token_is_a_plain_token(token: object, status: int) -> None:
    """1 to 128 of `[A-Za-z0-9_-]`. The signed bytes of an event never look like that."""
    given = answer(ZOOM, plain_token(token))
    assert given is not None
    assert given.status == status
    assert (b"encryptedToken" in given.body) is (status == 200)


@pytest.mark.parametrize("payload", [b"", b',"payload":7', b',"payload":{}', b',"payload":[]'])
def test_a_question_without_a_token_is_malformed(payload: bytes) -> None:
    """It is signed, but it is not answered."""
    given = answer(ZOOM, zoom(b'{"event":"endpoint.url_validation"%b}' % payload))
    assert given is not None
    assert given.status == 400


def test_an_event_of_zoom_is_no_question() -> None:
    """Although its body contains the name of the challenge."""
    body = b'{"event":"meeting.started","payload":{"topic":"endpoint.url_validation"}}'
    assert answer(ZOOM, zoom(body)) is None


# --- Meta -----------------------------------------------------------------------------------------


def hub(**changed: str) -> dict[str, str]:
    fields = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": hub_verify_token(TEXT_SECRET).reveal(),
    }
    return {**fields, **{f"hub.{name}": value for name, value in changed.items()}}


def test_meta_is_answered_where_it_knows_the_verify_token() -> None:
    """The token of any valid secret is accepted."""
    assert is_plain_text(answer(META, asked_with("GET", hub())), "1158201444")
    assert is_plain_text(answer(META, asked_with("GET", hub()), OTHER_KEY, KEY), "1158201444")


@pytest.mark.parametrize("token", ["", "x", TEXT_SECRET.reveal(), "\u00e9"])
def test_another_verify_token_is_forbidden(token: str) -> None:
    """The response does not echo the challenge."""
    given = answer(META, asked_with("GET", hub(verify_token=token)))
    assert given is not None
    assert (given.status, b"1158201444" in given.body) == (403, False)
    given = answer(META, asked_with("GET", hub()), OTHER_KEY)
    assert given is not None
    assert given.status == 403
    twice = urlencode(hub()) + "&hub.verify_token=" + hub()["hub.verify_token"]
    given = answer(META, asked_with("GET", twice))
    assert given is not None
    assert given.status == 403


@pytest.mark.parametrize(
    "asked",
    [
        asked_with("GET", hub(mode="unsubscribe")),
        asked_with("GET", ""),
        asked_with("GET", "hub.mode=%zz"),
        asked_with("POST", hub()),
    ],
)
def test_another_request_is_no_question_of_metas(asked: HttpRequest) -> None:
    """Another method, or a missing mode, is not a challenge."""
    assert answer(META, asked) is None


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_verify_token_signs_nothing(secret: str) -> None:
    """Meta sends it in a query, which may be logged: it is neither the secret nor a signature."""
    token = hub_verify_token(Secret(secret)).reveal()
    assert token == hub_verify_token(Secret(secret)).reveal()
    assert token != hub_verify_token(Secret(secret + "x")).reveal()
    for body in (b"igniter-connectors hub.verify_token", b"", token.encode()):
        signed = request({"X-Hub-Signature-256": f"sha256={token}"}, body)
        assert not is_successful(verify(META, signed, [Secret(secret)], now=SIGNED_AT))


# --- Microsoft Graph ------------------------------------------------------------------------------


def test_graph_is_answered_with_its_validation_token() -> None:
    """Decoded, as plain text."""
    asked = asked_with("POST", "validationToken=Validation%3A+Testing+%3Cb%3E%20id")
    assert is_plain_text(answer(MICROSOFT_GRAPH, asked), "Validation: Testing <b> id")


@pytest.mark.parametrize("query", ["validationToken=a&validationToken=b", "validationToken=%ff"])
def test_a_validation_token_twice_or_unreadable_is_malformed(query: str) -> None:
    """The response does not echo the token."""
    given = answer(MICROSOFT_GRAPH, asked_with("POST", query))
    assert given is not None
    assert given.status == 400


def test_a_notification_is_no_question() -> None:
    """A GET is not a challenge either."""
    assert answer(MICROSOFT_GRAPH, asked_with("POST", "")) is None
    assert answer(MICROSOFT_GRAPH, asked_with("GET", {"validationToken": "a"})) is None


# --- the others -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scheme", [STANDARD_WEBHOOKS, STRIPE, GITHUB, SHOPIFY, TWILIO, LINEAR, AcceptUnsignedEvents()]
)
def test_other_schemes_ask_nothing(scheme: Verification) -> None:
    """Whatever an attacker sends."""
    for asked in (
        plain_token("abc"),
        slack_request('{"type":"url_verification","challenge":"x"}'),
        asked_with("GET", hub()),
        asked_with("POST", {"validationToken": "a"}),
    ):
        assert answer(scheme, asked) is None
    assert not answers_get(scheme)


def test_only_metas_question_is_a_get() -> None:
    """Only that scheme's route must accept GET."""
    assert answers_get(META)
    assert not any(answers_get(scheme) for scheme in (SLACK, ZOOM, MICROSOFT_GRAPH))


@given(
    st.sampled_from([SLACK, ZOOM, META, MICROSOFT_GRAPH]),
    st.sampled_from(["GET", "POST"]),
    st.text(st.characters(codec=None)),
    st.binary(),
)
def test_no_question_raises(scheme: Verification, method: str, query: str, body: bytes) -> None:
    """Random requests never raise, and nothing of them is signed."""
    for more in ("", "validationToken=", "hub.mode=subscribe&"):
        asked = HttpRequest(method, f"{URL}?{more}{query}", (), body + b"endpoint.url_validation")
        given = answer(scheme, asked)
        assert given is None or b"encryptedToken" not in given.body
