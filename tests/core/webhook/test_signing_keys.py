"""Signing keys: the format of each scheme's secret, and its key."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import GITHUB, MICROSOFT_GRAPH, STRIPE, TWILIO, ZOOM
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    StandardWebhooks,
    Verification,
)
from igniter_connectors.core.webhook.signing_keys import (
    Ed25519Key,
    new_signing_secret,
    signing_key,
    signing_secret_fault,
)

STANDARD = StandardWebhooks()


@pytest.mark.parametrize(("length", "taken"), [(23, False), (24, True), (64, True), (65, False)])
@pytest.mark.parametrize("prefix", ["whsec_", ""])
def test_a_standard_secret_has_24_to_64_bytes(length: int, taken: bool, prefix: str) -> None:
    """With or without its prefix: providers show both."""
    key = bytes(range(length))
    secret = Secret(prefix + base64.b64encode(key).decode())
    assert signing_key(STANDARD, secret) == (key if taken else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_not base64!",
        "whsec_\u00e9",
        "\ud800",
        "whpk_" + "A" * 44,
        "whpk_",
        "whpk_not base64!",
        "whpk_whsec_" + "A" * 44,
        "whsec_whsec_" + "A" * 44,
        "whsec_" + "A" * 43,
        "whsec_" + "A" * 42 + "\n==",
    ],
)
def test_other_texts_are_no_standard_secret(text: str) -> None:
    """A public key, a repeated prefix, or text that is not base64 is refused."""
    assert signing_key(STANDARD, Secret(text)) is None


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_other_schemes_take_a_secret_as_it_is(text: str) -> None:
    """Stripe's `whsec_` is part of the key. Nothing is decoded or trimmed."""
    for scheme in (STRIPE, GITHUB):
        assert signing_key(scheme, Secret(text)) == text.encode()


@pytest.mark.parametrize("text", ["", "\ud800"])
def test_no_scheme_takes_what_is_no_secret(text: str) -> None:
    """With an empty key, anyone could sign."""
    assert signing_key(GITHUB, Secret(text)) is None


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_new_secrets_are_of_the_schemes_form(one: bytes, other: bytes) -> None:
    """They can sign, and have as much entropy as was given."""
    assert signing_key(STANDARD, new_signing_secret(STANDARD, one)) == one
    assert new_signing_secret(STANDARD, one).reveal().startswith("whsec_")
    for scheme in (STANDARD, STRIPE, GITHUB):
        made = new_signing_secret(scheme, one), new_signing_secret(scheme, other)
        assert signing_key(scheme, made[0]) is not None
        assert (made[0] == made[1]) == (one == other)


@pytest.mark.parametrize(("length", "taken"), [(31, False), (32, True), (33, False)])
def test_a_public_key_has_32_bytes_and_a_type_of_its_own(length: int, taken: bool) -> None:
    """It is never an HMAC key: it is public, so anyone could sign with it."""
    octets = bytes(range(length))
    secret = Secret("whpk_" + base64.b64encode(octets).decode())
    assert signing_key(STANDARD, secret) == (Ed25519Key(octets) if taken else None)


def test_a_private_key_is_no_secret_to_verify_with() -> None:
    """`whsk_` is the provider's private key."""
    for length in (32, 64):
        private = Secret("whsk_" + base64.b64encode(bytes(length)).decode())
        assert signing_key(STANDARD, private) is None


@pytest.mark.parametrize(("length", "taken"), [(1, True), (255, True), (256, False)])
def test_a_client_state_has_at_most_255_characters(length: int, taken: bool) -> None:
    """Microsoft Graph stores no longer value."""
    key = signing_key(MICROSOFT_GRAPH, Secret("x" * length))
    assert key == (b"x" * length if taken else None)
    assert signing_key(MICROSOFT_GRAPH, new_signing_secret(MICROSOFT_GRAPH, bytes(32))) is not None


SCHEMES = (STANDARD, STRIPE, GITHUB, MICROSOFT_GRAPH, TWILIO, ZOOM, AcceptUnsignedEvents())


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: type(scheme).__name__)
def test_a_secret_that_protects_nothing_is_refused(scheme: Verification) -> None:
    """Empty, white space, a prefix alone, and what can be guessed."""
    for text in ("", " ", "a", "whsec_", "whsec_ ", "x" * 15, " " * 40):
        fault = signing_secret_fault(scheme, Secret(text))
        assert fault is not None, text
        assert "\n" not in fault
    assert signing_secret_fault(scheme, new_signing_secret(scheme, bytes(32))) is None
    if scheme is not STANDARD:
        assert signing_secret_fault(scheme, Secret("x" * 16)) is None


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: type(scheme).__name__)
@pytest.mark.parametrize("around", [" ", "\n", "\r\n", "\t", "\u00a0", "\ufeff", "\u200b", "\0"])
def test_a_secret_with_white_space_around_it_is_refused(scheme: Verification, around: str) -> None:
    """It was pasted badly, and would verify nothing. The reason does not show the secret."""
    good = new_signing_secret(scheme, bytes(32)).reveal()
    for text in (good + around, around + good):
        fault = signing_secret_fault(scheme, Secret(text))
        assert fault is not None
        assert "white space" in fault
        assert good not in fault
