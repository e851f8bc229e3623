"""Signing in on another device. RFC 8628."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.result import Result

from igniter_connectors.core.http.messages import HttpFailed
from igniter_connectors.core.oauth.device_authorization import (
    DEFAULT_INTERVAL,
    MAX_INTERVAL,
    DeviceAuthorization,
    device_request,
    judge_device,
    judge_poll,
    poll_request,
)
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    ProviderAnswerMalformed,
    TokenMalformed,
    TokenRefused,
)
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW
from tests.core.vector_files import vectors

from .providers import PROVIDER, answer, provider
from .test_client_assertion import SIGNING, signing

URL = "https://provider.example/device"


class Device(msgspec.Struct):
    client_id: str
    scope: str
    request: str
    answer: dict[str, str | int]
    poll: str


VECTOR = vectors("rfc8628_device.json", Device)
DEVICE = DeviceAuthorization(
    Secret(str(VECTOR.answer["device_code"])),
    "WDJB-MJHT",
    "https://example.com/device",
    "https://example.com/device?user_code=WDJB-MJHT",
    NOW + timedelta(seconds=1800),
    timedelta(seconds=5),
)
JUNK: tuple[object, ...] = ("", 5, [])
NO_SPAN: tuple[object, ...] = (-1, "x", True, {}, 1e300)
PUBLIC = provider(
    client_id=VECTOR.client_id,
    client_secret=None,
    oauth_scopes=(VECTOR.scope,),
    device_authorization_url=URL,
)


def judge(
    body: object, status: int = 200
) -> Result[DeviceAuthorization, TokenRefused | ProviderAnswerMalformed]:
    return judge_device(answer(body, status), connector="tv", received_at=NOW)


def with_(**changes: Any) -> dict[str, Any]:
    """The RFC's response with changes; None removes a member."""
    return {
        name: value for name, value in {**VECTOR.answer, **changes}.items() if value is not None
    }


def polled(
    body: object,
    status: int = 200,
    device: DeviceAuthorization = DEVICE,
    *,
    after: timedelta = timedelta(),
    retry_after: str | None = None,
) -> TokenSet | DeviceAuthorization | TokenRefused | TokenMalformed:
    """The result of one poll, some time after the code was issued."""
    headers = {} if retry_after is None else {"retry_after": retry_after}
    sent = HttpFailed(sent=True) if body is None else answer(body, status, **headers)
    judged = judge_poll(sent, PUBLIC, device, connector="tv", received_at=NOW + after)
    return judged.value_or(None) or judged.failure()


# --- the code ---------------------------------------------------------------------------------


def test_the_examples_of_the_rfc() -> None:
    """Sections 3.1, 3.2 and 3.4, byte for byte."""
    request = device_request(PUBLIC)
    assert request is not None
    assert (request.method, request.url) == ("POST", URL)
    assert request.body.decode() == VECTOR.request
    assert judge(VECTOR.answer).unwrap() == DEVICE
    poll = poll_request(PUBLIC, DEVICE)
    assert poll.url == PUBLIC.token_url
    assert poll.body.decode() == VECTOR.poll


def test_a_confidential_client_authenticates() -> None:
    """Section 3.1, as at the token endpoint. Without scopes no `scope` is sent."""
    request = device_request(provider(device_authorization_url=URL))
    assert request is not None
    assert request.header("authorization") is not None
    assert request.body == b"client_id=client"
    request = device_request(signing(device_authorization_url=URL), signing=SIGNING)
    assert request is not None
    assert "client_assertion" in dict(parse_qsl(request.body.decode()))
    poll = poll_request(signing(), DEVICE, signing=SIGNING)
    assert "client_assertion" in dict(parse_qsl(poll.body.decode()))


def test_scopes_are_joined_as_the_provider_wants() -> None:
    """With its own separator."""
    request = device_request(
        provider(device_authorization_url=URL, oauth_scopes=("a", "b"), oauth_scope_separator=",")
    )
    assert request is not None
    assert dict(parse_qsl(request.body.decode()))["scope"] == "a,b"


def test_a_provider_without_the_endpoint_has_no_codes() -> None:
    """There is no request."""
    assert device_request(PROVIDER) is None


def test_optional_members_may_be_absent() -> None:
    """Then the interval is 5 seconds, and no address has the code in it."""
    least = judge(with_(interval=None, verification_uri_complete=None)).unwrap()
    assert least == replace(DEVICE, verification_uri_complete=None)
    assert timedelta(seconds=5) == DEFAULT_INTERVAL


def test_googles_name_for_the_address() -> None:
    """`verification_url`, if the RFC's own name is absent."""
    body = with_(verification_uri=None, verification_url="https://google.example/device")
    assert judge(body).unwrap().verification_uri == "https://google.example/device"


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        (0, 5),
        (0.001, 1),
        ("0.5", 1),
        (1, 1),
        ("7", 7),
        (300, 300),
        (301, 300),
        (10**6, 300),
        *[(value, 5) for value in (None, *NO_SPAN)],
    ],
)
def test_the_interval_is_bounded(interval: object, seconds: int) -> None:
    """At least a second and at most 5 minutes. A value that cannot be read means 5 seconds."""
    assert judge(with_(interval=interval)).unwrap().interval == timedelta(seconds=seconds)


