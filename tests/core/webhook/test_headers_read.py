"""The headers that a scheme reads. A receiver needs no others."""

from __future__ import annotations

import pytest

from igniter_connectors.core.webhook.presets import GITHUB, MICROSOFT_GRAPH, STRIPE, SVIX, TWILIO
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    CustomVerification,
    HmacScheme,
    StandardWebhooks,
    Verification,
    headers_read,
)

from .test_schemes import refuse

STANDARD = {
    f"{prefix}-{name}"
    for prefix in ("webhook", "svix")
    for name in ("id", "timestamp", "signature")
}


@pytest.mark.parametrize(
    ("scheme", "names"),
    [
        (StandardWebhooks(), {"webhook-id", "webhook-timestamp", "webhook-signature"}),
        (StandardWebhooks("svix"), {"svix-id", "svix-timestamp", "svix-signature"}),
        (SVIX, STANDARD),
        (STRIPE, {"stripe-signature"}),
        (GITHUB, {"x-hub-signature-256", "x-github-delivery", "x-github-event"}),
        (
            HmacScheme(header="A", signed="{timestamp}{body}", timestamp_header="B", id_header="C"),
            {"a", "b", "c"},
        ),
        (TWILIO, {"x-twilio-signature", "i-twilio-idempotency-token"}),
        (MICROSOFT_GRAPH, set()),
        (CustomVerification(judge=refuse, headers=("X-A", "x-b")), {"x-a", "x-b"}),
        (AcceptUnsignedEvents(), set()),
        (AcceptUnsignedEvents(challenge="WebHook-Request-Origin"), {"webhook-request-origin"}),
        (
            HmacScheme(header="A", id_header="B", header_aliases=(("a", "C"), ("B", "D"))),
            {"a", "b", "c", "d"},
        ),
    ],
)
def test_a_scheme_names_its_headers_in_lower_case(scheme: Verification, names: set[str]) -> None:
    """All headers that verification reads, and no others."""
    assert headers_read(scheme) == names
