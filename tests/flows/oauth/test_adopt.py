"""Adopting tokens that the application already has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from returns.result import Failure

from igniter_connectors import Secret, problem_of, value_or_raise
from igniter_connectors.core.http.messages import HttpFailed
from igniter_connectors.core.oauth.adopted_tokens import AdoptedTokens
from igniter_connectors.flows.connections.disconnect import disconnect
from igniter_connectors.flows.oauth.adopt import adopt
from igniter_connectors.flows.oauth.revoke import revoke_due
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.problems import (
    ConfigInvalid,
    DatabaseFailed,
    IdentityMismatch,
    ProviderUnreachable,
)
from igniter_connectors.testing import json_response
from tests.flows.forge import KEY, REVOKE, USERINFO, Team, away, forge

TOKENS = AdoptedTokens(access_token=Secret("theirs"), refresh_token=Secret("their-refresh"))


async def test_shared_tokens_are_stored_without_their_refresh_token() -> None:
    """A refresh here would invalidate it for the others."""
    made = forge()
    cases: tuple[tuple[Literal["adopted", "adopted_shared"], str | None, bool], ...] = (
        ("adopted_shared", None, True),
        ("adopted", "their-refresh", False),
    )
    for source, refresh, shared in cases:
        adopted = await adopt(made.engine, made.connector, KEY, Team(), TOKENS, source=source)
        assert value_or_raise(adopted).config == Team()
        record = await made.record()
        assert record.grant is not None
        assert (record.grant.is_shared, record.grant.subject) == (shared, "u1")
        stored = value_or_raise(open_tokens(made.engine, record)).refresh_token
        assert (stored.reveal() if stored else None) == refresh
    assert made.events.names()[-1] == "connector.connected"


async def test_whose_tokens_they_are_is_asked_first() -> None:
    """If that is not known, or is another account, nothing is stored and nothing is revoked."""
    made = forge()
    made.answers[USERINFO] = [HttpFailed(sent=True), json_response({"sub": "u1"})]
    unknown = await adopt(made.engine, made.connector, KEY, Team(), TOKENS, source="adopted")
    assert unknown == Failure(ProviderUnreachable("forge"))
    assert await made.store.find(KEY) is None
    value_or_raise(await adopt(made.engine, made.connector, KEY, Team(), TOKENS, source="adopted"))
    made.answers[USERINFO] = [json_response({"sub": "u2"})]
    other = await adopt(made.engine, made.connector, KEY, Team(), TOKENS, source="adopted")
    assert other == Failure(IdentityMismatch("forge"))
    assert made.sent(REVOKE) == []


async def test_a_queued_revocation_waits_until_the_adopted_tokens_are_stored() -> None:
    """Otherwise it could end the grant of the same account between user info and commit."""
    made = forge(revocation_ends="grant")
    await made.connect()
    value_or_raise(await disconnect(made.engine, made.connector, KEY))
    made.clock.advance(timedelta(minutes=1))
    save = made.store.save_authorized

    async def revoke_first(*args: Any, **named: Any) -> bool:
        assert await revoke_due(made.engine) == 1
        return await save(*args, **named)

    made.store.save_authorized = revoke_first  # type: ignore[method-assign]  # the race
    value_or_raise(await adopt(made.engine, made.connector, KEY, Team(), TOKENS, source="adopted"))
    made.clock.advance(timedelta(minutes=1))
    assert await revoke_due(made.engine) == 1
    assert made.sent(REVOKE) == []


async def test_a_bad_config_or_database_is_a_problem() -> None:
    """Before the provider is asked."""
    made = forge()
    bad = Team(7)  # type: ignore[arg-type]  # the misuse
    problem = problem_of(
        await adopt(made.engine, made.connector, KEY, bad, TOKENS, source="adopted")
    )
    assert isinstance(problem, ConfigInvalid)
    made.store.last_grant = away  # type: ignore[method-assign]  # the outage
    failed = await adopt(made.engine, made.connector, KEY, Team(), TOKENS, source="adopted")
    assert failed == Failure(DatabaseFailed())
    assert made.http.requests == []
