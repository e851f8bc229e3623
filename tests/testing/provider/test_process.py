"""The fake provider in a separate process: its control, and its exit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import httpx

from igniter_connectors.testing import ProviderScript, provider_process
from tests.testing.provider.client import Client, error, tokens

STARTER = """
import asyncio
from igniter_connectors.testing import provider_process
async def main():
    async with provider_process() as provider:
        print(provider.url, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_it_is_controlled_from_outside() -> None:
    """Scripts for all requests and for the next ones, counters, and revocation."""
    script = ProviderScript(access_token_seconds=60)
    async with provider_process(script) as provider, httpx.AsyncClient() as http:
        client = Client(provider, http)
        first = await client.connect(login_hint="ada")
        assert first.expires_in == 60
        state = await provider.follow_next([ProviderScript(token_status=503)])
        assert state.script == script
        assert (await client.refresh(first.refresh_token)).status_code == 503
        assert tokens(await client.refresh(first.refresh_token)).expires_in == 60
        assert (await provider.follow(ProviderScript())).script == ProviderScript()
        state = await provider.state()
        (grant,) = state.grants
        assert (grant.subject, grant.rotations, len(grant.requests)) == ("ada", 1, 2)
        assert (state.token_requests, state.refresh_requests, state.refused) == (3, 1, 1)
        assert (await provider.revoke_all()).grants[0].is_revoked
        assert error(await client.refresh(grant.refresh_token)) == "invalid_grant"


async def test_it_exits_with_the_process_that_started_it() -> None:
    """Even if that process is killed with SIGKILL."""
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    url = (await starter.stdout.readline()).decode().strip()
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/nothing")).status_code == 404
        os.kill(starter.pid, signal.SIGKILL)
        await starter.wait()
        assert await fails(lambda: client.get(f"{url}/nothing"), httpx.TransportError)


async def test_commands_to_an_exited_process_fail() -> None:
    """They raise `ConnectionError`."""
    async with provider_process() as provider:
        os.kill(provider.process_id, signal.SIGKILL)
        assert await fails(provider.state, ConnectionError)


async def fails(operation: Callable[[], Awaitable[object]], kind: type[Exception]) -> bool:
    """Whether the operation, repeated, raises this exception within 10 s."""
    async with asyncio.timeout(10):
        while True:
            try:
                await operation()
            except kind:
                return True
            await asyncio.sleep(0.05)
