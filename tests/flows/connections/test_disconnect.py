"""Disconnecting."""

from __future__ import annotations

from datetime import timedelta

from returns.result import Failure

from igniter_connectors import (
    value_or_raise,
)
from igniter_connectors.core.oauth.revocation import GRANT_REVOCATION_DELAY
from igniter_connectors.core.problem import (
    NotConnected,
)
from igniter_connectors.flows.connections.disconnect import disconnect, revocation_request
from igniter_connectors.problems import DatabaseFailed
from tests.flows.forge import KEY, away, forge
from tests.sample import (
    Organization,
    bot,
    config,
    running_bot,
)

ACME = Organization("acme")


async def test_disconnecting_leaves_nothing() -> None:
    """The row is gone and another may be made."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        first = value_or_raise(await at.connect(config()))
        value_or_raise(await at.disconnect())
        assert await at.get() == Failure(NotConnected("bot"))
        assert await at.disconnect() == Failure(NotConnected("bot"))
        assert value_or_raise(await at.connect(config())).id != first.id


async def test_the_tokens_are_queued_for_revocation() -> None:
    """At once if a revocation ends one token, later if it ends the whole grant."""
    for ends, delay in (("token", timedelta()), ("grant", GRANT_REVOCATION_DELAY)):
        made = forge(revocation_ends=ends)
        await made.connect()
        value_or_raise(await disconnect(made.engine, made.connector, KEY))
        request = revocation_request(made.engine, made.connector)
        assert request is not None
        assert request.due_in == delay
        made.clock.advance(timedelta(hours=1))
        (pending,) = await made.store.revocations.claim(limit=9, duration=timedelta(1))
        assert pending.key == KEY
        assert made.events.names()[-1] == "connector.disconnected"


async def test_nothing_is_queued_where_the_provider_cannot_revoke() -> None:
    """Nor for a connector without OAuth."""
    made = forge(revocation_url=None)
    await made.connect()
    value_or_raise(await disconnect(made.engine, made.connector, KEY))
    made.clock.advance(timedelta(hours=1))
    assert await made.store.revocations.claim(limit=9, duration=timedelta(1)) == []
    assert revocation_request(made.engine, bot) is None


async def test_a_database_that_is_away_is_a_problem() -> None:
    """The connection stays."""
    made = forge()
    made.store.disconnect = away  # type: ignore[method-assign]  # the outage
    assert await disconnect(made.engine, made.connector, KEY) == Failure(DatabaseFailed())
