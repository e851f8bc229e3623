"""A scripted provider as a process of its own, and the way to speak to it.

For tests with several application processes: they share it, and it outlives each of them. It
ends with the process that started it, however that one ends.
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
from igniter_connectors.testing.provider.loopback import Answer, Answering, Asked, serving
from igniter_connectors.testing.provider.script import ProviderScript
from igniter_connectors.testing.provider.scripted import ScriptedProvider
from igniter_connectors.testing.provider.state import ProviderState

_CONTROL: Final = "/control"
_END_SECONDS: Final = 5.0


class _Introduction(msgspec.Struct, frozen=True):
    url: str
    client_id: str
    client_secret: str


@final
class ProviderProcess:
    """A provider in another process: where it is, how it is scripted, what it knows.

    `client_secret` is random, `client_id` the one client's. A method that fails raises
    `OSError`: the process is gone.
    """

    def __init__(self, process: Process, url: str, client_id: str, client_secret: Secret) -> None:
        self.url = url
        self.client_id = client_id
        self.client_secret = client_secret
        self._process = process

    @property
    def process_id(self) -> int:
        """Of the provider's process, for signals."""
        return self._process.pid

    @property
    def authorization_url(self) -> str:
        """Where browsers are sent. It consents at once; `login_hint` says as whom."""
        return f"{self.url}/authorize"

    @property
    def token_url(self) -> str:
        """Where codes and refresh tokens are exchanged."""
        return f"{self.url}/token"

    @property
    def userinfo_url(self) -> str:
        """Who an access token is for."""
        return f"{self.url}/userinfo"

    @property
    def revocation_url(self) -> str:
        """Where tokens are revoked (RFC 7009)."""
        return f"{self.url}/revoke"

    async def state(self) -> ProviderState:
        """What it knows now."""
        return await self._order("state")

    async def follow(self, script: ProviderScript) -> ProviderState:
        """Behaves as scripted from the next request on."""
        return await self._order("script", script)

    async def follow_next(self, scripts: Sequence[ProviderScript]) -> ProviderState:
        """Behaves so at the next token requests, one script for each, and then as before."""
        return await self._order("next", scripts)

    async def revoke_all(self) -> ProviderState:
        """What an administrator does at the provider: every grant is dead."""
        return await self._order("revoke-all")

    async def _order(self, what: str, body: object = None) -> ProviderState:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            sent = msgspec.json.encode(body)
            head = f"POST {_CONTROL}/{what} HTTP/1.1\r\ncontent-length: {len(sent)}\r\n\r\n"
            writer.write(head.encode() + sent)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(answer.rpartition("content-length: ")[2].strip())
            told = await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise ConnectionError("the provider's process is gone") from None
        finally:
            writer.close()
        return msgspec.json.decode(told, type=ProviderState)


@asynccontextmanager
async def provider_process(
    script: ProviderScript | None = None,
) -> AsyncGenerator[ProviderProcess, None]:
    """A provider in a process of its own, on a free loopback port, while the block runs."""
    module = __name__.rpartition(".")[0]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = msgspec.json.decode(await process.stdout.readline(), type=_Introduction)
        provider = ProviderProcess(process, told.url, told.client_id, Secret(told.client_secret))
        if script is not None:
            _ = await provider.follow(script)
        yield provider
    finally:
        process.stdin.close()
        try:
            _ = await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
            _ = await process.wait()


async def serve_until_left() -> None:
    """The process's own part: says where it is, and serves until its standard input ends."""
    provider = ScriptedProvider(ProviderScript())
    async with serving(_controlled(provider)) as provider.url:
        secret = provider.client_secret.reveal()
        told = _Introduction(provider.url, provider.client_id, secret)
        _ = sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        _ = sys.stdout.flush()
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        loop.add_reader(sys.stdin.fileno(), lambda: _end(ended))
        await ended


def _end(ended: asyncio.Future[None]) -> None:
    if os.read(sys.stdin.fileno(), 4096) == b"" and not ended.done():
        ended.set_result(None)


def _controlled(provider: ScriptedProvider) -> Answering:
    async def answer(asked: Asked) -> Answer:
        if not asked.path.startswith(_CONTROL):
            return await provider.answer(asked)
        match asked.path.removeprefix(f"{_CONTROL}/"):
            case "script":
                provider.script = msgspec.json.decode(asked.body, type=ProviderScript)
            case "next":
                provider.next_scripts.extend(
                    msgspec.json.decode(asked.body, type=list[ProviderScript])
                )
            case "revoke-all":
                provider.revoke_all()
            case _:
                pass
        return Answer(200, {}, msgspec.json.encode(provider.state()))

    return answer
