"""What every campaign about refreshing begins with: a real Postgres, a provider in a process of its
own, and as many processes of the application as it likes."""

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from tests.postgres.databases import Databases
from tests.postgres.server import Server

from benchmarks.reliability.application import Setting
from benchmarks.reliability.work import connect, stored
from benchmarks.reliability.worker import Worker
from igniter_connectors.testing import (
    Grant,
    ProviderProcess,
    ProviderScript,
    provider_process,
)

DEADLINE = timedelta(seconds=5)
"""A call to the store may take so long: a busy machine is no fault of the library's."""

LONG_AGO = -timedelta(hours=2)
"""Tokens that were granted then have expired for every process, however its clock is off."""


class Scene:
    """A database, a provider, and the processes that share them."""

    def __init__(self, server: Server, provider: ProviderProcess, database_url: str) -> None:
        self.server = server
        self.provider = provider
        self.database_url = database_url
        self._sealing_secret = secrets.token_urlsafe(32)
        self._workers: list[Worker] = []

    def start(
        self,
        *,
        skew: timedelta = timedelta(),
        stops_at: str = "",
        provider: ProviderProcess | None = None,
        deadline: timedelta = DEADLINE,
        links: int = 10,
    ) -> Worker:
        """A process of the application; it lives until it is killed or the scene ends."""
        asked = provider or self.provider
        setting = Setting(
            self.database_url,
            asked.url,
            asked.client_id,
            asked.client_secret.reveal(),
            self._sealing_secret,
            skew,
            stops_at,
            deadline,
            links,
        )
        worker = Worker(setting)
        self._workers.append(worker)
        return worker

    def kill(self, worker: Worker) -> None:
        """`kill -9` of one of them."""
        self._workers.remove(worker)
        worker.kill()

    def end(self) -> None:
        """Kills whoever is left."""
        for worker in list(self._workers):
            self.kill(worker)

    async def connect(
        self,
        tenants: Sequence[str],
        *,
        skew: timedelta = LONG_AGO,
        provider: ProviderProcess | None = None,
    ) -> None:
        """Each tenant authorizes, over the whole flow; the tokens are as old as told."""
        worker = self.start(skew=skew, provider=provider)
        await worker.run(connect, tenants)
        self.kill(worker)

    async def grants(self, provider: ProviderProcess | None = None) -> dict[str, Grant]:
        """Each tenant's newest grant, as the provider knows it now."""
        state = await (provider or self.provider).state()
        return {grant.subject: grant for grant in state.grants}

    async def in_step(
        self,
        worker: Worker,
        tenants: Sequence[str],
        *,
        provider: ProviderProcess | None = None,
    ) -> list[str]:
        """The tenants whose row holds the refresh token that the provider holds for valid."""
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
    """Names."""
    return [f"{name}-{number}" for number in range(count)]


@asynccontextmanager
async def scene(script: ProviderScript | None = None) -> AsyncGenerator[Scene, None]:
    """A scene with nobody connected. Everything in it ends with the block."""
    with Server() as server:
        async with provider_process(script) as provider:
            with Databases(server.url()).migrated() as url:
                made = Scene(server, provider, url)
                try:
                    yield made
                finally:
                    made.end()
