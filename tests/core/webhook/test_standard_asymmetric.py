"""Standard Webhooks with a public key: `v1a,…` under `whpk_…`."""

from __future__ import annotations

import base64
import hmac
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from returns.pipeline import is_successful

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import STANDARD_WEBHOOKS, SVIX
from igniter_connectors.core.webhook.verification import verify
from igniter_connectors.core.webhook.verified import Verified

from .requests import SECOND, SIGNED_AT, STANDARD_SECRET, request, standard_signature

PRIVATE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
TIMESTAMP: Final = str(int(SIGNED_AT.timestamp()))
BODY: Final = b'{"type":"paid"}'


def public(private: Ed25519PrivateKey) -> Secret:
    octets = private.public_key().public_bytes_raw()
    return Secret("whpk_" + base64.b64encode(octets).decode())


def signature(private: Ed25519PrivateKey = PRIVATE, body: bytes = BODY) -> str:
    octets = private.sign(f"msg_1.{TIMESTAMP}.".encode() + body)
    return "v1a," + base64.b64encode(octets).decode()


def signed(value: str, body: bytes = BODY, prefix: str = "webhook") -> HttpRequest:
    headers = {
        f"{prefix}-id": "msg_1",
        f"{prefix}-timestamp": TIMESTAMP,
        f"{prefix}-signature": value,
    }
    return request(headers, body)


def passes(value: str, *secrets: Secret, body: bytes = BODY) -> bool:
    return is_successful(verify(STANDARD_WEBHOOKS, signed(value, body), secrets, now=SIGNED_AT))


def test_a_public_key_verifies_what_its_private_key_signed() -> None:
    """With both sets of header names. Id and time are verified with the body."""
    for scheme in (STANDARD_WEBHOOKS, SVIX):
        judged = verify(
            scheme,
            signed(signature(), prefix=scheme.header_prefix),
            [public(PRIVATE)],
            now=SIGNED_AT + scheme.tolerance,
        )
        assert judged.unwrap() == Verified("msg_1", True, SIGNED_AT)


def test_a_time_past_the_tolerance_is_refused() -> None:
    """As with a shared secret."""
    late = SIGNED_AT + STANDARD_WEBHOOKS.tolerance + SECOND
    request = signed(signature())
    assert not is_successful(verify(STANDARD_WEBHOOKS, request, [public(PRIVATE)], now=late))


@given(st.binary(min_size=1, max_size=40), st.integers(min_value=0, max_value=10**6))
def test_a_changed_body_or_signature_is_refused(body: bytes, where: int) -> None:
    """One flipped bit of either is enough."""
    octets = PRIVATE.sign(f"msg_1.{TIMESTAMP}.".encode() + body)
    right = "v1a," + base64.b64encode(octets).decode()
    assert passes(right, public(PRIVATE), body=body)
    flipped = bytearray(body)
    flipped[where % len(body)] ^= 1 << where % 8
    assert not passes(right, public(PRIVATE), body=bytes(flipped))
    forged = bytearray(octets)
    forged[where % 64] ^= 1 << where % 8
    assert not passes("v1a," + base64.b64encode(forged).decode(), public(PRIVATE), body=body)


def test_another_id_is_refused() -> None:
    """It is signed with the body."""
    one = signed(signature())
    headers = (("webhook-id", "msg_2"), *one.headers[1:])
    judged = verify(
        STANDARD_WEBHOOKS, replace(one, headers=headers), [public(PRIVATE)], now=SIGNED_AT
    )
    assert not is_successful(judged)


def test_keys_rotate_with_one_another_and_with_shared_secrets() -> None:
    """Any valid one may match, of either kind."""
    for value in (signature(), signature(OTHER), f"{signature(OTHER)} {signature()}"):
        assert passes(value, public(PRIVATE), public(OTHER))
        assert passes(value, public(OTHER), STANDARD_SECRET, public(PRIVATE))
    assert passes(f"{signature(OTHER)} {signature()}", public(PRIVATE))
    assert not passes(signature(OTHER), public(PRIVATE))
    assert not passes(signature(), STANDARD_SECRET)
    assert not passes(standard_signature(BODY.decode()), public(PRIVATE))
    assert passes(standard_signature(BODY.decode()), public(PRIVATE), STANDARD_SECRET)


def test_a_public_key_is_never_used_as_a_shared_secret() -> None:
    """It is public: an HMAC made with it proves nothing, whatever its version prefix."""
    octets = PRIVATE.public_key().public_bytes_raw()
    mac = hmac.digest(octets, f"msg_1.{TIMESTAMP}.".encode() + BODY, "sha256")
    for version in ("v1", "v1a"):
        assert not passes(f"{version},{base64.b64encode(mac).decode()}", public(PRIVATE))


@pytest.mark.parametrize(
    "wrong", ["", "====", "not base64!", "\u00e9", "\ud800", "{right}\n", "AA=="]
)
def test_a_malformed_signature_is_refused(wrong: str) -> None:
    """Not base64, or not 64 bytes."""
    right = signature().removeprefix("v1a,")
    assert not passes("v1a," + wrong.replace("{right}", right), public(PRIVATE))
    assert passes(f"v1a,{wrong.strip()[:4]} v1a,{right}", public(PRIVATE))


def test_a_signature_under_another_version_is_refused() -> None:
    """`v1a` is for ed25519 only."""
    right = signature().removeprefix("v1a,")
    for version in ("v1", "v1b", "v2", "V1A", "v1a,v1a"):
        assert not passes(f"{version},{right}", public(PRIVATE))


@pytest.mark.parametrize(("before", "taken"), [(0, True), (15, True), (16, False)])
def test_no_more_than_sixteen_signatures_are_tried(before: int, taken: bool) -> None:
    """An elliptic curve costs more than an HMAC."""
    listed = [signature(OTHER)] * before + [signature()]
    assert passes(" ".join(listed), public(PRIVATE)) is taken
