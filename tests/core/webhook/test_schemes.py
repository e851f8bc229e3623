"""Schemes as data: which ones are secure and consistent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result

from igniter_connectors.core.http.messages import HttpRequest
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.presets import GITHUB, STRIPE
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    CustomVerification,
    HmacScheme,
    KeyedSignature,
    MicrosoftGraphScheme,
    StandardWebhooks,
    TwilioScheme,
    Verification,
    body_format,
    scheme_fault,
    signed_parts,
)
from igniter_connectors.core.webhook.verified import VerificationFailure, Verified

STANDARD = StandardWebhooks()
BODY_ONCE = "the signed template must contain {body} exactly once"
TIME_BOTH = "a time must be signed ({timestamp}) and sent (timestamp_header or a keyed layout)"
ID_HEADER = "a signed {id} needs id_header"
TWO_IDS = "an id must be in one place: id_header or id_field"
TWO_TIMES = "a time must be in one place: a header, the layout or timestamp_field"
JSON_ALONE = "fields, lists and challenges can only be read from JSON bodies"
ORACLE = "the answer to endpoint.url_validation would sign events: sign more than {body}"
KEYED = KeyedSignature()


def refuse(
    request: HttpRequest, secrets: Sequence[Secret], now: datetime
) -> Result[Verified, VerificationFailure]:
    return Failure(VerificationFailure("of the application's own"))


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
        HmacScheme(header="X", signed="{method}{url}{body}"),
        HmacScheme(header="X", id_field="id", timestamp_field="at", split_field="events"),
        HmacScheme(header="X", signed="{body}.", challenge="endpoint.url_validation"),
        HmacScheme(header="X", challenge="url_verification"),
        HmacScheme(header="X", body_format="form"),
        TwilioScheme(),
        MicrosoftGraphScheme(),
        CustomVerification(judge=refuse, headers=("X",)),
        HmacScheme(header="X", layout=KEYED, signed="{timestamp}.{id}.{body}", id_header="X-Id"),
    ],
)
def test_a_sound_scheme_has_no_fault(scheme: Verification) -> None:
    """The presets, and custom schemes that sign body, time and id as declared."""
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
        (HmacScheme(header="X", id_header="X-Id", id_field="id"), TWO_IDS),
        (
            HmacScheme(
                header="X",
                layout=KEYED,
                signed="{timestamp}.{body}",
                timestamp_field="at",
            ),
            TWO_TIMES,
        ),
        (
            HmacScheme(
                header="X",
                signed="{timestamp}.{body}",
                timestamp_header="X-Time",
                timestamp_field="at",
            ),
            TWO_TIMES,
        ),
        (HmacScheme(header="X", timestamp_field="at", body_format="form"), JSON_ALONE),
        (HmacScheme(header="X", id_field="id", body_format="form"), JSON_ALONE),
        (HmacScheme(header="X", split_field="events", body_format="form"), JSON_ALONE),
        (HmacScheme(header="X", challenge="hub.challenge", body_format="form"), JSON_ALONE),
        (HmacScheme(header="X", challenge="endpoint.url_validation"), ORACLE),
        (
            HmacScheme(
                header="X",
                signed="v0-{timestamp}_{body}",
                timestamp_header="X-Time",
                challenge="endpoint.url_validation",
            ),
            ORACLE,
        ),
    ],
)
def test_a_scheme_that_protects_less_than_it_says_is_a_fault(
    scheme: HmacScheme, fault: str
) -> None:
    """For example, a body or a sent time that is not signed is refused while building."""
    assert scheme_fault(scheme) == fault


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("{body}", ("", "body", "")),
        ("v0:{timestamp}:{body}", ("v0:", "timestamp", ":", "body", "")),
        ("{id}{timestamp}{body}!", ("", "id", "", "timestamp", "", "body", "!")),
        ("plain {other} {{body}}", ("plain {other} {", "body", "}")),
        ("{method}+{url}", ("", "method", "+", "url", "")),
        ("", ("",)),
    ],
)
def test_a_template_is_cut_at_its_placeholders(template: str, parts: tuple[str, ...]) -> None:
    """Literals at even positions, names at odd ones. Other braces are literal."""
    assert signed_parts(template) == parts


@given(st.text())
def test_the_parts_join_to_the_template(template: str) -> None:
    """The parts join to the template again."""
    parts = signed_parts(template)
    joined = [f"{{{item}}}" if index % 2 else item for index, item in enumerate(parts)]
    assert "".join(joined) == template


def test_each_scheme_says_how_bodies_are_encoded() -> None:
    """A body that is verified as a form is decoded as a form."""
    for scheme in (
        STANDARD,
        GITHUB,
        MicrosoftGraphScheme(),
        AcceptUnsignedEvents(),
        CustomVerification(judge=refuse, headers=()),
        TwilioScheme(body_format="json"),
    ):
        assert body_format(scheme) == "json"
    for scheme in (
        TwilioScheme(),
        HmacScheme(header="X", body_format="form"),
        AcceptUnsignedEvents("form"),
        CustomVerification(judge=refuse, headers=(), body_format="form"),
    ):
        assert body_format(scheme) == "form"


@pytest.mark.parametrize(
    "signed", ["{timestmp}.{body}", "{body}{}", "{Body}{body}", "v0:{id2}:{body}"]
)
def test_an_unknown_placeholder_is_refused(signed: str) -> None:
    """A typing error would be signed as it stands, so that no delivery would ever match."""
    fault = str(scheme_fault(HmacScheme(header="X-Signature", signed=signed)))
    assert "has no placeholder {" in fault
    assert "{body}, {timestamp}, {id}, {method} and {url} are known" in fault


def test_braces_that_are_no_placeholder_are_text() -> None:
    """Only a name in braces is taken for one."""
    assert scheme_fault(HmacScheme(header="X-Signature", signed="{ {body} }")) is None
