"""A fake OAuth provider in a separate process, and the client that controls it.

For tests with several application processes, which share the provider and can be killed without
it. The provider exits when the process that started it exits for any reason.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final, final

import msgspec

from igniter_connectors.core.secret import Secret
from igniter_connectors.testing.provider.fake_provider import FakeOAuthProvider, ProviderState
from igniter_connectors.testing.provider.http_server import Handler, Request, Response, serve
from igniter_connectors.testing.provider.script import ProviderScript

_CONTROL_PATH: Final = "/control"
_EXIT_SECONDS: Final = 5.0


class _Started(msgspec.Struct, frozen=True):
    url: str
    client_id: str
    client_secret: str


@final
class ProviderProcess:
    """A fake provider in another process. See `FakeOAuthProvider` for its endpoints.

    Every async method returns the state after its change. It raises `OSError` if the
    provider's process has exited.

    Attributes:
        url: The origin.
        client_id: ID of the only client.
        client_secret: A random value.
    """

    def __init__(self, process: Process, url: str, client_id: str, client_secret: Secret) -> None:
        self.url = url
        self.client_id = client_id
        self.client_secret = client_secret
        self._process = process

    @property
    def process_id(self) -> int:
        """ID of the provider's process, for sending signals."""
        return self._process.pid

    @property
    def authorization_url(self) -> str:
        """The authorization endpoint. It consents at once, as the user in `login_hint`."""
        return f"{self.url}/authorize"

    @property
    def token_url(self) -> str:
        """The token endpoint, for codes and refresh tokens."""
        return f"{self.url}/token"

    @property
    def userinfo_url(self) -> str:
        """The user info endpoint."""
        return f"{self.url}/userinfo"

    @property
    def revocation_url(self) -> str:
        """The revocation endpoint (RFC 7009)."""
        return f"{self.url}/revoke"

    async def state(self) -> ProviderState:
        """The current script, counters and grants."""
        return await self._command("state")

    async def follow(self, script: ProviderScript) -> ProviderState:
        """Uses this script from the next request on."""
        return await self._command("script", script)

    async def follow_next(self, scripts: Sequence[ProviderScript]) -> ProviderState:
        """Uses these scripts for the next token requests, one for each, then the old one again."""
        return await self._command("next", scripts)

    async def revoke_all(self) -> ProviderState:
        """Revokes every grant, as an administrator of the provider can."""
        return await self._command("revoke-all")

    async def _command(self, name: str, body: object = None) -> ProviderState:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            content = msgspec.json.encode(body)
            head = f"POST {_CONTROL_PATH}/{name} HTTP/1.1\r\ncontent-length: {len(content)}\r\n\r\n"
            writer.write(head.encode() + content)
            response_head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(response_head.rpartition("content-length: ")[2].strip())
            state = await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise ConnectionError("the provider's process has exited") from None
        finally:
            writer.close()
        return msgspec.json.decode(state, type=ProviderState)


@asynccontextmanager
async def provider_process(
    script: ProviderScript | None = None,
) -> AsyncGenerator[ProviderProcess, None]:
    """Runs a fake provider in a separate process, on a free loopback port, for the block.

    Args:
        script: The first behaviour; None is a good provider.
    """
    module = __name__.rpartition(".")[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        started = msgspec.json.decode(await process.stdout.readline(), type=_Started)
        secret = Secret(started.client_secret)
        provider = ProviderProcess(process, started.url, started.client_id, secret)
        if script is not None:
            _ = await provider.follow(script)
        yield provider
    finally:
        process.stdin.close()
        try:
            _ = await asyncio.wait_for(process.wait(), _EXIT_SECONDS)
        except TimeoutError:
            process.kill()
            _ = await process.wait()


async def serve_until_stdin_closes() -> None:
    """Runs in the provider's process: prints `_Started` as JSON, then serves."""
    provider = FakeOAuthProvider(ProviderScript())
    async with serve(_with_control(provider)) as provider.url:
        secret = provider.client_secret.reveal()
        started = _Started(provider.url, provider.client_id, secret)
        _ = sys.stdout.write(msgspec.json.encode(started).decode() + "\n")
        _ = sys.stdout.flush()
        loop = asyncio.get_running_loop()
        closed = loop.create_future()
        loop.add_reader(sys.stdin.fileno(), lambda: _check_closed(closed))
        await closed


def _check_closed(closed: asyncio.Future[None]) -> None:
    if os.read(sys.stdin.fileno(), 4096) == b"" and not closed.done():
        closed.set_result(None)


def _with_control(provider: FakeOAuthProvider) -> Handler:
    """The provider's endpoints, and the control path that `ProviderProcess` uses."""

    async def handle(request: Request) -> Response:
        if not request.path.startswith(_CONTROL_PATH):
            return await provider.handle(request)
        match request.path.removeprefix(f"{_CONTROL_PATH}/"):
            case "script":
                provider.script = msgspec.json.decode(request.body, type=ProviderScript)
            case "next":
                provider.next_scripts.extend(
                    msgspec.json.decode(request.body, type=list[ProviderScript])
                )
            case "revoke-all":
                provider.revoke_all()
            case _:
                pass
        return Response(200, {}, msgspec.json.encode(provider.state()))

    return handle