@pytest.mark.parametrize("life", [None, 0, -1, "x", True, 1e99, [], {}])
def test_a_code_with_an_invalid_lifetime_is_used(life: object) -> None:
    """It is polled for 15 minutes."""
    assert judge(with_(expires_in=life)).unwrap().expires_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("device_code", value) for value in JUNK],
        *[("user_code", value) for value in (*JUNK, "W\nX", "x" * 256)],
        *[
            ("verification_uri", value)
            for value in (
                "", 5, "javascript:alert(1)", "http://example.com/device", "/device",
                "https://user@example.com/", "https://example.com/" + "x" * 250, "data:,x",
            )
        ],
    ],
)  # fmt: skip
def test_an_unusable_address_or_code_is_malformed(name: str, value: object) -> None:
    """Nobody is sent to an address that is not https."""
    assert judge(with_(**{name: value})).failure() == ProviderAnswerMalformed("tv", f"$.{name}")


@pytest.mark.parametrize("name", ["device_code", "user_code", "verification_uri"])
def test_a_missing_member_is_malformed(name: str) -> None:
    """Without these members nobody can sign in."""
    assert judge(with_(**{name: None})).failure() == ProviderAnswerMalformed("tv", f"$.{name}")


@pytest.mark.parametrize("complete", ["javascript:alert(1)", 5, "", "http://example.com/"])
def test_an_unusable_link_is_left_out(complete: object) -> None:
    """The code can still be typed."""
    assert judge(with_(verification_uri_complete=complete)).unwrap() == replace(
        DEVICE, verification_uri_complete=None
    )


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_client"}, "invalid_client"),
        (200, {"error": "invalid_scope"}, "invalid_scope"),
        (400, {"error": "zqCanary"}, "other"),
        (199, VECTOR.answer, "other"),
        (300, VECTOR.answer, "other"),
        (500, b"<html>", "other"),
    ],
)
def test_a_refusal_is_returned(status: int, body: object, error: str) -> None:
    """With the RFC's code, whatever the status."""
    assert judge(body, status).failure() == TokenRefused("tv", error)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_any_2xx_may_have_the_code(status: int) -> None:
    """The first and the last of them."""
    assert judge(VECTOR.answer, status).unwrap() == DEVICE


def test_an_authorization_does_not_show_its_codes() -> None:
    """The device code is as good as a token."""
    assert repr(DEVICE) == f"DeviceAuthorization(expires_at={DEVICE.expires_at.isoformat()})"


@given(st.binary(), st.integers(100, 599))
def test_any_response_is_judged(body: bytes, status: int) -> None:
    """Any bytes, for either request, give a result."""
    assert isinstance(judge(body, status), Result)
    assert polled(body, status) is not None


# --- asking -----------------------------------------------------------------------------------


def test_tokens_end_the_polling() -> None:
    """Also if they arrive at the last moment."""
    tokens = TokenSet(Secret("a"), Secret("r"))
    body = {"access_token": "a", "refresh_token": "r"}
    assert polled(body) == tokens
    assert polled(body, after=timedelta(days=1)) == tokens


@pytest.mark.parametrize(
    ("body", "status", "retry_after", "seconds"),
    [
        ({"error": "authorization_pending"}, 400, None, 5),
        ({"error": "authorization_pending"}, 200, None, 5),
        (b"error=authorization_pending", 400, None, 5),
        ({"error": "slow_down"}, 400, None, 10),
        ({"error": "slow_down"}, 429, None, 10),
        (None, 0, None, 10),
        (b"", 500, None, 10),
        (b"", 503, "3", 10),
        (b"", 503, "60", 60),
        (b"", 429, "60", 60),
        (b"", 429, "600", 300),
        (b"", 599, None, 10),
    ],
)
def test_the_pause_before_the_next_poll(
    body: object, status: int, retry_after: str | None, seconds: int
) -> None:
    """`slow_down` adds 5 s (section 3.5), a failure doubles the pause, and Retry-After is
    obeyed."""
    again = polled(body, status, retry_after=retry_after)
    assert again == replace(DEVICE, interval=timedelta(seconds=seconds))


def test_each_slow_down_adds_to_the_interval() -> None:
    """Up to five minutes."""
    device = DEVICE
    for expected in (10, 15, 20, 25):
        again = polled({"error": "slow_down"}, 400, device)
        assert isinstance(again, DeviceAuthorization)
        device = again
        assert device.interval == timedelta(seconds=expected)
    long = replace(DEVICE, interval=MAX_INTERVAL)
    assert polled({"error": "slow_down"}, 400, long) == long
    assert polled(None, device=long) == long


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_a_refusal_ends_the_polling(error: str) -> None:
    """The caller gets the code."""
    assert polled({"error": error}, 400) == TokenRefused("tv", error)


def test_any_other_error_ends_the_polling() -> None:
    """Without the provider's own text."""
    assert polled({"error": "zqCanary"}, 400) == TokenRefused("tv", "other")
    assert polled(b"<html>", 404) == TokenRefused("tv", "other")
    assert polled(b"<html>", 200) == TokenMalformed("tv", "$")


@pytest.mark.parametrize("body", [{"error": "authorization_pending"}, {"error": "slow_down"}, None])
def test_a_code_expires_by_our_own_clock(body: object) -> None:
    """At the instant, and not a second earlier."""
    life = timedelta(seconds=1800)
    assert isinstance(polled(body, 400, after=life - timedelta(seconds=1)), DeviceAuthorization)
    assert polled(body, 400, after=life) == TokenRefused("tv", "expired_token")
