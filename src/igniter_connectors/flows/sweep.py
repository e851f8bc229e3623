"""Renewing what nobody uses, before its refresh token lapses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from returns.pipeline import is_successful

from igniter_connectors.core.connection import ConnectionRecord
from igniter_connectors.core.connector import Definition, OAuthConnector
from igniter_connectors.core.oauth.tenant import provider_for
from igniter_connectors.core.problem import Problem, TokenProblem
from igniter_connectors.flows.renew import Renewals
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import NotOpened, open_config

SOON: Final = timedelta(days=3)
"""A refresh token is renewed this long before its end, or in the last fifth of its life."""

_BATCH: Final = 20


async def renew_lapsing(
    runtime: Runtime, renewals: Renewals, connectors: Mapping[str, Definition[Any, Any, Any]]
) -> int:
    """Renews some of the grants that would lapse, and tells how many were renewed.

    Connections that somebody refreshes now are passed over. Several processes may do it at
    once: the lease sees to it that each grant is renewed by one.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    tasks: list[asyncio.Task[ConnectionRecord | TokenProblem]] = []
    for record in await runtime.store.list_lapsing(within=SOON, limit=_BATCH):
        connector = connectors.get(record.key.connector)
        if not isinstance(connector, OAuthConnector):
            continue
        try:
            config = open_config(runtime, connector, record)
        except NotOpened:
            continue
        provider = provider_for(connector.provider, config, connector=connector.key)
        task = (
            renewals.renew_lapsing(provider.unwrap(), record) if is_successful(provider) else None
        )
        if task is not None:
            tasks.append(task)
    outcomes = await asyncio.gather(*(asyncio.shield(task) for task in tasks))
    return sum(not isinstance(outcome, Problem) for outcome in outcomes)
