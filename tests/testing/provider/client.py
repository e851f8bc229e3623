"""A minimal OAuth client for the tests of the fake provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.testing import FakeOAuthProvider, ProviderProcess

VERIFIER = "a verifier of at least forty-three characters"
REDIRECT_URI = "http://127.0.0.1:1/callback"


class Tokens(msgspec.Struct):
    """A token response."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None
    scope: str | None = None


class Client:
    """Sends requests to a provider's endpoints."""

    def __init__(
        self, provider: FakeOAuthProvider | ProviderProcess, http: httpx.AsyncClient
    ) -> None:
        self._provider = provider
        self._http = http

    async def consent(self, **parameters: str) -> dict[str, str]:
        """The parameters that the callback gets."""
        query = {
            "code_challenge": challenge_of(VERIFIER),
            "redirect_uri": REDIRECT_URI,
            "state": "a state",
            **parameters,
        }
        response = await self._http.get(self._provider.authorization_url, params=query)
        assert response.status_code == 302
        location = urlsplit(response.headers["location"])
        assert location.geturl().startswith(REDIRECT_URI)
        return {name: values[0] for name, values in parse_qs(location.query).items()}

    async def exchange(self, code: str, **changes: str) -> httpx.Response:
        """Exchanges a code, with these form fields changed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": VERIFIER,
            "redirect_uri": REDIRECT_URI,
            **changes,
        }
        return await self._http.post(self._provider.token_url, data=form)

    async def connect(self, **parameters: str) -> Tokens:
        """Consents and exchanges the code: the tokens of a new grant."""
        return tokens(await self.exchange((await self.consent(**parameters))["code"]))

    async def refresh(self, token: str | None) -> httpx.Response:
        """Sends a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token or ""}
        return await self._http.post(self._provider.token_url, data=form)

    async def revoke(self, token: str) -> httpx.Response:
        """Sends a token to the revocation endpoint."""
        return await self._http.post(self._provider.revocation_url, data={"token": token})

    async def userinfo(self, token: str) -> httpx.Response:
        """Sends an access token to the user info endpoint."""
        header = {"authorization": f"Bearer {token}"}
        return await self._http.get(self._provider.userinfo_url, headers=header)


def tokens(response: httpx.Response) -> Tokens:
    """The tokens of a successful response."""
    assert response.status_code == 200
    return msgspec.json.decode(response.content, type=Tokens)


def error(response: httpx.Response) -> str:
    """The `error` of an error response."""
    code: str = response.json()["error"]
    return code


async def until(holds: Callable[[], bool]) -> None:
    """Waits until the condition holds; fails after 10 s."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # the provider's counters send no notification
            await asyncio.sleep(0.01)
