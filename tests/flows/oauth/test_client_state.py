"""The operator learns, once, that a provider refuses the application's client."""

from __future__ import annotations

import logging

import pytest
from msgspec.structs import replace
from returns.result import Failure, Success

from igniter_connectors.core.event import ClientRefused
from igniter_connectors.core.oauth.refresh import DefiniteFailure
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import TokenRefused
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.oauth.client_state import note_exchange, note_refusal
from tests.flows.forge import KEY, PROVIDER, Forge, forge

TOLD = (PROVIDER.client_id, "invalid_client")
REFUSED = DefiniteFailure(is_client_credentials=True)


def refusals(made: Forge) -> list[tuple[str, str]]:
    """The client and the error of each event."""
    events = [event for event in made.events.seen if isinstance(event, ClientRefused)]
    return [(event.client_id, event.error) for event in events]


def test_each_change_of_state_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """However many tenants are refused; and again after the provider accepted the client."""
    made = forge()
    with caplog.at_level(logging.ERROR):
        for identity in ("a", "b", "a", "c"):
            note_refusal(made.engine, PROVIDER, replace(KEY, identity=identity), REFUSED)
        assert refusals(made) == [TOLD]
        note_exchange(made.engine, PROVIDER, KEY, Success(TokenSet(Secret("t"))))
        note_refusal(made.engine, PROVIDER, replace(KEY, identity="d"), REFUSED)
    assert refusals(made) == [TOLD, TOLD]
    lines = [record for record in caplog.records if "refuses the OAuth client" in record.message]
    assert len(lines) == 2


def test_an_exchange_tells_it_too() -> None:
    """Of `invalid_client` alone: another refusal is about the code."""
    made = forge()
    note_exchange(made.engine, PROVIDER, KEY, Failure(TokenRefused("x", "invalid_grant")))
    assert refusals(made) == []
    note_exchange(made.engine, PROVIDER, KEY, Failure(TokenRefused("x", "invalid_client")))
    note_exchange(made.engine, PROVIDER, KEY, Failure(TokenRefused("x", "invalid_client")))
    assert refusals(made) == [TOLD]


def test_the_client_of_a_tenant_is_not_the_operators() -> None:
    """Its own credentials are refused, which the tenant learns."""
    made = forge()
    note_refusal(made.engine, replace(PROVIDER, client_id="tenants-own"), KEY, REFUSED)
    assert refusals(made) == []
