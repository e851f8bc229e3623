"""Renewing idle connections before their refresh tokens expire."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

from igniter_connectors.core.oauth.refresh_lease import DURATION
from igniter_connectors.flows.oauth.renew_expiring import RenewalWorker, renew_expiring
from tests.flows.forge import KEY, TOKEN, Forge, away, forge, granted, refused

DAY = timedelta(days=1)


async def idle(days: int = 30) -> Forge:
    """A connection whose refresh token lives this long."""
    made = forge(refresh_expires_at_member="refresh_until")
    until = (made.clock.now() + timedelta(days=days)).isoformat()
    made.answers[TOKEN] = [granted(1, refresh_until=until)]
    await made.connect()
    made.answers[TOKEN] = [granted(2, refresh_until=(made.clock.now() + 90 * DAY).isoformat())]
    return made


async def test_a_grant_is_renewed_when_it_expires_soon() -> None:
    """Three days before, or in the last fifth of its lifetime; then it is left alone."""
    made = await idle()
    made.clock.advance(26 * DAY)
    assert await renew_expiring(made.engine) == 0
    made.clock.advance(DAY)
    assert await renew_expiring(made.engine) == 1
    assert await renew_expiring(made.engine) == 0
    grant = (await made.record()).grant
    assert grant is not None
    assert grant.generation == 2


async def test_a_lease_that_is_held_is_skipped() -> None:
    """Another process refreshes it now."""
    made = await idle()
    made.clock.advance(28 * DAY)
    await made.store.take_lease(KEY, generation=1, owner="other", duration=DURATION)
    assert await renew_expiring(made.engine) == 0
    assert len(made.sent(TOKEN)) == 1


async def test_what_this_process_cannot_renew_is_skipped() -> None:
    """An unknown connector, another client, a key that is missing."""
    made = await idle()
    made.clock.advance(28 * DAY)
    unknown = dataclasses.replace(made.engine, connectors={})
    other = dataclasses.replace(
        made.engine, connectors={"forge": forge(client_id="another").connector}
    )
    for engine in (unknown, other):
        assert await renew_expiring(engine) == 0
    assert len(made.sent(TOKEN)) == 1


async def test_a_failed_renewal_is_not_counted() -> None:
    """The tenant has to authorize."""
    made = await idle()
    made.clock.advance(28 * DAY)
    made.answers[TOKEN] = [refused("invalid_grant")]
    assert await renew_expiring(made.engine) == 0
    assert (await made.record()).status == "needs_reauth"


async def test_the_worker_renews_at_once_and_goes_on_after_an_outage() -> None:
    """At the interval, a quarter more or less."""
    made = await idle()
    made.clock.advance(28 * DAY)
    find = made.store.list_expiring
    made.store.list_expiring = away  # type: ignore[method-assign]  # the outage
    worker = RenewalWorker(made.engine)
    worker.start(every=timedelta(minutes=5))
    for _ in range(9):
        await asyncio.sleep(0)
    made.store.list_expiring = find  # type: ignore[method-assign]
    assert worker.renewed == 0
    made.clock.advance(timedelta(minutes=6, seconds=15))
    for _ in range(99):
        await asyncio.sleep(0)
    assert worker.renewed == 1
    await worker.close()
    await worker.close()
