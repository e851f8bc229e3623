"""A PostgreSQL server, a fake provider in its own process, and processes of the application.

The figures about refreshing start from here.
"""

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.postgres.databases import Databases
from tests.postgres.server import Server

from benchmarks.reliability.app_process import AppProcess
from benchmarks.reliability.application import AppConfig
from benchmarks.reliability.operations import connect, stored
from igniter_connectors.testing import (
    Grant,
    ProviderProcess,
    ProviderScript,
    provider_process,
)

DEADLINE = timedelta(seconds=5)
"""Deadline of a store call. It is long, because a busy machine must not fail a figure."""

TWO_HOURS_AGO = -timedelta(hours=2)
"""Clock skew for connecting: the tokens have expired for every process, whatever its skew."""


class Cluster:
    """A database, a provider, and the application processes that share them."""

    def __init__(self, server: Server, provider: ProviderProcess, database_url: str) -> None:
        self.server = server
        self.provider = provider
        self.database_url = database_url
        self._sealing_secret = secrets.token_urlsafe(32)
        self._previous_secrets: tuple[str, ...] = ()
        self._workers: list[AppProcess] = []

    def start(
        self,
        *,
        skew: timedelta = timedelta(),
        stop_at: str = "",
        provider: ProviderProcess | None = None,
        deadline: timedelta = DEADLINE,
        links: int = 10,
    ) -> AppProcess:
        """Starts an application process. It runs until it is killed or the cluster ends."""
        target = provider or self.provider
        config = AppConfig(
            self.database_url,
            target.url,
            target.client_id,
            target.client_secret.reveal(),
            self._sealing_secret,
            skew,
            stop_at,
            deadline,
            links,
            self._previous_secrets,
        )
        worker = AppProcess(config)
        self._workers.append(worker)
        return worker

    def rotate(self, secret: str) -> None:
        """Seals with a new secret from now on. Processes that run already do not know it."""
        self._previous_secrets = (self._sealing_secret, *self._previous_secrets)
        self._sealing_secret = secret

    def kill(self, worker: AppProcess) -> None:
        """Kills a process with SIGKILL."""
        self._workers.remove(worker)
        worker.kill()

    def end(self) -> None:
        """Kills the remaining processes."""
        for worker in list(self._workers):
            self.kill(worker)

    async def connect(
        self,
        tenants: Sequence[str],
        *,
        skew: timedelta = TWO_HOURS_AGO,
        provider: ProviderProcess | None = None,
    ) -> None:
        """Authorizes each tenant with the whole flow. `skew` sets the age of the tokens."""
        worker = self.start(skew=skew, provider=provider)
        await worker.run(connect, tenants)
        self.kill(worker)

    async def grants(self, provider: ProviderProcess | None = None) -> dict[str, Grant]:
        """Each tenant's newest grant at the provider."""
        state = await (provider or self.provider).state()
        return {grant.subject: grant for grant in state.grants}

    async def consistent_tenants(
        self,
        worker: AppProcess,
        tenants: Sequence[str],
        *,
        provider: ProviderProcess | None = None,
    ) -> list[str]:
        """The tenants whose row has the refresh token that is valid at the provider."""
        rows = await worker.run(stored, tenants)
        grants = await self.grants(provider)
        return [
            row.tenant
            for row in rows
            if row.refresh_token == grants[row.tenant].refresh_token
            and not grants[row.tenant].is_revoked
            and row.status == "ok"
        ]


def tenants(count: int, name: str = "tenant") -> list[str]:
    """Tenant names."""
    return [f"{name}-{number}" for number in range(count)]


@asynccontextmanager
async def running_cluster(script: ProviderScript | None = None) -> AsyncGenerator[Cluster, None]:
    """A cluster without connections. Its processes end with the block."""
    with Server() as server:
        async with provider_process(script) as provider:
            with Databases(server.url()).migrated() as url:
                made = Cluster(server, provider, url)
                try:
                    yield made
                finally:
                    made.end()
