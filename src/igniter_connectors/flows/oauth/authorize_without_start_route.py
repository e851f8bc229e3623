"""Beginning an authorization at the provider's own URL, without our start route.

For an application that does not serve our routes and sets the cookie itself, and for a program
that has no browser to bind.
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
from igniter_connectors.core.problem import AuthorizeDirectlyProblem, BuildInvalid, WrongWiring
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions, new_payload
from igniter_connectors.flows.oauth.start import start_at_provider
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


@returns_database_failed
async def authorize_with_cookie(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[CookieAuthorization, AuthorizeDirectlyProblem]:
    """The provider's URL, and the cookie that binds the browser that opens it."""
    is_secure = base_url_of(engine).is_secure
    payload = await new_payload(engine, connector, key, config, options)
    if not is_successful(payload):
        return Failure(payload.failure())
    nonce = encode_base64url(engine.entropy.octets(32))
    binding = browser_binding(nonce, key.scope, key.identity, options.subject)
    started = await start_at_provider(
        engine, connector, key, payload.unwrap(), binding_hash=binding
    )
    if not is_successful(started):
        return Failure(started.failure())
    url, state = started.unwrap()
    name = cookie_name(state, secure=is_secure)
    cookie = set_cookie(name, nonce, secure=is_secure)
    return Success(CookieAuthorization(url, Secret(cookie)))


@returns_database_failed
async def authorize_without_browser_binding(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[AuthorizationRequest, AuthorizeDirectlyProblem]:
    """The provider's URL, for any browser. The tenant and the subject stay bound.

    Raises:
        WrongWiring: there is no base URL, or the provider refuses PKCE. Then nothing would bind
            the code to this authorization (RFC 9700 section 2.1.1).
    """
    _ = base_url_of(engine)  # raises before anything is stored
    if not connector.provider.pkce:
        raise WrongWiring(
            BuildInvalid(
                f"{connector.key}: the provider refuses PKCE, so the browser must be bound: "
                "use authorize or authorize_with_cookie"
            )
        )
    payload = await new_payload(engine, connector, key, config, options)
    if not is_successful(payload):
        return Failure(payload.failure())
    binding = unbound_browser(key.scope, key.identity, options.subject)
    started = await start_at_provider(
        engine, connector, key, payload.unwrap(), binding_hash=binding
    )
    return started.map(lambda url_and_state: AuthorizationRequest(url_and_state[0]))
