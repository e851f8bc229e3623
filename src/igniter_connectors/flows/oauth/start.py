"""The start route: binds the browser to the authorization, and sends it to the provider."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import AuthorizationStarted
from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.http.routes import callback_url
from igniter_connectors.core.oauth.authorization_request import authorization_url
from igniter_connectors.core.oauth.pkce import new_verifier
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.pushed_authorization import (
    judge_push,
    push_request,
    pushed_authorization_url,
)
from igniter_connectors.core.oauth.start_query import Upgrade, parse_start_query
from igniter_connectors.core.oauth.state import (
    AuthorizationPayload,
    browser_binding,
    state_hash,
    subject_binding,
    ticket_hash,
)
from igniter_connectors.core.oauth.state_cookie import cookie_name, set_cookie
from igniter_connectors.core.principal import Principal
from igniter_connectors.core.problem import (
    AuthorizationDenied,
    ConnectorNotFound,
    DatabaseFailed,
    DecryptFailed,
    NotConnected,
    OAuthNotConfigured,
    ParameterInvalid,
    ProviderAnswerMalformed,
    ProviderUnreachable,
    ReauthorizeProblem,
    RequestRefused,
    StartProblem,
    StartRouteProblem,
)
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions, reauthorize
from igniter_connectors.flows.oauth.pending_authorization import (
    open_payload,
    save_authorization,
    take_authorization,
)
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.tenant_http import oauth_http

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


def oauth_connector(
    engine: Engine, key: str
) -> Result[OAuthConnector[Any, Any, Any], ConnectorNotFound | OAuthNotConfigured]:
    """The connector that an OAuth route names."""
    definition = engine.connectors.get(key)
    if definition is None:
        return Failure(ConnectorNotFound(key))
    if not isinstance(definition, OAuthConnector):
        return Failure(OAuthNotConfigured(key))
    return Success(definition)


@returns_database_failed
async def start(
    engine: Engine, connector: str, *, query: str, fetch_site: str | None, principal: Principal
) -> Result[HttpResponse, StartRouteProblem]:
    """Opens the ticket in the query; or, if the query names an account, authorizes that
    connection of the principal's tenant again, for more scopes (`upgrade_url`).

    Args:
        engine: The engine.
        connector: The key in the route.
        query: The raw query, without "?".
        fetch_site: The `Sec-Fetch-Site` header; None if the browser sends none.
        principal: Who is signed in, after `check_access`.
    """
    found = oauth_connector(engine, connector)
    if not is_successful(found):
        return Failure(found.failure())
    parsed = parse_start_query(query, connector=connector)
    # The URL of an upgrade has no ticket: only the browser can say that our site opened it.
    is_upgrade = is_successful(parsed) and isinstance(parsed.unwrap(), Upgrade)
    if fetch_site == "cross-site" or (is_upgrade and fetch_site not in ("same-origin", "none")):
        return Failure(RequestRefused("an authorization begins on this site"))
    if not is_successful(parsed):
        return Failure(parsed.failure())
    asked = parsed.unwrap()
    if isinstance(asked, Upgrade):
        return await _start_upgrade(engine, found.unwrap(), asked, principal)
    return await _open_ticket(engine, found.unwrap(), asked.ticket, principal)


async def _open_ticket(
    engine: Engine, connector: OAuthConnector[Any, Any, Any], ticket: str, principal: Principal
) -> Result[HttpResponse, StartProblem | DecryptFailed | DatabaseFailed]:
    """Gives this browser its cookie, and redirects it to the provider."""
    taken = await take_authorization(
        engine,
        connector.key,
        handle_hash=ticket_hash(ticket),
        binding_hash=subject_binding(*principal.names),
    )
    if not is_successful(taken):
        return Failure(taken.failure())
    key, payload = taken.unwrap()
    nonce = encode_base64url(engine.entropy.octets(32))
    binding = browser_binding(nonce, *principal.names)
    started = await start_at_provider(engine, connector, key, payload, binding_hash=binding)
    if not is_successful(started):
        return Failure(started.failure())
    url, state = started.unwrap()
    is_secure = base_url_of(engine).is_secure
    name = cookie_name(state, secure=is_secure)
    return Success(redirect(url, set_cookie(name, nonce, secure=is_secure)))


async def _start_upgrade(
    engine: Engine,
    connector: OAuthConnector[Any, Any, Any],
    upgrade: Upgrade,
    principal: Principal,
) -> Result[HttpResponse, ReauthorizeProblem | ParameterInvalid | RequestRefused]:
    """Begins to authorize a connection of the principal's own tenant again, with more scopes.

    Anybody who is signed in can write this URL. So it requests no scope that the connector does
    not declare, and it never replaces the connected account: where the account is not known,
    the callback could not compare it (identity pinning), and the person who opens the URL would
    connect an account of their own in its place.
    """
    if not connector.declared_oauth_scopes.issuperset(upgrade.oauth_scopes):
        return Failure(ParameterInvalid("oauth_scopes"))
    tenant = principal.tenant
    key = ConnectionKey(tenant.kind, tenant.identity, connector.key, upgrade.account)
    record = await engine.store.find(key)
    if record is None or record.grant is None:
        return Failure(NotConnected(connector.key, key.account))
    if record.grant.subject is None:
        reason = "it is not known which account is connected: authorize again in the application"
        return Failure(RequestRefused(reason))
    options = AuthorizationOptions(principal.subject, oauth_scopes=upgrade.oauth_scopes)
    begun = await reauthorize(engine, connector, key, options)
    return begun.map(lambda request: redirect(request.url))


async def start_at_provider(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    payload: AuthorizationPayload,
    *,
    binding_hash: bytes,
) -> Result[tuple[str, str], StartProblem]:
    """The provider's URL to open, and the state in it.

    Only the browser and subject of `binding_hash` can finish this authorization.
    """
    opened = open_payload(connector, payload)
    if not is_successful(opened):
        return Failure(opened.failure())
    _, provider = opened.unwrap()
    state = encode_base64url(engine.entropy.octets(32))
    verifier = new_verifier(engine.entropy.octets(32))
    saved = await save_authorization(
        engine,
        key,
        replace(payload, verifier=verifier),
        handle_hash=state_hash(state),
        binding_hash=binding_hash,
    )
    if not is_successful(saved):
        return Failure(saved.failure())
    url = await _authorization_url(engine, provider, key, state, verifier)
    if not is_successful(url):
        return Failure(url.failure())
    engine.event_bus.publish(AuthorizationStarted(at=engine.clock.now(), **event_fields(key)))
    return Success((url.unwrap(), state))


async def _authorization_url(
    engine: Engine, provider: OAuthProvider, key: ConnectionKey, state: str, verifier: str
) -> Result[str, ProviderUnreachable | ProviderAnswerMalformed | AuthorizationDenied]:
    """The provider's URL. If the provider accepts pushed requests (RFC 9126), the request is
    pushed first."""
    redirect_uri = callback_url(base_url_of(engine), key.connector)
    request = push_request(
        provider,
        redirect_uri=redirect_uri,
        state=state,
        verifier=verifier,
        signing=engine.signing_context(),
    )
    if request is None:
        return Success(
            authorization_url(provider, redirect_uri=redirect_uri, state=state, verifier=verifier)
        )
    answer = await oauth_http(engine, key).send(request)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(key.connector))
    now = engine.clock.now()
    pushed = judge_push(answer.unwrap(), connector=key.connector, received_at=now)
    return pushed.map(lambda one: pushed_authorization_url(provider, one))


def redirect(url: str, cookie: str | None = None) -> HttpResponse:
    """A 303 that is not cached, and that sends no referrer."""
    cookies = () if cookie is None else (("Set-Cookie", cookie),)
    return HttpResponse(
        303,
        (
            ("Location", url),
            *cookies,
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
        ),
    )
