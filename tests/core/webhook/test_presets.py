"""Presets: what a provider signs is accepted, and any change of it is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook import presets as providers
from igniter_connectors.core.webhook.presets import (
    GITHUB,
    LINEAR,
    META,
    SHOPIFY,
    SLACK,
    SLACK_FORMS,
    STANDARD_WEBHOOKS,
    STRIPE,
    SVIX,
    TWILIO,
    TWILIO_JSON,
    ZOOM,
)
from igniter_connectors.core.webhook.schemes import Verification, scheme_fault
from igniter_connectors.core.webhook.verification import verify

from .requests import (
    OTHER_STANDARD_SECRET,
    OTHER_TEXT_SECRET,
    SECOND,
    SIGNED_AT,
    STANDARD_SECRET,
    TEXT_SECRET,
    request,
    slack_request,
    standard_request,
    stripe_request,
    svix_request,
    twilio_json_request,
    twilio_request,
)

Sign = Callable[[bytes, Secret, str, datetime], HttpRequest]


class Sender(msgspec.Struct, frozen=True):
    """A provider: how it signs, what its signature proves, and for how long."""

    scheme: Verification
    sign: Sign
    body: bytes = b'{"a":1}'
    id_is_signed: bool | None = None
    tolerance: timedelta | None = None
    is_standard: bool = False

    @property
    def secrets(self) -> tuple[Secret, Secret]:
        if self.is_standard:
            return STANDARD_SECRET, OTHER_STANDARD_SECRET
        return TEXT_SECRET, OTHER_TEXT_SECRET


def mac(secret: Secret, text: bytes) -> bytes:
    return hmac.new(secret.reveal().encode(), text, hashlib.sha256).digest()


def github(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    signature = "sha256=" + mac(secret, body).hex()
    return request({"X-Hub-Signature-256": signature, "X-GitHub-Delivery": event_id}, body)


def meta(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    return request({"X-Hub-Signature-256": "sha256=" + mac(secret, body).hex()}, body)


def shopify(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    signature = base64.b64encode(mac(secret, body)).decode()
    headers = {"X-Shopify-Hmac-SHA256": signature, "X-Shopify-Webhook-Id": event_id}
    return request(headers, body)


def shopify_newer(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    signature = base64.b64encode(mac(secret, body)).decode()
    headers = {"shopify-hmac-sha256": signature, "shopify-webhook-id": event_id}
    return request(headers, body)


def linear(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    milliseconds = round(at.timestamp() * 1000)
    timed = body.replace(b"{", b'{"webhookTimestamp":%d,' % milliseconds, 1)
    headers = {"Linear-Signature": mac(secret, timed).hex(), "Linear-Delivery": event_id}
    return request(headers, timed)


def zoom(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    timestamp = str(int(at.timestamp()))
    signature = "v0=" + mac(secret, f"v0:{timestamp}:".encode() + body).hex()
    return request({"x-zm-signature": signature, "x-zm-request-timestamp": timestamp}, body)


def twilio(body: bytes, secret: Secret, event_id: str, at: datetime) -> HttpRequest:
    name, _, value = body.decode().partition("=")
    return twilio_request({name: value, "From": "+15306666666"}, secret, event_id)


FIVE_MINUTES: Final = timedelta(minutes=5)
SENDERS: Final = {
    "standard": Sender(
        STANDARD_WEBHOOKS,
        lambda body, secret, event_id, at: standard_request(body.decode(), secret, event_id, at),
        id_is_signed=True,
        tolerance=FIVE_MINUTES,
        is_standard=True,
    ),
    "svix": Sender(
        SVIX,
        lambda body, secret, event_id, at: svix_request(body.decode(), secret, event_id, at),
        id_is_signed=True,
        tolerance=FIVE_MINUTES,
        is_standard=True,
    ),
    "stripe": Sender(
        STRIPE,
        lambda body, secret, event_id, at: stripe_request(
            body.decode().replace("ID", event_id), secret, at
        ),
        b'{"object":"event","id":"ID"}',
        id_is_signed=True,
        tolerance=FIVE_MINUTES,
    ),
    "slack": Sender(
        SLACK,
        lambda body, secret, event_id, at: slack_request(
            body.decode().replace("ID", event_id), secret, at
        ),
        b'{"type":"event_callback","event_id":"ID"}',
        id_is_signed=True,
        tolerance=FIVE_MINUTES,
    ),
    "slack's forms": Sender(
        SLACK_FORMS,
        lambda body, secret, event_id, at: slack_request(body.decode(), secret, at),
        b"command=%2Fhello&text=a",
        tolerance=FIVE_MINUTES,
    ),
    "zoom": Sender(ZOOM, zoom, tolerance=FIVE_MINUTES),
    "linear": Sender(LINEAR, linear, id_is_signed=False, tolerance=timedelta(minutes=1)),
    "github": Sender(GITHUB, github, id_is_signed=False),
    "shopify": Sender(SHOPIFY, shopify, id_is_signed=False),
    "shopify's newer names": Sender(SHOPIFY, shopify_newer, id_is_signed=False),
    "svix by the standard's names": Sender(
        SVIX,
        lambda body, secret, event_id, at: standard_request(body.decode(), secret, event_id, at),
        id_is_signed=True,
        tolerance=FIVE_MINUTES,
        is_standard=True,
    ),
    "meta": Sender(META, meta),
    "twilio": Sender(TWILIO, twilio, b"Body=hello world", id_is_signed=False),
    "twilio's json": Sender(
        TWILIO_JSON,
        lambda body, secret, event_id, at: twilio_json_request(body.decode(), secret, event_id),
        id_is_signed=False,
    ),
}
EVERY = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
TIMED = {name: sender for name, sender in SENDERS.items() if sender.tolerance is not None}


def signed_by(
    sender: Sender, secret: Secret | None = None, event_id: str = "evt_1", at: datetime = SIGNED_AT
) -> HttpRequest:
    return sender.sign(sender.body, secret or sender.secrets[0], event_id, at)


def passes(
    sender: Sender, signed: HttpRequest, *secrets: Secret, now: datetime = SIGNED_AT
) -> bool:
    return is_successful(verify(sender.scheme, signed, secrets or sender.secrets, now=now))


def test_every_provider_is_tried_here() -> None:
    """All presets except Microsoft Graph's, which signs nothing."""
    schemes = [value for name, value in vars(providers).items() if name.isupper()]
    tried = [sender.scheme for sender in SENDERS.values()]
    assert [one for one in schemes if one not in tried] == [providers.MICROSOFT_GRAPH]
    assert all(scheme_fault(one) is None for one in schemes)


