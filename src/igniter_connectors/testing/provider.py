"""An OAuth provider on loopback that does as it is scripted to: real HTTP, no login page.

It rotates refresh tokens and, as RFC 9700 section 4.14.2 recommends, revokes the whole
grant when one is used twice. Its authorization endpoint consents at once. Needs uvicorn,
which `igniter-connectors[web]` brings.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec

from igniter_connectors.core.oauth.pkce import challenge_of
from igniter_connectors.core.secret import Secret

_Message = MutableMapping[str, Any]  # an ASGI message, as the ASGI specification has it


@dataclass
class ProviderScript:
    """How the provider behaves; change it while it runs.

    Attributes:
        access_token_seconds: What `expires_in` says.
        token_status: Status of the next token answers; not 200 means an error body.
        token_error: The error that goes with it.
        retry_after: A `Retry-After` to send with errors; "" for none.
        answer_after_seconds: How long each token answer waits.
        error_description: What it says beside the error; providers quote tokens there.
        form_encoded: Whether token answers are forms instead of JSON.
        issuer: What `iss` says in callbacks; "" leaves it out.
        subject: Who signs in.
    """

    access_token_seconds: int = 3600
    token_status: int = 200
    token_error: str = "invalid_grant"
    error_description: str = "no"
    retry_after: str = ""
    answer_after_seconds: float = 0.0
    form_encoded: bool = False
    issuer: str = ""
    subject: str = "account-1"


@dataclass
class _Grant:
    subject: str
    revoked: bool = False
    refresh_token: str = ""
    spent: set[str] = field(default_factory=set)


class ScriptedProvider:
    """The provider's state, and counters of what was asked of it.

    `issued` holds every code and token it ever gave, for tests that look for them elsewhere.
    """

    def __init__(self, script: ProviderScript) -> None:
        self.script = script
        self.url = ""
        self.client_id = "app"
        self.client_secret = Secret(secrets.token_urlsafe(32))
        self.token_requests = 0
        self.refresh_requests = 0
        self.refused = 0
        self.issued: list[str] = []
        self._codes: dict[str, tuple[str, str, str]] = {}
        self._grants: list[_Grant] = []
        self._access: dict[str, _Grant] = {}

    @property
    def authorization_url(self) -> str:
        """Where browsers are sent."""
        return f"{self.url}/authorize"

    @property
    def token_url(self) -> str:
        """Where codes and refresh tokens are exchanged."""
        return f"{self.url}/token"

    @property
    def userinfo_url(self) -> str:
        """Who an access token is for."""
        return f"{self.url}/userinfo"

    def accepts(self, access_token: Secret) -> bool:
        """Whether the provider would take this access token now."""
        grant = self._access.get(access_token.reveal())
        return grant is not None and not grant.revoked

    def revoke_all(self) -> None:
        """What an administrator does at the provider: every grant is dead."""
        for grant in self._grants:
            grant.revoked = True

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """The ASGI application."""
        if scope["type"] != "http":
            return
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = {
            name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()
        }
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        match scope["path"]:
            case "/authorize":
                status, extra, answer = self._authorize(query)
            case "/token":
                status, extra, answer = await self._token(form)
            case "/userinfo":
                status, extra, answer = self._userinfo(headers.get("authorization", ""))
            case _:
                status, extra, answer = 404, {}, b""
        sent = [(name.encode(), value.encode()) for name, value in extra.items()]
        sent.append((b"content-length", str(len(answer)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": answer})

    def _authorize(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        code = secrets.token_urlsafe(16)
        self.issued.append(code)
        self._codes[code] = (query["code_challenge"], query["redirect_uri"], self.script.subject)
        answer = {"code": code, "state": query["state"]}
        if self.script.issuer:
            answer["iss"] = self.script.issuer
        return 302, {"location": f"{query['redirect_uri']}?{urlencode(answer)}"}, b""

    async def _token(self, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        self.token_requests += 1
        script = self.script
        await asyncio.sleep(script.answer_after_seconds)
        if script.token_status != 200:
            return self._refuse(script.token_error, script.token_status)
        if form.get("grant_type") == "authorization_code":
            known = self._codes.pop(form.get("code", ""), None)
            challenge = challenge_of(form.get("code_verifier", ""))
            if known is None or known[:2] != (challenge, form.get("redirect_uri")):
                return self._refuse("invalid_grant", 400)
            grant = _Grant(known[2])
            self._grants.append(grant)
            return self._issue(grant)
        self.refresh_requests += 1
        token = form.get("refresh_token", "")
        for grant in self._grants:
            if token in grant.spent:
                grant.revoked = True
            elif token == grant.refresh_token and not grant.revoked:
                grant.spent.add(token)
                return self._issue(grant)
        return self._refuse("invalid_grant", 400)

    def _issue(self, grant: _Grant) -> tuple[int, dict[str, str], bytes]:
        access = secrets.token_urlsafe(24)
        grant.refresh_token = secrets.token_urlsafe(24)
        self._access[access] = grant
        self.issued += [access, grant.refresh_token]
        answer: dict[str, str | int] = {
            "access_token": access,
            "refresh_token": grant.refresh_token,
            "token_type": "Bearer",
            "expires_in": self.script.access_token_seconds,
        }
        if self.script.form_encoded:
            kind = {"content-type": "application/x-www-form-urlencoded"}
            return 200, kind, urlencode(answer).encode()
        return 200, {"content-type": "application/json"}, msgspec.json.encode(answer)

    def _refuse(self, error: str, status: int) -> tuple[int, dict[str, str], bytes]:
        self.refused += 1
        extra = {"content-type": "application/json"}
        if self.script.retry_after:
            extra["retry-after"] = self.script.retry_after
        return (
            status,
            extra,
            msgspec.json.encode(
                {"error": error, "error_description": self.script.error_description}
            ),
        )

    def _userinfo(self, authorization: str) -> tuple[int, dict[str, str], bytes]:
        grant = self._access.get(authorization.removeprefix("Bearer "))
        if grant is None or grant.revoked:
            return 401, {}, b""
        body = {"sub": grant.subject, "name": "Ada", "email": "ada@example.com"}
        return 200, {"content-type": "application/json"}, msgspec.json.encode(body)


@asynccontextmanager
async def running_provider(
    script: ProviderScript | None = None,
) -> AsyncGenerator[ScriptedProvider, None]:
    """A provider on a free loopback port, for as long as the block runs."""
    import uvicorn

    provider = ScriptedProvider(script or ProviderScript())
    # No access log: it would hold the codes and states that pass through the URLs.
    config = uvicorn.Config(
        provider, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not ours to take
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    provider.url = f"http://127.0.0.1:{port}"
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
