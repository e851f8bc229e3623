"""An authorization server built from Authlib's classes, over HTTP on loopback.

Authlib decides client authentication, redirect URIs, PKCE, codes, grants, errors, revocation and
`iss`. This file adds only dictionaries for its models, and a consent that is always given.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]  # no type information
    AuthorizationServer,
    ClientMixin,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
    TokenMixin,
    grants,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator  # type: ignore[import-untyped]  # no type information
from authlib.oauth2.rfc7009 import RevocationEndpoint  # type: ignore[import-untyped]  # no type information
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]  # no type information
from authlib.oauth2.rfc9207 import IssuerParameter  # type: ignore[import-untyped]  # no type information

from igniter_connectors.testing.provider.http_server import Request, Response, serve

# Authlib has no types, so its arguments and results are `Any` in this file.

CLIENT_SECRET = "s+c:r/e%t&1 of some length"
METHOD = "client_secret_basic"


@dataclass
class _Response:
    """A response that Authlib's extensions can change, such as the redirect's location."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @location.setter
    def location(self, location: str) -> None:
        self.headers["Location"] = location


class _Client(ClientMixin):  # type: ignore[misc]  # untyped base
    def __init__(self, redirect_uri: str) -> None:
        self.client_id = "an app"
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(one for one in (scope or "").split() if one in ("read", "write"))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, CLIENT_SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == METHOD

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token", "client_credentials")


@dataclass
class _Code:
    code: str
    redirect_uri: str
    scope: str
    user: str
    code_challenge: str
    code_challenge_method: str
    nonce: str = ""

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class _Token(TokenMixin):  # type: ignore[misc]  # untyped base
    access_token: str
    refresh_token: str
    scope: str
    user: str | None
    family: int
    client: _Client
    ends_at: float
    is_spent: bool = False
    is_revoked_: bool = False

    def check_client(self, client: _Client) -> bool:
        return client is self.client

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return int(self.ends_at - time.time())

    def is_expired(self) -> bool:
        return self.ends_at < time.time()

    def is_revoked(self) -> bool:
        return self.is_revoked_

    def get_user(self) -> str | None:
        return self.user

    def get_client(self) -> _Client:
        return self.client


class _Payload(OAuth2Payload):  # type: ignore[misc]  # untyped base
    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    @property
    def data(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._values.items()}

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, self._values)


class _Request(OAuth2Request):  # type: ignore[misc]  # untyped base
    def __init__(self, received: Request, url: str) -> None:
        # Authlib requires https unless an environment variable allows http.
        headers = {name.title(): value for name, value in received.headers.items()}
        super().__init__(received.method, url.replace("http://", "https://", 1), headers=headers)
        self._form = received.form() if received.method == "POST" else {}
        values = {name: [value] for name, value in {**received.query, **self._form}.items()}
        self._query = received.query
        self.payload = _Payload(values)

    @property
    def args(self) -> dict[str, str]:
        return self._query

    @property
    def form(self) -> dict[str, str]:
        return self._form


@dataclass
class AuthlibProvider:
    """The server and its counters.

    Attributes:
        token_seconds: Lifetime of an access token.
        requests: Number of token requests by grant type.
        refused: Number of token requests that got an error.
    """

    redirect_uri: str
    token_seconds: int = 3600
    url: str = ""
    user: str = "ada"
    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    tokens: list[_Token] = field(default_factory=list)
    codes: dict[str, _Code] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = _Client(self.redirect_uri)
        self.server = _Server(self)

    def token_of(self, token: str) -> _Token | None:
        """The token set that contains this token."""
        return next(
            (one for one in self.tokens if token in (one.access_token, one.refresh_token)), None
        )

    def end_family(self, family: int) -> None:
        """Revokes every token of a grant."""
        for one in self.tokens:
            one.is_revoked_ |= one.family == family

    async def handle(self, received: Request) -> Response:
        """The response of the endpoint that the request is for."""
        request = _Request(received, self.url + received.path)
        match received.path:
            case "/authorize":
                answer = self.server.authorize(request)
            case "/token":
                answer = self.server.token(request)
            case "/revoke":
                answer = self.server.create_endpoint_response("revocation", request)
            case "/me":
                bearer = received.headers.get("authorization", "").removeprefix("Bearer ")
                token = self.token_of(bearer)
                if token is None or token.access_token != bearer or token.is_revoked_:
                    return Response(401)
                return Response(200, {}, msgspec.json.encode({"sub": token.user}))
            case _:
                return Response(404)
        return Response(answer.status, answer.headers, answer.body)