@EVERY
def test_what_the_provider_signs_is_genuine(sender: Sender) -> None:
    """With the id and the time that its scheme proves."""
    verified = verify(sender.scheme, signed_by(sender), [sender.secrets[0]], now=SIGNED_AT).unwrap()
    assert verified.event_id == (None if sender.id_is_signed is None else "evt_1")
    assert verified.event_id_is_signed is bool(sender.id_is_signed)
    assert verified.signed_at == (SIGNED_AT if sender.tolerance else None)
    assert verified.batch == ()


def said(form: bytes) -> list[tuple[str, str]]:
    return parse_qsl(form.decode("latin-1"), keep_blank_values=True)


@EVERY
@given(st.data())
def test_a_tampered_body_is_refused(sender: Sender, data: st.DataObject) -> None:
    """One flipped bit, one byte more or one byte less is enough."""
    signed = signed_by(sender)
    body = signed.body
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(body) - 1))
    flipped = bytearray(body)
    flipped[bit // 8] ^= 1 << bit % 8
    for changed in (bytes(flipped), body[:-1], body + b"\n", body + b"x", b"", body * 2):
        # Twilio signs what a form says: `%2b` is `%2B`.
        says_the_same = sender.scheme == TWILIO and said(changed) == said(body)
        assert passes(sender, replace(signed, body=changed)) is says_the_same


@pytest.mark.parametrize("sender", TIMED.values(), ids=TIMED)
def test_a_time_holds_up_to_its_limit(sender: Sender) -> None:
    """At the limit it is accepted, one second past it it is refused, early or late."""
    assert sender.tolerance is not None
    signed = signed_by(sender)
    for past, taken in ((-SECOND, True), (timedelta(), True), (SECOND, False)):
        off = sender.tolerance + past
        assert passes(sender, signed, now=SIGNED_AT + off) is taken
        assert passes(sender, signed, now=SIGNED_AT - off) is taken


@EVERY
def test_without_a_signed_time_none_is_pretended(sender: Sender) -> None:
    """If the provider signs no time, the same delivery still verifies years later."""
    late = SIGNED_AT + timedelta(days=9999)
    assert passes(sender, signed_by(sender), now=late) is (sender.tolerance is None)


@EVERY
def test_another_id_is_refused_where_it_is_signed(sender: Sender) -> None:
    """An id that is not signed is accepted, and is marked as unsigned."""
    signed, other = signed_by(sender), signed_by(sender, event_id="evt_2")
    mixed = tuple(
        (name, value if "sig" in name.lower() or "hmac" in name.lower() else value_2)
        for (name, value), (_, value_2) in zip(signed.headers, other.headers, strict=True)
    )
    changed = replace(signed, headers=mixed)
    if sender.id_is_signed and sender.is_standard:
        assert not passes(sender, changed)
    elif sender.id_is_signed:
        assert not passes(sender, replace(signed, body=other.body))
    elif sender.id_is_signed is False:
        verified = verify(sender.scheme, changed, sender.secrets, now=SIGNED_AT).unwrap()
        assert (verified.event_id, verified.event_id_is_signed) == ("evt_2", False)


@EVERY
def test_a_header_missing_or_twice_is_refused(sender: Sender) -> None:
    """Only an unsigned id may be absent. No header may be repeated."""
    signed = signed_by(sender)
    optional = {"X-GitHub-Delivery", "X-Shopify-Webhook-Id", "Linear-Delivery"}
    optional |= {"I-Twilio-Idempotency-Token", "shopify-webhook-id"}
    for name, value in signed.headers:
        rest = tuple(header for header in signed.headers if header[0] != name)
        assert passes(sender, replace(signed, headers=rest)) is (name in optional)
        for again in (value, "other"):
            doubled = (*signed.headers, (name.lower(), again))
            assert not passes(sender, replace(signed, headers=doubled))


@EVERY
@pytest.mark.parametrize("event_id", ["m" * 256, "m\n", "m\x00", "m\u2028"])
def test_an_id_that_cannot_be_stored_proves_nothing(sender: Sender, event_id: str) -> None:
    """In a header it is refused. In a verified body it counts as no id."""
    judged = verify(
        sender.scheme, signed_by(sender, event_id=event_id), sender.secrets, now=SIGNED_AT
    )
    assert not is_successful(judged) or judged.unwrap().event_id is None


@EVERY
@pytest.mark.parametrize(
    "value", ["", ",", "=", "v1", "v0=", "sha256", "\u00e9", "\ud800", "====", "t=,v1=", " " * 5000]
)
def test_a_malformed_signature_is_refused(sender: Sender, value: str) -> None:
    """No comma, no `=`, no base64, no UTF-8, or too long: it never raises."""
    signed = signed_by(sender)
    for place, (name, _) in enumerate(signed.headers):
        if name.lower().endswith(("signature", "signature-256", "hmac-sha256")):
            headers = list(signed.headers)
            headers[place] = (name, value)
            assert not passes(sender, replace(signed, headers=tuple(headers)))
            break
    else:
        pytest.fail("no signature was changed")


@EVERY
def test_two_secrets_are_live_while_one_rotates(sender: Sender) -> None:
    """In either order. A third secret is refused, and nothing verifies without a secret."""
    old, new = sender.secrets
    third = Secret("whsec_" + base64.b64encode(b"3" * 32).decode())
    for live in ((old, new), (new, old)):
        assert passes(sender, signed_by(sender, old), *live)
        assert passes(sender, signed_by(sender, new), *live)
        assert not passes(sender, signed_by(sender, third), *live)
    assert not is_successful(verify(sender.scheme, signed_by(sender), [], now=SIGNED_AT))


@EVERY
def test_the_wrong_secret_matches_nothing(sender: Sender) -> None:
    """Neither does an empty secret, with which anyone could sign."""
    old, new = sender.secrets
    assert not passes(sender, signed_by(sender, old), new)
    assert not passes(sender, signed_by(sender, old), Secret(""))
    assert not passes(sender, signed_by(sender, old), Secret("\ud800"))


# --- times in the body ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "time",
    [
        b"",
        b'"1793534400000"',
        b"null",
        b"true",
        b"[1]",
        b"{}",
        b"-1793534400000",
        b"1793534400000.0",
        b"1793534400",
        b"9" * 15,
        b"9" * 5000,
    ],
)
def test_a_time_in_the_body_is_a_number_of_milliseconds(time: bytes) -> None:
    """Absent, of another type, or in seconds: refused, although the signature matches."""
    body = b'{"webhookTimestamp":%b,"a":1}' % time if time else b'{"a":1}'
    signed = request({"Linear-Signature": mac(TEXT_SECRET, body).hex()}, body)
    assert not is_successful(verify(LINEAR, signed, [TEXT_SECRET], now=SIGNED_AT))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"webhookTimestamp":' + b"[" * 9999])
