"""A custom verification, as data or as a function."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.schemes import CustomVerification, HmacScheme
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified

from .requests import OTHER_TEXT_SECRET, SIGNED_AT, TEXT_SECRET, request

URL = "https://own.example/webhooks/hubspot?x=1"
# https://developers.hubspot.com/docs/api/webhooks/validating-requests, signature v3
HUBSPOT = HmacScheme(
    header="X-HubSpot-Signature-v3",
    signed="{method}{url}{body}{timestamp}",
    encoding="base64",
    timestamp_header="X-HubSpot-Request-Timestamp",
    timestamp_unit="milliseconds",
)


def hubspot(at: datetime = SIGNED_AT) -> HttpRequest:
    timestamp = str(round(at.timestamp() * 1000))
    text = f"POST{URL}[]{timestamp}".encode()
    mac = hmac.new(TEXT_SECRET.reveal().encode(), text, hashlib.sha256).digest()
    headers = {
        "X-HubSpot-Signature-v3": base64.b64encode(mac).decode(),
        "X-HubSpot-Request-Timestamp": timestamp,
    }
    return request(headers, "[]", URL)


def test_method_and_address_may_be_signed() -> None:
    """HubSpot signs both, with a time in milliseconds."""
    at = SIGNED_AT + timedelta(milliseconds=7)
    signed = hubspot(at)
    judged = verify(HUBSPOT, signed, [TEXT_SECRET], now=at + HUBSPOT.tolerance)
    assert judged.unwrap() == Verified(None, False, at)
    late = at + HUBSPOT.tolerance + timedelta(milliseconds=1)
    assert not is_successful(verify(HUBSPOT, signed, [TEXT_SECRET], now=late))
    for changed in (
        replace(signed, method="PUT"),
        replace(signed, url=URL + "2"),
        replace(signed, url=URL + "\ud800"),
        replace(signed, body=b"[1]"),
    ):
        assert not is_successful(verify(HUBSPOT, changed, [TEXT_SECRET], now=at))


@pytest.mark.parametrize(("digits", "read"), [(14, True), (15, False)])
def test_milliseconds_have_fourteen_digits_at_most(digits: int, read: bool) -> None:
    """The last one is in the year 5138, as with eleven digits of seconds."""
    text = "9" * digits
    key = TEXT_SECRET.reveal().encode()
    mac = hmac.new(key, f"POST{URL}[]{text}".encode(), hashlib.sha256).digest()
    headers = {
        "X-HubSpot-Signature-v3": base64.b64encode(mac).decode(),
        "X-HubSpot-Request-Timestamp": text,
    }
    at = datetime.fromtimestamp(99_999_999_999, SIGNED_AT.tzinfo)
    judged = verify(HUBSPOT, request(headers, "[]", URL), [TEXT_SECRET], now=at)
    assert is_successful(judged) is read


def by_password(
    request: HttpRequest, secrets: Sequence[Secret], now: datetime
) -> Result[Verified, VerificationFailure]:
    given = (request.header("X-Password") or "").encode()
    if not any(hmac.compare_digest(given, one.reveal().encode()) for one in secrets):
        return Failure(VerificationFailure("another password"))
    return Success(Verified(None, False, now))


def test_a_custom_function_verifies() -> None:
    """It gets every valid secret and the instant of arrival."""
    scheme = CustomVerification(judge=by_password, headers=("X-Password",))
    signed = request({"X-Password": TEXT_SECRET.reveal()})
    both = [OTHER_TEXT_SECRET, TEXT_SECRET]
    assert verify(scheme, signed, both, now=SIGNED_AT) == Success(Verified(None, False, SIGNED_AT))
    refused = Failure(VerificationFailure("another password"))
    assert verify(scheme, signed, [OTHER_TEXT_SECRET], now=SIGNED_AT) == refused
    assert verify(scheme, signed, [Secret("")], now=SIGNED_AT) == refused
    assert verify(scheme, request({}), both, now=SIGNED_AT) == refused


def test_a_function_that_raises_refuses() -> None:
    """The reason has the exception's type only: its text may quote a secret."""

    def broken(
        request: HttpRequest, secrets: Sequence[Secret], now: datetime
    ) -> Result[Verified, VerificationFailure]:
        raise KeyError(secrets[0].reveal())

    scheme = CustomVerification(judge=broken, headers=())
    judged = verify(scheme, request({}), [TEXT_SECRET], now=SIGNED_AT)
    assert judged == Failure(
        VerificationFailure("the connector's own verification raised KeyError")
    )
