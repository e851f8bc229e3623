"""Beginning an authorization at the provider's own address, without our start route.

For an application that has no routes of ours: it sets the cookie itself. And for a program that
has no browser of its own: there is none to bind.
"""

from __future__ import annotations

from typing import Any

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.authorization_request import (
    AuthorizationRequest,
    CookieAuthorization,
)
from igniter_connectors.core.oauth.state import browser_binding, unbound_browser
from igniter_connectors.core.oauth.state_cookie import cookie_name, set_cookie
from igniter_connectors.core.problem import AuthorizeDirectlyProblem
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth.start import AuthorizationOptions, at_provider, new_payload

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def begin_with_cookie(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[CookieAuthorization, AuthorizeDirectlyProblem]:
    """The provider's address, and the cookie that binds the browser that is sent there."""
    is_secure = base_url_of(engine).is_secure
    nonce = encode_base64url(engine.entropy.octets(32))
    binding = browser_binding(nonce, options.subject)
    sent = await _begin(engine, connector, key, config, options, binding)
    if not is_successful(sent):
        return Failure(sent.failure())
    url, state = sent.unwrap()
    name = cookie_name(state, secure=is_secure)
    cookie = set_cookie(name, nonce, secure=is_secure)
    return Success(CookieAuthorization(url, Secret(cookie)))


async def begin_unbound(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[AuthorizationRequest, AuthorizeDirectlyProblem]:
    """The provider's address, for any browser; the subject stays bound."""
    binding = unbound_browser(options.subject)
    sent = await _begin(engine, connector, key, config, options, binding)
    return sent.map(lambda one: AuthorizationRequest(one[0]))


async def _begin(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
    binding_hash: bytes,
) -> Result[tuple[str, str], AuthorizeDirectlyProblem]:
    payload = await new_payload(engine, connector, key, config, options)
    if not is_successful(payload):
        return Failure(payload.failure())
    return await at_provider(engine, connector, key, payload.unwrap(), binding_hash=binding_hash)
