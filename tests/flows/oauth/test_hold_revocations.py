"""Holding back revocations while an authorization is pending."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from igniter_connectors.flows.oauth.hold_revocations import (
    hold_revocations,
    holding_revocations,
    release_revocations,
)
from igniter_connectors.stores import StoreUnavailable
from tests.flows.forge import KEY, PROVIDER, away, forge


async def test_an_authorization_is_pending_inside() -> None:
    """Also if what is inside raises."""
    made = forge()
    pending = made.store.revocations.is_authorization_pending
    error = RuntimeError()

    async def held() -> None:
        async with holding_revocations(made.engine, KEY, PROVIDER):
            assert await pending(KEY)
            raise error

    with pytest.raises(RuntimeError):
        await held()
    assert not await pending(KEY)


async def test_a_hold_ends_by_itself() -> None:
    """Its process may die."""
    made = forge()
    pending = made.store.revocations.is_authorization_pending
    hold = await hold_revocations(made.engine, KEY, PROVIDER, lifetime=timedelta(minutes=1))
    made.clock.advance(timedelta(minutes=1, seconds=1))
    assert not await pending(KEY)
    await release_revocations(made.engine, hold)


async def test_a_provider_that_cannot_revoke_needs_no_hold() -> None:
    """Nothing is stored."""
    made = forge()
    made.store.add_authorization = away  # type: ignore[method-assign]  # must not be reached
    provider = replace(PROVIDER, revocation_url=None)
    assert await hold_revocations(made.engine, KEY, provider, lifetime=timedelta(1)) is None
    await release_revocations(made.engine, None)


async def test_releasing_is_best_effort_and_holding_is_not() -> None:
    """A database that is away must not hide that tokens were stored."""
    made = forge()
    hold = await hold_revocations(made.engine, KEY, PROVIDER, lifetime=timedelta(minutes=1))
    made.store.take_authorization = away  # type: ignore[method-assign]  # the outage
    await release_revocations(made.engine, hold)
    made.store.add_authorization = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await hold_revocations(made.engine, KEY, PROVIDER, lifetime=timedelta(minutes=1))
