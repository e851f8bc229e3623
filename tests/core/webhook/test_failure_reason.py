"""Why an attempt failed, as it is stored: bounded, printable, and without secrets."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.problem import NotConnected, WebhookFailed, WebhookPayloadInvalid
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.failure_reason import MAX_REASON_CHARS, failure_reason

CANARY = "canary-of-the-tenant"


def test_a_reason_says_what_failed() -> None:
    """The handler's own words, the path and the rule, or the problem's message."""
    assert failure_reason(WebhookFailed("mail", "out of stock")) == "out of stock"
    invalid = WebhookPayloadInvalid("mail", "$.amount", "expected `int`, got `str`")
    assert failure_reason(invalid) == "$.amount: expected `int`, got `str`"
    gone = NotConnected("mail", "default")
    assert failure_reason(gone) == gone.message


@pytest.mark.parametrize(
    "shown", [CANARY, base64.b64encode(CANARY.encode()).decode(), f"{CANARY} {CANARY}"]
)
def test_a_reason_has_no_secret(shown: str) -> None:
    """As it is or encoded, also where the text is cut."""
    for text in (f"at {shown}!", "x" * (MAX_REASON_CHARS - 5) + shown):
        reason = failure_reason(WebhookFailed("mail", text), secrets=(Secret(CANARY),))
        assert "canary" not in reason
        assert shown[:8] not in reason


@given(st.text(st.characters(codec=None)))
def test_a_reason_is_one_line_that_every_store_holds(text: str) -> None:
    """No control character, no surrogate, no U+0000, and a bound."""
    for said in (text, text * 600):
        reason = failure_reason(WebhookFailed("mail", said))
        assert reason.isprintable()
        assert len(reason) <= MAX_REASON_CHARS
        assert (reason == said) is (said.isprintable() and len(said) <= MAX_REASON_CHARS)


@pytest.mark.parametrize("length", [MAX_REASON_CHARS, MAX_REASON_CHARS + 1])
def test_a_reason_is_cut_at_its_limit(length: int) -> None:
    """At the limit it stays whole; one more character, and it ends in an ellipsis."""
    reason = failure_reason(WebhookFailed("mail", "x" * length))
    assert len(reason) == MAX_REASON_CHARS
    assert reason.endswith("…") is (length > MAX_REASON_CHARS)


def test_a_handler_may_pass_anything() -> None:
    """Its type is the reason then, and never its text."""
    failed = WebhookFailed("mail", RuntimeError(CANARY))  # type: ignore[arg-type]  # no text
    assert failure_reason(failed) == "RuntimeError"
