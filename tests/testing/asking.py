"""A client of a scripted provider, as little of one as its tests need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.testing import ProviderProcess, ScriptedProvider

VERIFIER = "a verifier of at least forty-three characters"
REDIRECT_URI = "http://127.0.0.1:1/callback"


class Tokens(msgspec.Struct):
    """A token answer."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None


class Asking:
    """Asks a provider's endpoints."""

    def __init__(
        self, provider: ScriptedProvider | ProviderProcess, client: httpx.AsyncClient
    ) -> None:
        self._provider = provider
        self._client = client

    async def consent(self, **parameters: str) -> dict[str, str]:
        """What the callback would be given."""
        query = {
            "code_challenge": challenge_of(VERIFIER),
            "redirect_uri": REDIRECT_URI,
            "state": "a state",
            **parameters,
        }
        answer = await self._client.get(self._provider.authorization_url, params=query)
        assert answer.status_code == 302
        location = urlsplit(answer.headers["location"])
        assert location.geturl().startswith(REDIRECT_URI)
        return {name: values[0] for name, values in parse_qs(location.query).items()}

    async def exchange(self, code: str, **changes: str) -> httpx.Response:
        """The answer to a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": REDIRECT_URI,
            **changes,
        }
        return await self._client.post(self._provider.token_url, data=form)

    async def connect(self, **parameters: str) -> Tokens:
        """The tokens of a new grant."""
        return tokens(await self.exchange((await self.consent(**parameters))["code"]))

    async def refresh(self, token: str | None) -> httpx.Response:
        """The answer to a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token or ""}
        return await self._client.post(self._provider.token_url, data=form)

    async def revoke(self, token: str) -> httpx.Response:
        """The answer of the revocation endpoint."""
        return await self._client.post(self._provider.revocation_url, data={"token": token})

    async def who(self, token: str) -> httpx.Response:
        """The answer of the user info endpoint."""
        header = {"authorization": f"Bearer {token}"}
        return await self._client.get(self._provider.userinfo_url, headers=header)


def tokens(answer: httpx.Response) -> Tokens:
    """The tokens in an answer that has some."""
    assert answer.status_code == 200
    return msgspec.json.decode(answer.content, type=Tokens)


def error(answer: httpx.Response) -> str:
    """The error in an answer that has one."""
    said: str = answer.json()["error"]
    return said


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what happens in the provider's own time; fails after 10 s."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # what is waited for is a counter
            await asyncio.sleep(0.01)
