"""Renews idle connections before their refresh tokens expire."""

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
from igniter_connectors.flows.sealing import (
    NotOpened,
    log_missing_key,
    open_config,
    opens_here,
)
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.flows.store_errors import database_failed
from igniter_connectors.ports import StoreUnavailable

RENEW_BEFORE: Final = timedelta(days=3)
"""A refresh token is renewed this long before it expires, or in the last fifth of its lifetime."""

_BATCH: Final = 20

# More rows are read than are renewed: rows that do not open here, and rows of connectors that
# this process does not know, must not block the others.
_MAX_ROWS: Final = 500


async def renew_expiring(engine: Engine) -> int:
    """Renews some of the grants that expire soon, and returns how many were renewed.

    Skips connections whose lease is held. Several processes may run this at once: the lease
    makes sure that one process renews each grant.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    tasks: list[RenewalTask] = []
    for record in await engine.store.list_expiring(within=RENEW_BEFORE, limit=_MAX_ROWS):
        if len(tasks) == _BATCH:
            break
        connector = engine.connectors.get(record.key.connector)
        if not isinstance(connector, OAuthConnector):
            continue
        try:
            config = open_config(engine, connector, record)
        except NotOpened:
            log_missing_key(engine, connector.key, record.sealed_config)
            continue
        resolved = provider_for(connector.provider, config, connector=connector.key)
        if not is_successful(resolved) or record.grant is None:
            continue
        provider, grant = resolved.unwrap(), record.grant
        # A paused client's connections must not fill the batch: they write no next attempt.
        is_paused = engine.renewals.client_pause(provider, record.key) is not None
        if is_minted_by(grant, provider) and not is_paused and opens_here(engine, record):
            tasks.append(renewal_of(engine, provider, record.key, grant.generation))
    outcomes = await asyncio.gather(*(asyncio.shield(task) for task in tasks))
    return sum(not isinstance(outcome, Problem) for outcome in outcomes)


@final
class RenewalWorker:
    """A task that renews expiring grants at an interval.

    Attributes:
        renewed: How many grants were renewed.
    """

    def __init__(self, engine: Engine) -> None:
        self.renewed: int = 0
        self._engine = engine
        self._task: asyncio.Task[None] | None = None

    def start(self, *, every: timedelta) -> None:
        """Starts at once. Each pause is up to a quarter shorter or longer, so that workers that
        were started together drift apart."""
        self._task = asyncio.create_task(self._run(every))

    async def close(self) -> None:
        """Starts no more renewals. The manager waits for the renewals that run."""
        if self._task is not None:
            _ = await stop_tasks(self._task)
            self._task = None

    async def once(self) -> None:
        """Renews all grants that expire soon and that can be renewed now.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        while renewed := await renew_expiring(self._engine):
            self.renewed += renewed

    async def _run(self, every: timedelta) -> None:
        while True:
            try:
                await self.once()
            except StoreUnavailable as error:
                _ = database_failed(self._engine, error)
            jitter = 0.75 + self._engine.entropy.fraction() / 2
            await self._engine.clock.sleep(every.total_seconds() * jitter)
