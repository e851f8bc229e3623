"""Schemes as data: which could protect something, and which secret is of which form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
