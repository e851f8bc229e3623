"""Connecting in the client's own name, without a person. RFC 6749 section 4.4."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.client_credentials import (
    client_credentials_request,
    judge_client_credentials,
)
from igniter_connectors.core.oauth.dpop import KEY_OCTETS, new_dpop_key
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of
from igniter_connectors.core.oauth.state import config_digest
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import (
    BuildInvalid,
    ClientConnectProblem,
    ConfigInvalid,
    ProviderUnreachable,
    WrongWiring,
)
from igniter_connectors.flows.connections.connect import accept_config
from igniter_connectors.flows.connections.read_connection import open_connection
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.client_state import note_exchange
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.hold_revocations import holding_revocations
from igniter_connectors.flows.oauth.keep_grant import keep_grant, revoke_unusable
from igniter_connectors.flows.oauth.save_grant import NewGrant
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.tenant_http import oauth_http

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


@returns_database_failed
async def connect_as_client(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[Connection[Conf], ClientConnectProblem]:
    """Requests a token and saves it, unless a person's account is connected.

    Raises:
        WrongWiring: the application's client is a public client.
    """
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    found = _authenticating(connector, accepted.unwrap())
    if not is_successful(found):
        return Failure(found.failure())
    provider = found.unwrap()
    # A task of the manager: a caller that is cancelled must not cost the token.
    saved = await engine.owned_tasks.run(
        _request_and_save(engine, connector, key, accepted.unwrap(), provider)
    )
    if not is_successful(saved):
        return Failure(saved.failure())
    return open_connection(engine, connector, saved.unwrap())


async def _request_and_save(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    provider: OAuthProvider,
) -> Result[ConnectionRecord, ClientConnectProblem]:
    seen = config_digest(await engine.store.find(key))
    expected = await engine.store.last_grant(key)
    async with holding_revocations(engine, key, provider):
        dpop_key = new_dpop_key(engine.entropy.octets(KEY_OCTETS)) if provider.dpop else None
        request = client_credentials_request(provider, signing=engine.signing_context())
        answer = await send_bound(oauth_http(engine, key), request, dpop_key)
        if not is_successful(answer):
            return Failure(ProviderUnreachable(connector.key))
        response, now = answer.unwrap(), engine.clock.now()
        judged = judge_client_credentials(
            response, provider, connector=connector.key, received_at=now
        )
        note_exchange(engine, provider, key, judged)
        if not is_successful(judged):
            await revoke_unusable(engine, connector, key, config, provider, response)
            return Failure(judged.failure())
        new = NewGrant(
            config=config,
            provider=provider,
            tokens=replace(judged.unwrap(), dpop_key=dpop_key),
            expected_grant=expected,
            source="client_credentials",
            seen_config=seen,
        )
        return await keep_grant(engine, connector, key, new)


def _authenticating(
    connector: OAuthConnector[Conf, Ctx, Any], config: Conf
) -> Result[OAuthProvider, ConfigInvalid]:
    """The provider, if the client can authenticate to it."""
    resolved = provider_for(connector.provider, config, connector=connector.key)
    if not is_successful(resolved):
        fault = resolved.failure()
        return Failure(ConfigInvalid(connector.key, f"$.{fault.field}", fault.reason))
    provider = resolved.unwrap()
    if authentication_of(provider) != "none":
        return Success(provider)
    client = provider.tenant_client
    if client is None:
        raise WrongWiring(
            BuildInvalid(f"{connector.key}: client credentials need a client that authenticates")
        )
    return Failure(ConfigInvalid(connector.key, f"$.{client.secret_field}", "is required"))