def test_a_signed_body_that_is_no_object_has_no_time(body: bytes) -> None:
    """Signed or not, a body that is not JSON is refused and does not raise."""
    signed = request({"Linear-Signature": mac(TEXT_SECRET, body).hex()}, body)
    assert not is_successful(verify(LINEAR, signed, [TEXT_SECRET], now=SIGNED_AT))


def test_milliseconds_are_exact() -> None:
    """At 60 s it is accepted, one millisecond past it it is refused."""
    sender = SENDERS["linear"]
    at = SIGNED_AT + timedelta(milliseconds=999)
    signed = signed_by(sender, at=at)
    minute = timedelta(minutes=1)
    assert verify(LINEAR, signed, [TEXT_SECRET], now=at).unwrap().signed_at == at
    assert passes(sender, signed, now=at + minute)
    assert not passes(sender, signed, now=at + minute + timedelta(milliseconds=1))


# --- ids in the body ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "event_id"),
    [
        ('{"id":"evt_1"}', "evt_1"),
        ('{"id":"old","id":"evt_1"}', "evt_1"),
        ('{"data":{"id":"inner"},"id":"evt_1"}', "evt_1"),
        ('{"id":"' + "x" * 255 + '"}', "x" * 255),
        ('{"id":"' + "x" * 256 + '"}', None),
        ('{"id":""}', None),
        ('{"id":7}', None),
        ('{"id":null}', None),
        ('{"id":"\\u0000"}', None),
        ('{"id":"\\ud800"}', None),
        ('{"data":{"id":"inner"}}', None),
        ("[]", None),
        ("", None),
        ("{", None),
    ],
)
def test_an_id_is_the_outermost_field_of_that_name(body: str, event_id: str | None) -> None:
    """The last of two fields, as the payload decoder reads it. An invalid id is no id."""
    verified = verify(STRIPE, stripe_request(body), [TEXT_SECRET], now=SIGNED_AT).unwrap()
    assert verified.event_id == event_id
    assert verified.event_id_is_signed is (event_id is not None)
