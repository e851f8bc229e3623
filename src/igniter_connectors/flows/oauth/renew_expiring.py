"""Renewing what nobody uses, before its refresh token lapses."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final, final

from returns.pipeline import is_successful

from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.refresh_decision import is_minted_by
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import Problem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.token_source import renewal_of
from igniter_connectors.flows.renewals import RenewalTask
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.ports import StoreUnavailable

SOON: Final = timedelta(days=3)
"""A refresh token is renewed this long before its end, or in the last fifth of its life."""

_BATCH: Final = 20

# More than are renewed at once: what cannot be opened here, or is of a connector that this
# process does not know, must not stand in everybody's way.
_LOOKED_AT: Final = 500


async def renew_lapsing(engine: Engine) -> int:
    """Renews some of the grants that would lapse, and tells how many were renewed.

    Connections that somebody refreshes now are passed over. Several processes may do it at
    once: the lease sees to it that each grant is renewed by one.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    tasks: list[RenewalTask] = []
    for record in await engine.store.list_expiring(within=SOON, limit=_LOOKED_AT):
        if len(tasks) == _BATCH:
            break
        connector = engine.connectors.get(record.key.connector)
        if not isinstance(connector, OAuthConnector):
            continue
        try:
            config = open_config(engine, connector, record)
        except NotOpened:
            continue
        resolved = provider_for(connector.provider, config, connector=connector.key)
        if not is_successful(resolved) or record.grant is None:
            continue
        provider, grant = resolved.unwrap(), record.grant
        if is_minted_by(grant, provider):
            tasks.append(renewal_of(engine, provider, record.key, grant.generation))
    outcomes = await asyncio.gather(*(asyncio.shield(task) for task in tasks))
    return sum(not isinstance(outcome, Problem) for outcome in outcomes)


@final
class Sweep:
    """The task of a worker that renews what would lapse, every so often."""

    def __init__(self, engine: Engine) -> None:
        self.renewed: int = 0
        self._engine = engine
        self._task: asyncio.Task[None] | None = None

    def start(self, *, every: timedelta) -> None:
        """Begins at once. The pauses are up to a quarter shorter or longer, so that workers
        that were started together do not stay together."""
        self._task = asyncio.create_task(self._run(every))

    async def close(self) -> None:
        """Begins no more renewals; those that run are the manager's, which waits for them."""
        if self._task is not None:
            _ = self._task.cancel()
            _ = await asyncio.wait([self._task])
            self._task = None

    async def once(self) -> None:
        """Renews all that would lapse and that can be renewed now.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        while renewed := await renew_lapsing(self._engine):
            self.renewed += renewed

    async def _run(self, every: timedelta) -> None:
        while True:
            try:
                await self.once()
            except StoreUnavailable as error:
                self._engine.logger.error("the database failed: %s", error.reason)
            jitter = 0.75 + self._engine.entropy.fraction() / 2
            await self._engine.clock.sleep(every.total_seconds() * jitter)
