"""The fake OAuth provider: its endpoints, and counters of the requests to them."""

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
from igniter_connectors.testing.provider.http_server import Request, Response, serve
from igniter_connectors.testing.provider.script import ProviderScript
from igniter_connectors.testing.provider.token_response import error_response, success_response

_JSON = {"content-type": "application/json"}


class ProviderState(msgspec.Struct):
    """A copy of the provider's script, counters and grants.

    Attributes:
        script: The current behaviour.
        token_requests: Number of requests to the token endpoint.
        refresh_requests: Number of refresh tokens that were looked at.
        refused: Number of token requests that got an error.
        revocation_requests: Number of requests to the revocation endpoint, whatever the
            response.
        grants: In the order of their code exchange.
    """

    script: ProviderScript
    token_requests: int
    refresh_requests: int
    refused: int
    revocation_requests: int
    grants: list[Grant]


@final
class FakeOAuthProvider:
    """An OAuth provider whose behaviour is a script. `running_provider` starts one.

    Attributes:
        script: The behaviour. Change or replace it at any time; it applies to requests that
            arrive later.
        next_scripts: Scripts for the next token requests, one for each, in order. After
            them, `script` applies again.
        token_requests: Number of requests to the token endpoint.
        refresh_requests: Number of refresh tokens that were looked at.
        refused: Number of token requests that got an error.
        revocation_requests: Number of requests to the revocation endpoint, whatever the
            response.
        url: The origin, which is also the issuer unless the script names another;
            `discover_provider` finds the endpoints there. "" until the provider runs.
        client_id: ID of the only client. The provider does not check client credentials; use
            `token_status` and `token_error` to refuse a client.
        client_secret: A random value.
    """

    def __init__(self, script: ProviderScript) -> None:
        self.script = script
        self.next_scripts: deque[ProviderScript] = deque()
        self.url = ""
        self.client_id = "app"
        self.client_secret: Secret = Secret(secrets.token_urlsafe(32))
        self.token_requests: int = 0
        self.refresh_requests: int = 0
        self.refused: int = 0
        self.revocation_requests: int = 0
        self._grants = Grants()

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

    @property
    def issued(self) -> list[str]:
        """Every code and token issued so far, for tests that search for leaks."""
        return self._grants.issued

    @property
    def grants(self) -> list[Grant]:
        """All grants, in the order of their code exchange."""
        return self._grants.all

    def grant_of(self, token: Secret) -> Grant | None:
        """The grant that this access or refresh token was issued for; None if unknown."""
        return self._grants.of(token.reveal())

    def accepts(self, access_token: Secret) -> bool:
        """Whether this access token is valid now."""
        return self._grants.accepts(access_token.reveal())

    def revoke_all(self) -> None:
        """Revokes every grant, as an administrator of the provider can."""
        for grant in self.grants:
            grant.is_revoked = True

    def state(self) -> ProviderState:
        """A copy of the current state. Later requests do not change it."""
        live = ProviderState(
            self.script,
            self.token_requests,
            self.refresh_requests,
            self.refused,
            self.revocation_requests,
            self.grants,
        )
        return msgspec.json.decode(msgspec.json.encode(live), type=ProviderState)

    async def handle(self, request: Request) -> Response:
        """The response of the endpoint that the request is for."""
        match request.path:
            case "/authorize":
                return self._authorize(request.query)
            case "/token":
                return await self._token(request)
            case "/userinfo":
                return self._userinfo(request.headers.get("authorization", ""))
            case "/revoke":
                return self._revoke(request.form())
            case "/.well-known/openid-configuration":
                return self._metadata()
            case _:
                return Response(404)

    def _metadata(self) -> Response:
        metadata = {
            "issuer": self.script.issuer or self.url,
            "authorization_endpoint": self.authorization_url,
            "token_endpoint": self.token_url,
            "userinfo_endpoint": self.userinfo_url,
            "revocation_endpoint": self.revocation_url,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.script.issuer != "",
        }
        return Response(200, _JSON, msgspec.json.encode(metadata))

    def _authorize(self, query: dict[str, str]) -> Response:
        if not {"code_challenge", "redirect_uri", "state"} <= query.keys():
            return Response(400)
        code = self._grants.consent(
            query.get("login_hint", self.script.subject),
            challenge=query["code_challenge"],
            redirect_uri=query["redirect_uri"],
        )
        parameters = {"code": code, "state": query["state"]}
        if self.script.issuer:
            parameters["iss"] = self.script.issuer
        return Response(302, {"location": f"{query['redirect_uri']}?{urlencode(parameters)}"})

    async def _token(self, request: Request) -> Response:
        self.token_requests += 1
        script = self.next_scripts.popleft() if self.next_scripts else self.script
        form = request.form()
        grant = self._grants.of(form.get("refresh_token", ""))
        deciding = asyncio.create_task(self._decide(form, script))
        try:
            if grant is None:
                return await deciding
            record = TokenRequest(time.monotonic())
            with grant.track(record):
                _ = await asyncio.wait(
                    {deciding, request.disconnected}, return_when="FIRST_COMPLETED"
                )
            record.ended_at = time.monotonic()
            if deciding.done() and not (response := deciding.result()).is_dropped:
                record.status = response.status
                record.retry_after = response.headers.get("retry-after", "")
            # The provider decides even if the client has disconnected.
            return await deciding
        finally:
            _ = deciding.cancel()

    async def _decide(self, form: dict[str, str], script: ProviderScript) -> Response:
        await asyncio.sleep(script.answer_after_seconds)
        if script.drops == "before":
            return Response(200, is_dropped=True)
        if script.redirect_to:
            return Response(307, {"location": script.redirect_to})
        if script.token_status != 200:
            return self._refuse(script, script.token_status, script.token_error)
        if form.get("grant_type") == "authorization_code":
            grant = self._grants.exchange(
                form.get("code", ""),
                verifier=form.get("code_verifier", ""),
                redirect_uri=form.get("redirect_uri", ""),
            )
            with_refresh_token = True
        else:
            self.refresh_requests += 1
            token = form.get("refresh_token", "")
            grant = self._grants.refresh(token, script, now=time.monotonic())
            with_refresh_token = script.rotates
        if grant is None:
            response = self._refuse(script, 400, "invalid_grant")
        else:
            response = success_response(grant, script, with_refresh_token=with_refresh_token)
        await asyncio.sleep(script.answer_late_seconds)
        if script.drops == "after":
            return Response(200, is_dropped=True)
        return Response(script.gateway_status) if script.gateway_status else response

    def _refuse(self, script: ProviderScript, status: int, error: str) -> Response:
        self.refused += 1
        return error_response(script, status=status, error=error)

    def _userinfo(self, authorization: str) -> Response:
        token = authorization.removeprefix("Bearer ")
        if self.script.redirect_to:
            return Response(307, {"location": self.script.redirect_to})
        grant = self._grants.of(token)
        if grant is None or not self._grants.accepts(token):
            return Response(401)
        body = {"sub": grant.subject, "name": "Ada", "email": "ada@example.com"}
        return Response(200, _JSON, msgspec.json.encode(body) + b" " * self.script.padding_bytes)

    def _revoke(self, form: dict[str, str]) -> Response:
        self.revocation_requests += 1
        token, script = form.get("token", ""), self.script
        grant = self._grants.of(token)
        if grant is not None:
            grant.revocations += 1
        if script.redirect_to:
            return Response(307, {"location": script.redirect_to})
        if script.revocation_status == 200:
            self._grants.revoke(token, script)
            return Response(200)
        headers = {"retry-after": script.retry_after} if script.retry_after else {}
        return Response(script.revocation_status, headers)


@asynccontextmanager
async def running_provider(
    script: ProviderScript | None = None,
) -> AsyncGenerator[FakeOAuthProvider, None]:
    """Runs a fake provider on a free loopback port while the block runs.

    Args:
        script: The first behaviour; None is a good provider.
    """
    provider = FakeOAuthProvider(script or ProviderScript())
    async with serve(provider.handle) as provider.url:
        yield provider
