"""Schemes as data: which could protect something, and which secret is of which form."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.keys import new_signing_secret, signing_key
from igniter_connectors.core.webhook.providers import GITHUB, STRIPE
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    HmacScheme,
    KeyedSignature,
    StandardWebhooks,
    Verification,
    scheme_fault,
    signed_parts,
)

STANDARD = StandardWebhooks()
BODY_ONCE = "the signed template holds {body} once"
TIME_BOTH = "a time is both signed ({timestamp}) and sent (timestamp_header, or a keyed layout)"
ID_HEADER = "a signed {id} needs id_header"
KEYED = KeyedSignature()


@pytest.mark.parametrize(
    "scheme",
    [
        STANDARD,
        STRIPE,
        GITHUB,
        AcceptUnsignedEvents(),
        HmacScheme(header="X"),
        HmacScheme(header="X", signed="v0:{timestamp}:{body}", timestamp_header="X-Time"),
        HmacScheme(header="X", signed="{id}.{body}", id_header="X-Id"),
        HmacScheme(header="X", id_header="X-Id"),
        HmacScheme(header="X", layout=KEYED, signed="{timestamp}.{id}.{body}", id_header="X-Id"),
    ],
)
def test_a_sound_scheme_has_no_fault(scheme: Verification) -> None:
    """Those that are shipped, and one's own that cover body, time and id as declared."""
    assert scheme_fault(scheme) is None


@pytest.mark.parametrize(
    ("scheme", "fault"),
    [
        (HmacScheme(header="X", signed=""), BODY_ONCE),
        (HmacScheme(header="X", signed="body"), BODY_ONCE),
        (HmacScheme(header="X", signed="{Body}"), BODY_ONCE),
        (HmacScheme(header="X", signed="{body}{body}"), BODY_ONCE),
        (HmacScheme(header="X", signed="{timestamp}.{body}"), TIME_BOTH),
        (HmacScheme(header="X", timestamp_header="X-Time"), TIME_BOTH),
        (HmacScheme(header="X", layout=KEYED), TIME_BOTH),
        (HmacScheme(header="X", signed="{id}.{body}"), ID_HEADER),
    ],
)
def test_a_scheme_that_protects_less_than_it_says_is_a_fault(
    scheme: HmacScheme, fault: str
) -> None:
    """A body that is not signed, a time that is sent but not signed: told while building."""
    assert scheme_fault(scheme) == fault


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("{body}", ("", "body", "")),
        ("v0:{timestamp}:{body}", ("v0:", "timestamp", ":", "body", "")),
        ("{id}{timestamp}{body}!", ("", "id", "", "timestamp", "", "body", "!")),
        ("plain {other} {{body}}", ("plain {other} {", "body", "}")),
        ("", ("",)),
    ],
)
def test_a_template_is_cut_at_its_placeholders(template: str, parts: tuple[str, ...]) -> None:
    """Literals at the even places, names at the odd ones; other braces are literal."""
    assert signed_parts(template) == parts


@given(st.text())
def test_the_parts_join_to_the_template(template: str) -> None:
    """Nothing of a template is lost or added."""
    parts = signed_parts(template)
    joined = [f"{{{part}}}" if index % 2 else part for index, part in enumerate(parts)]
    assert "".join(joined) == template


# --- secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "taken"), [(23, False), (24, True), (64, True), (65, False)])
@pytest.mark.parametrize("prefix", ["whsec_", ""])
def test_a_standard_secret_has_24_to_64_bytes(length: int, taken: bool, prefix: str) -> None:
    """With or without its prefix, as both are shown by those who send."""
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
        "whsec_whsec_" + "A" * 44,
        "whsec_" + "A" * 43,
        "whsec_" + "A" * 42 + "\n==",
    ],
)
def test_other_texts_are_no_standard_secret(text: str) -> None:
    """A public key, a prefix twice, something that is no base64: refused when it is given."""
    assert signing_key(STANDARD, Secret(text)) is None


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_other_schemes_take_a_secret_as_it_is(text: str) -> None:
    """Stripe's `whsec_` is part of the key, and nothing is decoded or trimmed."""
    for scheme in (STRIPE, GITHUB):
        assert signing_key(scheme, Secret(text)) == text.encode()


@pytest.mark.parametrize("text", ["", "\ud800"])
def test_no_scheme_takes_what_is_no_secret(text: str) -> None:
    """An empty key would make everybody a signer."""
    assert signing_key(GITHUB, Secret(text)) is None


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_new_secrets_are_of_the_schemes_form(one: bytes, other: bytes) -> None:
    """They sign at once, and as much entropy comes out as went in."""
    assert signing_key(STANDARD, new_signing_secret(STANDARD, one)) == one
    assert new_signing_secret(STANDARD, one).reveal().startswith("whsec_")
    for scheme in (STANDARD, STRIPE, GITHUB):
        made = new_signing_secret(scheme, one), new_signing_secret(scheme, other)
        assert signing_key(scheme, made[0]) is not None
        assert (made[0] == made[1]) == (one == other)
