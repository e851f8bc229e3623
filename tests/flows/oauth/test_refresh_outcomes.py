"""What each outcome of one refresh leaves in the row. Several processes: test_refresh_lease."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from igniter_connectors import OAuthProvider, Secret, value_or_raise
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.http.messages import HttpFailed, HttpResponse
from igniter_connectors.core.oauth.refresh_lease import DURATION
from igniter_connectors.core.problem import TokenProblem
from igniter_connectors.flows.oauth.refresh_lease import refresh
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.problems import DatabaseFailed, NeedsReauth, RefreshFailed
from igniter_connectors.testing import json_response
from tests.flows.forge import (
    KEY,
    PROVIDER,
    TOKEN,
    Forge,
    an_hour,
    away,
    forge,
    granted,
    refused,
)


async def connected(answer: HttpResponse | HttpFailed, provider: OAuthProvider = PROVIDER) -> Forge:
    """A connection of generation 1, and the provider's answer to its refresh."""
    made = forge(provider)
    await made.connect()
    made.answers[TOKEN] = [answer]
    return made


async def refreshed(made: Forge, seconds: float = 20.0) -> ConnectionRecord | TokenProblem:
    """Refreshes while time passes."""
    provider = made.connector.provider
    task = asyncio.create_task(refresh(made.engine, provider, KEY, 1))
    for _ in range(round(seconds / 0.1)):
        await asyncio.sleep(0)
        if task.done():
            break
        made.clock.advance(timedelta(seconds=0.1))
    return await asyncio.wait_for(task, 1)


async def test_a_success_is_stored_before_anything_else() -> None:
    """The old refresh token is kept if the provider sends no new one."""
    made = await connected(json_response({"access_token": "access-2", "expires_in": 3600}))
    record = await refreshed(made)
    assert isinstance(record, ConnectionRecord)
    assert record.grant is not None
    assert record.grant.generation == 2
    tokens = value_or_raise(open_tokens(made.engine, await made.record()))
    assert tokens.access_token.reveal() == "access-2"
    assert tokens.refresh_token is not None
    assert tokens.refresh_token.reveal() == "refresh-1"


async def test_a_rotated_refresh_token_is_kept_although_its_access_token_is_unusable() -> None:
    """It is used after the back-off, which grows; the spent one is never sent again."""
    made = await connected(granted(2, access_token="tök"))
    made.clock.advance(an_hour())
    for attempt, wait in ((1, 5), (2, 10)):
        made.answers[TOKEN] = [granted(attempt + 1, access_token="tök")]
        answer = await refresh(made.engine, PROVIDER, KEY, attempt)
        assert isinstance(answer, RefreshFailed)
        record = await made.record()
        assert (record.status, record.lease_owner, record.unresolved) == ("ok", None, False)
        assert record.failures == attempt
        assert record.next_attempt_at is not None
        assert record.next_attempt_at - made.clock.now() >= timedelta(seconds=wait / 2)
        tokens = value_or_raise(open_tokens(made.engine, record))
        assert tokens.refresh_token == Secret(f"refresh-{attempt + 1}")
        sent = len(made.sent(TOKEN))
        assert isinstance(await refresh(made.engine, PROVIDER, KEY, attempt + 1), RefreshFailed)
        assert len(made.sent(TOKEN)) == sent
        made.clock.advance(timedelta(seconds=wait))
    assert "token_refreshed" not in str(made.events.names())
    made.answers[TOKEN] = [granted(4)]
    assert isinstance(await refresh(made.engine, PROVIDER, KEY, 3), ConnectionRecord)
    spent = [form["refresh_token"] for form in made.sent(TOKEN) if "refresh_token" in form]
    assert spent == [["refresh-1"], ["refresh-2"], ["refresh-3"]]


async def test_a_newer_generation_is_used_without_a_request() -> None:
    """Another process was faster."""
    made = await connected(granted(2))
    sent = len(made.sent(TOKEN))
    record = await refresh(made.engine, PROVIDER, KEY, 0)
    assert isinstance(record, ConnectionRecord)
    assert len(made.sent(TOKEN)) == sent


@pytest.mark.parametrize(
    ("answer", "is_unresolved"),
    [
        (json_response({}, status=503), False),
        (json_response({}, status=429), False),
        (refused("invalid_scope"), False),
        (HttpFailed(sent=False), False),
        (json_response({}, status=500), True),
        (json_response({}, status=502), True),
        (HttpResponse(200, (), b"not json"), True),
        (HttpFailed(sent=True), True),
    ],
)
async def test_only_an_unknown_outcome_leaves_the_mark(
    answer: HttpResponse | HttpFailed, is_unresolved: bool
) -> None:
    """After a definite failure the lease is released, and the mark is as it was before."""
    made = await connected(answer)
    problem = await refreshed(made)
    assert isinstance(problem, RefreshFailed)
    assert problem.retry_at is not None
    record = await made.record()
    assert (record.unresolved, record.lease_owner is not None) == (is_unresolved, is_unresolved)
    assert record.failures == (0 if is_unresolved else 1)
    assert made.events.names()[-1] == "oauth.refresh_failed"


async def test_a_dead_grant_is_not_tried_again() -> None:
    """The tenant has to authorize."""
    made = await connected(refused("invalid_grant"))
    for _ in range(2):
        assert await refreshed(made) == NeedsReauth("forge", "needs_reauth")
    assert len(made.sent(TOKEN)) == 2  # the code, and one refresh
    assert (await made.record()).status == "needs_reauth"


async def test_a_dead_grant_after_an_unknown_outcome_was_probably_lost() -> None:
    """The provider may have rotated the refresh token, and the answer was lost."""
    made = await connected(HttpFailed(sent=True))
    await refreshed(made)
    made.answers[TOKEN] = [refused("invalid_grant")]
    made.clock.advance(DURATION)
    assert await refreshed(made) == NeedsReauth("forge", "lost_rotation")


async def test_a_refused_client_is_not_the_fault_of_a_tenant() -> None:
    """It is paused, and the connection keeps its status."""
    made = await connected(refused("invalid_client", 401))
    assert isinstance(await refreshed(made), RefreshFailed)
    assert (await made.record()).status == "ok"
    assert made.engine.renewals.client_pause(PROVIDER, KEY) is not None
    sent = len(made.sent(TOKEN))
    assert isinstance(await refreshed(made), RefreshFailed)
    assert len(made.sent(TOKEN)) == sent


async def test_nothing_is_sent_while_the_manager_closes() -> None:
    """Not even a lease is taken."""
    made = await connected(granted(2))
    made.engine.renewals.is_closing = True
    assert await refresh(made.engine, PROVIDER, KEY, 1) == RefreshFailed("forge")
    assert (await made.record()).lease_owner is None


async def test_a_database_that_is_away_is_a_problem() -> None:
    """Before a lease is taken."""
    made = await connected(granted(2))
    made.store.find = away  # type: ignore[method-assign]  # the outage
    assert await refresh(made.engine, PROVIDER, KEY, 1) == DatabaseFailed()
