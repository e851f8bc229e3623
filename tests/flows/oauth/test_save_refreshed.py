"""Saving the tokens that a refresh returned."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from igniter_connectors import Secret, value_or_raise
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.oauth.refresh_lease import DURATION, Lease
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.flows.oauth.save_refreshed import save_refreshed
from igniter_connectors.flows.sealing import open_tokens
from igniter_connectors.problems import DatabaseFailed
from igniter_connectors.stores import StoreRefused, StoreUnavailable
from tests.flows.forge import KEY, Forge, forge

TOKENS = TokenSet(Secret("access-2"), Secret("refresh-2"))


async def leased(made: Forge) -> tuple[ConnectionRecord, Lease]:
    """A connection whose lease this process holds."""
    await made.connect()
    record = await made.record()
    lease = await made.store.take_lease(KEY, generation=1, owner="me", duration=DURATION)
    assert lease is not None
    return record, lease


async def queued(made: Forge) -> int:
    """How many revocations wait."""
    made.clock.advance(timedelta(hours=1))
    return len(await made.store.revocations.claim(limit=9, duration=timedelta(1)))


async def test_the_row_gets_the_tokens_and_the_next_generation() -> None:
    """And the lease ends, even if it had passed."""
    made = forge()
    record, lease = await leased(made)
    made.clock.advance(timedelta(hours=9))
    saved = await save_refreshed(made.engine, record, lease, TOKENS)
    assert isinstance(saved, ConnectionRecord)
    stored = await made.record()
    assert stored.grant == saved.grant
    assert stored.grant is not None
    assert (stored.grant.generation, stored.lease_owner, stored.unresolved) == (2, None, False)
    assert stored.grant.oauth_scopes == ("read",)
    assert value_or_raise(open_tokens(made.engine, stored)).access_token.reveal() == "access-2"
    assert made.events.names()[-1] == "oauth.refreshed"


async def test_it_is_tried_again_until_the_database_answers() -> None:
    """At most 1 s apart."""
    made = forge()
    record, lease = await leased(made)
    save, tries = made.store.save_renewed, [0]

    async def away_at_first(*args: Any, **kwargs: Any) -> bool:
        tries[0] += 1
        if tries[0] < 4:
            raise StoreUnavailable("away")
        return await save(*args, **kwargs)

    made.store.save_renewed = away_at_first  # type: ignore[method-assign]  # the outage
    saving = asyncio.create_task(save_refreshed(made.engine, record, lease, TOKENS))
    for _ in range(3):
        for _ in range(4):
            await asyncio.sleep(0)
        assert not saving.done()
        made.clock.advance(timedelta(seconds=1))
    assert isinstance(await asyncio.wait_for(saving, 1), ConnectionRecord)
    assert tries == [4]


@pytest.mark.parametrize(("refresh_token", "revocations"), [("refresh-2", 1), ("refresh-1", 0)])
async def test_tokens_that_the_database_refuses_end_the_refresh(
    refresh_token: str, revocations: int
) -> None:
    """At once, and nobody waits for the lease. Revoked only if the stored token is used up."""
    made = forge()
    record, lease = await leased(made)

    async def refuse(*args: Any, **kwargs: Any) -> bool:
        raise StoreRefused("no such value")

    made.store.save_renewed = refuse  # type: ignore[method-assign]  # the refusal
    tokens = TokenSet(Secret("access-2"), Secret(refresh_token))
    async with asyncio.timeout(5):
        assert await save_refreshed(made.engine, record, lease, tokens) == DatabaseFailed()
    assert (await made.record()).lease_owner is None
    assert await queued(made) == revocations


@pytest.mark.parametrize("case", ["disconnected", "authorized again", "saved already"])
async def test_tokens_that_no_row_holds_are_queued_for_revocation(case: str) -> None:
    """If the row still holds this grant, its tokens may be these, so they are not."""
    made = forge()
    record, lease = await leased(made)
    already = 0
    match case:
        case "disconnected":
            await made.store.disconnect(KEY, revocation=None, now=made.clock.now())
            already = 1
        case "authorized again":
            await made.connect()
            already = 2
        case _:
            assert isinstance(
                await save_refreshed(made.engine, record, lease, TOKENS), ConnectionRecord
            )
    assert await save_refreshed(made.engine, record, lease, TOKENS) is None
    assert await queued(made) == already


async def test_a_recovery_is_published() -> None:
    """If earlier attempts failed, or the outcome of one was unknown."""
    for failures, unresolved, recovered in ((0, False, False), (2, False, True), (0, True, True)):
        made = forge()
        record, lease = await leased(made)
        lease = Lease(lease.row, "me", lease.sealed_tokens, 1, failures, unresolved)
        await save_refreshed(made.engine, record, replace(lease), TOKENS)
        assert ("oauth.recovered" in made.events.names()) is recovered
