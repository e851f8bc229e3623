"""What is published about an exception of the application's code."""

from __future__ import annotations

import pytest

from igniter_connectors import Secret
from igniter_connectors.events import ErrorOccurred
from igniter_connectors.flows.report_error import report
from tests.flows.forge import KEY, forge
from tests.sample import CANARY


def deep(number: int) -> None:
    """Raises below this many frames."""
    if number:
        deep(number - 1)
    raise RuntimeError(f"no such key: {CANARY}")


def test_the_text_is_redacted_and_five_frames_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    """In the event and in the log."""
    made = forge()
    try:
        deep(9)
    except RuntimeError as error:
        report(
            made.engine,
            error,
            where="forge.read",
            connector="forge",
            key=KEY,
            secrets=(Secret(CANARY),),
        )
    (event,) = made.events.seen
    assert isinstance(event, ErrorOccurred)
    assert (event.where, event.error, event.identity) == ("forge.read", "RuntimeError", "acme")
    assert event.text == "no such key: [secret]"
    assert len(event.frames) == 5
    assert event.frames[-1].startswith("test_report_error.py:")
    assert CANARY not in repr(event) + caplog.text


def test_without_a_connection_the_address_is_empty() -> None:
    """A hook of the connector, not of a tenant."""
    made = forge()
    report(
        made.engine, ValueError("x"), where="forge: route", connector="forge", key=None, secrets=()
    )
    (event,) = made.events.seen
    assert (event.connector, event.scope, event.account) == ("forge", "", "")
