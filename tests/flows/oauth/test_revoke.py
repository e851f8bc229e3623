"""Revoking queued tokens."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from igniter_connectors import value_or_raise
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.oauth.revocation import GRANT_REVOCATION_DELAY
from igniter_connectors.flows.connections.disconnect import disconnect
from igniter_connectors.flows.oauth.hold_revocations import hold_revocations
from igniter_connectors.flows.oauth.revoke import RevocationWorker, revoke_due
from igniter_connectors.testing import json_response
from tests.flows.forge import (
    KEY,
    PROVIDER,
    REVOKE,
    TOKEN,
    USERINFO,
    Forge,
    away,
    forge,
    granted,
)


async def disconnected(**changes: str) -> Forge:
    """Tokens that wait for their revocation."""
    made = forge(**changes)
    await made.connect()
    value_or_raise(await disconnect(made.engine, made.connector, KEY))
    return made


async def due(made: Forge, after: timedelta = timedelta(seconds=1)) -> int:
    """Revokes what is due after this time."""
    made.clock.advance(after)
    return await revoke_due(made.engine)


async def test_each_token_is_revoked_once() -> None:
    """The access token too: a server need not end it with the refresh token."""
    made = await disconnected()
    assert await due(made) == 1
    assert made.sent(REVOKE) == [
        {"token": ["refresh-1"], "token_type_hint": ["refresh_token"]},
        {"token": ["access-1"], "token_type_hint": ["access_token"]},
    ]
    assert await due(made, timedelta(days=1)) == 0
    made = forge()
    made.answers[TOKEN] = [json_response({"access_token": "only", "token_type": "bearer"})]
    await made.connect()
    value_or_raise(await disconnect(made.engine, made.connector, KEY))
    await due(made)
    assert made.sent(REVOKE)[0]["token"] == ["only"]


@pytest.mark.parametrize(
    ("answer", "is_final"),
    [
        (json_response({}), True),
        (json_response({"error": "unsupported_token_type"}, status=400), True),
        (json_response({}, status=503), False),
        (json_response({"error": "invalid_client"}, status=401), False),
        (HttpFailed(sent=True), False),
    ],
)
async def test_a_transient_failure_is_tried_again(
    answer: HttpResponse | HttpFailed, is_final: bool
) -> None:
    """With back-off; a refusal is final."""
    made = await disconnected()
    made.answers[REVOKE] = [answer]
    assert await due(made) == 1
    assert await due(made, timedelta(seconds=1)) == 0
    assert await due(made, timedelta(hours=2)) == (0 if is_final else 1)


async def test_after_the_last_attempt_it_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """About a day later."""
    made = await disconnected()
    made.answers[REVOKE] = [json_response({}, status=503)]
    attempts = 0
    while await due(made, timedelta(hours=2)):
        attempts += 1
        assert attempts < 50
    assert attempts == 20
    assert "a token could not be revoked" in caplog.text


async def test_what_does_not_open_here_is_left_to_another_process() -> None:
    """The connector may be registered there."""
    made = await disconnected()
    elsewhere = dataclasses.replace(made.engine, connectors={})
    made.clock.advance(timedelta(seconds=1))
    assert await revoke_due(elsewhere) == 1
    assert made.sent(REVOKE) == []
    assert await due(made, timedelta(hours=2)) == 1
    assert len(made.sent(REVOKE)) == 1


async def test_a_pending_authorization_holds_it_back() -> None:
    """The provider may be issuing the same grant again."""
    made = await disconnected()
    await hold_revocations(made.engine, KEY, PROVIDER, lifetime=timedelta(minutes=5))
    assert await due(made) == 1
    assert made.sent(REVOKE) == []
    assert await due(made, timedelta(minutes=10)) == 1
    assert len(made.sent(REVOKE)) == 2


async def test_tokens_that_a_connection_uses_are_not_revoked() -> None:
    """Some providers return the same tokens again."""
    made = await disconnected()
    made.answers[TOKEN] = [granted(1)]
    await made.connect()
    assert await due(made) == 1
    assert made.sent(REVOKE) == []


async def test_a_grant_that_another_connection_shares_is_not_revoked() -> None:
    """One revocation would end both."""
    made = forge(revocation_ends="grant")
    await made.connect()
    shared = replace(await made.record(), key=replace(KEY, account="other"), id="other")
    assert await made.store.insert(shared)
    value_or_raise(await disconnect(made.engine, made.connector, KEY))
    assert await due(made, GRANT_REVOCATION_DELAY + timedelta(seconds=1)) == 1
    assert made.sent(REVOKE) == []


async def test_a_grant_is_not_ended_before_its_account_is_known() -> None:
    """Tokens whose account was not told are revoked once the provider tells that nobody uses it."""
    for subject, revoked in (("u1", 0), ("u2", 1)):
        made = forge(revocation_ends="grant")
        await made.connect()
        made.answers[USERINFO] = [HttpFailed(sent=True)]
        other = replace(KEY, account="other")
        await made.connect(key=other)
        assert await made.store.find(other) is None
        assert await due(made, timedelta(minutes=1)) == 1
        assert made.sent(REVOKE) == []
        made.answers[USERINFO] = [json_response({"sub": subject})]
        assert await due(made, timedelta(hours=1)) == 1
        assert len(made.sent(REVOKE)) == revoked
        assert await due(made, timedelta(days=1)) == 0


async def test_the_worker_revokes_when_tokens_are_queued() -> None:
    """And goes on after an outage."""
    made = forge()
    worker = RevocationWorker(made.engine)
    await worker.settled()  # not started
    claim = made.store.revocations.claim
    made.store.revocations.claim = away  # type: ignore[method-assign]  # the outage
    worker.start()
    await asyncio.wait_for(worker.settled(), 1)
    made.store.revocations.claim = claim  # type: ignore[method-assign]
    await made.connect()
    value_or_raise(await disconnect(made.engine, made.connector, KEY))
    for _ in range(100):
        await asyncio.sleep(0.001)
        if worker.processed:
            break
    assert (worker.processed, len(made.sent(REVOKE))) == (1, 2)
    await worker.close()
    await worker.close()
