"""Beginning an authorization: the application gets a URL of our own start route."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.connector.validation import encode_json_to_seal
from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.http.routes import start_url
from igniter_connectors.core.http.safe_url import is_safe_return_path
from igniter_connectors.core.oauth.authorization_request import AuthorizationRequest
from igniter_connectors.core.oauth.state import (
    AuthorizationPayload,
    config_digest,
    subject_binding,
    ticket_hash,
)
from igniter_connectors.core.problem import (
    ConfigInvalid,
    EncryptFailed,
    NotConnected,
    ReauthorizeProblem,
    ReturnToInvalid,
)
from igniter_connectors.flows.connections.connect import accept_config
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.oauth.pending_authorization import save_authorization
from igniter_connectors.flows.sealing import NotOpened, open_config
from igniter_connectors.flows.store_errors import returns_database_failed

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


class AuthorizationOptions(msgspec.Struct, frozen=True):
    """The options of one authorization.

    Attributes:
        subject: Who is signed in to the application.
        return_to: Where the browser goes after the callback; "" means "/".
        oauth_scopes: Requested beside the scopes of the provider's definition.
        may_replace_account: If False, only the account that is connected may sign in.
        keep_config: If True, the stored config stays as it is at the callback.
    """

    subject: str
    return_to: str = ""
    oauth_scopes: tuple[str, ...] = ()
    may_replace_account: bool = False
    keep_config: bool = False


@returns_database_failed
async def authorize(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[AuthorizationRequest, ConfigInvalid | EncryptFailed | ReturnToInvalid]:
    """Stores what the callback will need, and returns the URL of our own start route.

    Raises:
        WrongWiring: the manager was built without a base URL.
    """
    base = base_url_of(engine)
    made = await new_payload(engine, connector, key, config, options)
    if not is_successful(made):
        return Failure(made.failure())
    ticket = encode_base64url(engine.entropy.octets(32))
    saved = await save_authorization(
        engine,
        key,
        made.unwrap(),
        handle_hash=ticket_hash(ticket),
        binding_hash=subject_binding(key.scope, key.identity, options.subject),
    )
    return saved.map(lambda _: AuthorizationRequest(start_url(base, connector.key, ticket)))


@returns_database_failed
async def reauthorize(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    options: AuthorizationOptions,
) -> Result[AuthorizationRequest, ReauthorizeProblem]:
    """As `authorize`, with the stored config and with the scopes that were granted before."""
    record = await engine.store.find(key)
    if record is None or record.grant is None:
        return Failure(NotConnected(connector.key, key.account))
    try:
        config = open_config(engine, connector, record)
    except NotOpened as error:
        return Failure(error.problem)
    scopes = tuple(dict.fromkeys((*record.grant.oauth_scopes, *options.oauth_scopes)))
    wider = replace(options, oauth_scopes=scopes, keep_config=True)
    return await authorize(engine, connector, key, config, wider)


async def new_payload(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    options: AuthorizationOptions,
) -> Result[AuthorizationPayload, ConfigInvalid | EncryptFailed | ReturnToInvalid]:
    """What the callback will need.

    The callback takes the tenant, the config and the subject from here alone, never from
    the browser's request.
    """
    return_to = options.return_to
    if return_to and not is_safe_return_path(return_to) and return_to not in engine.return_urls:
        return Failure(ReturnToInvalid(connector.key))
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    encoded = encode_json_to_seal(accepted.unwrap())
    if not is_successful(encoded):
        fault = encoded.failure()
        return Failure(ConfigInvalid(connector.key, fault.path, fault.reason))
    # Before the grant is read: an update in between then counts as one after this authorization.
    seen = config_digest(await engine.store.find(key))
    scopes = dict.fromkeys((*connector.provider.oauth_scopes, *options.oauth_scopes))
    return Success(
        AuthorizationPayload(
            subject=options.subject,
            config=encoded.unwrap(),
            oauth_scopes=tuple(scopes),
            return_to=return_to,
            expected_grant=await engine.store.last_grant(key),
            replace_account=options.may_replace_account,
            keeps_config=options.keep_config,
            seen_config=seen,
        )
    )
