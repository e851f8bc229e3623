"""The scripted provider itself: its endpoints, and counters of what was asked of them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import final
from urllib.parse import urlencode

import msgspec

from igniter_connectors.core.secret import Secret
from igniter_connectors.testing.provider.grants import Grant, Grants, TokenRequest
from igniter_connectors.testing.provider.loopback import Answer, Asked, serving
from igniter_connectors.testing.provider.script import ProviderScript
from igniter_connectors.testing.provider.state import ProviderState
from igniter_connectors.testing.provider.token_answer import granted, refused

_JSON = {"content-type": "application/json"}


@final
class ScriptedProvider:
    """A provider under a script. `running_provider` gives one that can be reached.

    Attributes:
        script: How it behaves; change it, or replace it, at any time. A request that has
            come keeps the script that it met.
        next_scripts: Scripts for the next token requests, one for each, the first first;
            then `script` counts again.
        token_requests: How many requests came to the token endpoint.
        refresh_requests: How many refresh tokens it looked at.
        refused: How many token requests it answered with an error.
        revocation_requests: How many came to the revocation endpoint, whatever it said.
        url: Its origin, and its issuer unless the script names one: `discover_provider` finds
            the endpoints there. "" until it runs.
        client_id: Of the one client that it knows. Nothing of the client is checked:
            script `token_status` and `token_error` for what a refused one is told.
        client_secret: Random.
    """

    def __init__(self, script: ProviderScript) -> None:
        self.script = script
        self.next_scripts: deque[ProviderScript] = deque()
        self.url = ""
        self.client_id = "app"
        self.client_secret = Secret(secrets.token_urlsafe(32))
        self.token_requests = 0
        self.refresh_requests = 0
        self.refused = 0
        self.revocation_requests = 0
        self._grants = Grants()

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

    @property
    def issued(self) -> list[str]:
        """Every code and token it ever gave, for tests that look for them elsewhere."""
        return self._grants.issued

    @property
    def grants(self) -> list[Grant]:
        """Every grant, in the order of their exchange."""
        return self._grants.all

    def grant_of(self, token: Secret) -> Grant | None:
        """The grant that this access or refresh token was once given for."""
        return self._grants.of(token.reveal())

    def accepts(self, access_token: Secret) -> bool:
        """Whether the provider would take this access token now."""
        return self._grants.accepts(access_token.reveal())

    def revoke_all(self) -> None:
        """What an administrator does at the provider: every grant is dead."""
        for grant in self.grants:
            grant.is_revoked = True

    def state(self) -> ProviderState:
        """What it knows now, as a value of its own."""
        live = ProviderState(
            self.script,
            self.token_requests,
            self.refresh_requests,
            self.refused,
            self.revocation_requests,
            self.grants,
        )
        return msgspec.json.decode(msgspec.json.encode(live), type=ProviderState)

    async def answer(self, asked: Asked) -> Answer:
        """The answer of whichever endpoint was asked."""
        match asked.path:
            case "/authorize":
                return self._authorize(asked.query)
            case "/token":
                return await self._token(asked)
            case "/userinfo":
                return self._userinfo(asked.headers.get("authorization", ""))
            case "/revoke":
                return self._revoke(asked.form())
            case "/.well-known/openid-configuration":
                return self._describe()
            case _:
                return Answer(404)

    def _describe(self) -> Answer:
        description = {
            "issuer": self.script.issuer or self.url,
            "authorization_endpoint": self.authorization_url,
            "token_endpoint": self.token_url,
            "userinfo_endpoint": self.userinfo_url,
            "revocation_endpoint": self.revocation_url,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.script.issuer != "",
        }
        return Answer(200, _JSON, msgspec.json.encode(description))

    def _authorize(self, query: dict[str, str]) -> Answer:
        if not {"code_challenge", "redirect_uri", "state"} <= query.keys():
            return Answer(400)
        code = self._grants.consent(
            query.get("login_hint", self.script.subject),
            challenge=query["code_challenge"],
            redirect_uri=query["redirect_uri"],
        )
        answer = {"code": code, "state": query["state"]}
        if self.script.issuer:
            answer["iss"] = self.script.issuer
        return Answer(302, {"location": f"{query['redirect_uri']}?{urlencode(answer)}"})

    async def _token(self, asked: Asked) -> Answer:
        self.token_requests += 1
        script = self.next_scripts.popleft() if self.next_scripts else self.script
        form = asked.form()
        grant = self._grants.of(form.get("refresh_token", ""))
        deciding = asyncio.create_task(self._decide(form, script))
        try:
            if grant is None:
                return await deciding
            request = TokenRequest(time.monotonic())
            with grant.flight(request):
                _ = await asyncio.wait({deciding, asked.gone}, return_when="FIRST_COMPLETED")
            request.ended_at = time.monotonic()
            if deciding.done() and not (answer := deciding.result()).is_dropped:
                request.status = answer.status
                request.retry_after = answer.headers.get("retry-after", "")
            # Nobody may be waiting any more, and the provider decides all the same.
            return await deciding
        finally:
            _ = deciding.cancel()

    async def _decide(self, form: dict[str, str], script: ProviderScript) -> Answer:
        await asyncio.sleep(script.answer_after_seconds)
        if script.drops == "before":
            return Answer(200, is_dropped=True)
        if script.redirect_to:
            return Answer(307, {"location": script.redirect_to})
        if script.token_status != 200:
            return self._refuse(script, script.token_status, script.token_error)
        if form.get("grant_type") == "authorization_code":
            grant = self._grants.exchange(
                form.get("code", ""),
                verifier=form.get("code_verifier", ""),
                redirect_uri=form.get("redirect_uri", ""),
            )
            is_rotated = True
        else:
            self.refresh_requests += 1
            token = form.get("refresh_token", "")
            grant = self._grants.refresh(token, script, now=time.monotonic())
            is_rotated = script.rotates
        if grant is None:
            answer = self._refuse(script, 400, "invalid_grant")
        else:
            answer = granted(grant, script, is_rotated=is_rotated)
        await asyncio.sleep(script.answer_late_seconds)
        if script.drops == "after":
            return Answer(200, is_dropped=True)
        return Answer(script.gateway_status) if script.gateway_status else answer

    def _refuse(self, script: ProviderScript, status: int, error: str) -> Answer:
        self.refused += 1
        return refused(script, status=status, error=error)

    def _userinfo(self, authorization: str) -> Answer:
        token = authorization.removeprefix("Bearer ")
        if self.script.redirect_to:
            return Answer(307, {"location": self.script.redirect_to})
        grant = self._grants.of(token)
        if grant is None or not self._grants.accepts(token):
            return Answer(401)
        body = {"sub": grant.subject, "name": "Ada", "email": "ada@example.com"}
        return Answer(200, _JSON, msgspec.json.encode(body) + b" " * self.script.padding_bytes)

    def _revoke(self, form: dict[str, str]) -> Answer:
        self.revocation_requests += 1
        token, script = form.get("token", ""), self.script
        grant = self._grants.of(token)
        if grant is not None:
            grant.revocations += 1
        if script.redirect_to:
            return Answer(307, {"location": script.redirect_to})
        if script.revocation_status == 200:
            self._grants.revoke(token, script)
            return Answer(200)
        headers = {"retry-after": script.retry_after} if script.retry_after else {}
        return Answer(script.revocation_status, headers)


@asynccontextmanager
async def running_provider(
    script: ProviderScript | None = None,
) -> AsyncGenerator[ScriptedProvider, None]:
    """A provider on a free loopback port, for as long as the block runs."""
    provider = ScriptedProvider(script or ProviderScript())
    async with serving(provider.answer) as provider.url:
        yield provider
