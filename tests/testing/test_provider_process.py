"""A provider in a process of its own: shared, scripted from outside, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import httpx

from igniter_connectors.testing import ProviderScript, provider_process
from tests.testing.asking import Asking, error, tokens

STARTER = """
import asyncio
from igniter_connectors.testing import provider_process
async def main():
    async with provider_process() as provider:
        print(provider.url, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_it_is_scripted_and_asked_from_outside() -> None:
    """Scripts for all requests, for the next ones, and its counters."""
    script = ProviderScript(access_token_seconds=60)
    async with provider_process(script) as provider, httpx.AsyncClient() as client:
        ask = Asking(provider, client)
        first = await ask.connect(login_hint="ada")
        assert first.expires_in == 60
        told = await provider.follow_next([ProviderScript(token_status=503)])
        assert told.script == script
        assert (await ask.refresh(first.refresh_token)).status_code == 503
        assert tokens(await ask.refresh(first.refresh_token)).expires_in == 60
        assert (await provider.follow(ProviderScript())).script == ProviderScript()
        state = await provider.state()
        (grant,) = state.grants
        assert (grant.subject, grant.rotations, len(grant.requests)) == ("ada", 1, 2)
        assert (state.token_requests, state.refresh_requests, state.refused) == (3, 1, 1)
        assert (await provider.revoke_all()).grants[0].is_revoked
        assert error(await ask.refresh(grant.refresh_token)) == "invalid_grant"


async def test_it_ends_with_the_process_that_started_it() -> None:
    """`kill -9` of that one included."""
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


async def test_one_that_is_gone_says_so() -> None:
    """An order to it fails as any broken connection does."""
    async with provider_process() as provider:
        os.kill(provider.process_id, signal.SIGKILL)
        assert await fails(provider.state, ConnectionError)


async def fails(asking: Callable[[], Awaitable[object]], kind: type[Exception]) -> bool:
    """Whether asking again and again comes to fail in this way within 10 s."""
    async with asyncio.timeout(10):
        while True:
            try:
                await asking()
            except kind:
                return True
            await asyncio.sleep(0.05)