class _Server(AuthorizationServer):  # type: ignore[misc]  # untyped base
    def __init__(self, provider: AuthlibProvider) -> None:
        super().__init__()
        self.provider = provider
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                lambda *_, **__: secrets.token_urlsafe(24),
                lambda *_, **__: secrets.token_urlsafe(24),
                lambda *_: provider.token_seconds,
            ),
        )
        self.register_grant(_CodeGrant, [CodeChallenge(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_grant(_ClientGrant)
        self.register_endpoint(_Revocation)
        self.register_extension(_Issuer())

    def authorize(self, request: _Request) -> _Response:
        """The user is signed in and consents."""
        try:
            grant = self.get_consent_grant(request, self.provider.user)
        except OAuth2Error as error:
            refused: _Response = self.handle_response(*error())
            return refused
        answer: _Response = self.create_authorization_response(
            request, grant_user=self.provider.user, grant=grant
        )
        return answer

    def token(self, request: _Request) -> _Response:
        """Counts the request and responds."""
        kind = request.payload.grant_type or ""
        self.provider.requests.append(kind)
        answer: _Response = self.create_token_response(request)
        if answer.status != 200:
            self.provider.refused.append(kind)
        return answer

    def query_client(self, client_id: str) -> _Client | None:
        client = self.provider.client
        return client if client_id == client.client_id else None

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        spent = request.refresh_token
        self.provider.tokens.append(
            _Token(
                token["access_token"],
                token.get("refresh_token", ""),
                token.get("scope", ""),
                request.user,
                spent.family if spent else len(self.provider.tokens),
                request.client,
                time.time() + token["expires_in"],
            )
        )

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> _Response:
        text = body if isinstance(body, str) else msgspec.json.encode(body or {}).decode()
        return _Response(status, dict(headers), text.encode())

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        pass


class _Issuer(IssuerParameter):  # type: ignore[misc]  # untyped base
    def get_issuer(self) -> str:
        return ISSUER


ISSUER = "https://authlib.example"


class _CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # untyped base
    TOKEN_ENDPOINT_AUTH_METHODS = [METHOD]  # noqa: RUF012  # Authlib's own attribute

    def save_authorization_code(self, code: str, request: Any) -> None:
        data = request.payload.data
        self.server.provider.codes[code] = _Code(
            code,
            data["redirect_uri"],
            request.scope,
            request.user,
            data.get("code_challenge", ""),
            data.get("code_challenge_method", ""),
        )

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        found: _Code | None = self.server.provider.codes.get(code)
        return found

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        del self.server.provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: _Code) -> str:
        return authorization_code.user


class _RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # untyped base
    TOKEN_ENDPOINT_AUTH_METHODS = [METHOD]  # noqa: RUF012  # Authlib's own attribute
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
        provider: AuthlibProvider = self.server.provider
        token = provider.token_of(refresh_token)
        if token is None or token.refresh_token != refresh_token or token.is_revoked_:
            return None
        if token.is_spent:
            provider.end_family(token.family)
            return None
        return token

    def authenticate_user(self, refresh_token: _Token) -> str | None:
        return refresh_token.user

    def revoke_old_credential(self, refresh_token: _Token) -> None:
        refresh_token.is_spent = True


class _ClientGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]  # untyped base
    TOKEN_ENDPOINT_AUTH_METHODS = [METHOD]  # noqa: RUF012  # Authlib's own attribute


class _Revocation(RevocationEndpoint):  # type: ignore[misc]  # untyped base
    CLIENT_AUTH_METHODS = [METHOD]  # noqa: RUF012  # Authlib's own attribute

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
        token: _Token | None = self.server.provider.token_of(token_string)
        return token

    def revoke_token(self, token: _Token, request: Any) -> None:
        self.server.provider.end_family(token.family)


@asynccontextmanager
async def running_authlib(redirect_uri: str) -> AsyncGenerator[AuthlibProvider, None]:
    """Runs a server for one client on a free loopback port while the block runs."""
    provider = AuthlibProvider(redirect_uri)
    async with serve(provider.handle) as provider.url:
        yield provider
