"""Connecting in the client's own name, where no person is asked. RFC 6749 section 4.4."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import Connected
from igniter_connectors.core.oauth.client_credentials import (
    client_credentials_request,
    judge_client_credentials,
)
from igniter_connectors.core.oauth.dpop import KEY_OCTETS, new_dpop_key
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    BuildInvalid,
    ClientConnectProblem,
    ConfigInvalid,
    ExchangeProblem,
    ProviderUnreachable,
    WrongWiring,
)
from igniter_connectors.flows.connections.connect import accept_config, address
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.save_grant import (
    Authorized,
    abandon,
    marked_pending,
    save_authorized,
)

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")


async def connect_as_client(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
) -> Result[ConnectionRecord, ClientConnectProblem]:
    """Asks for a token and stores it, where no person's account is connected.

    Raises:
        WrongWiring: the application's client is a public one.
    """
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    found = _authenticating(connector, accepted.unwrap())
    if not is_successful(found):
        return Failure(found.failure())
    provider = found.unwrap()
    expected = await engine.store.last_grant(key)
    async with marked_pending(engine, key, provider):
        granted = await _ask(engine, provider, connector.key)
        if not is_successful(granted):
            return Failure(granted.failure())
        tokens = granted.unwrap()
        authorized = Authorized(
            config=accepted.unwrap(),
            provider=provider,
            tokens=tokens,
            account=None,
            expected_grant=expected,
            replace_account=False,
            is_client_credentials=True,
        )
        saved = await save_authorized(engine, connector, key, authorized)
        if not is_successful(saved):
            await abandon(engine, connector, provider, key, accepted.unwrap(), tokens, None)
            return Failure(saved.failure())
    engine.event_bus.publish(Connected(at=engine.clock.now(), **address(key)))
    return Success(saved.unwrap())


async def _ask(
    engine: Engine, provider: OAuthProvider, connector: str
) -> Result[TokenSet, ExchangeProblem]:
    bound_to = new_dpop_key(engine.entropy.octets(KEY_OCTETS)) if provider.dpop else None
    request = client_credentials_request(provider, signing=engine.new_moment())
    answer = await send_bound(engine, request, bound_to)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(connector))
    judged = judge_client_credentials(
        answer.unwrap(), provider, connector=connector, received_at=engine.clock.now()
    )
    if not is_successful(judged):
        return Failure(judged.failure())
    return Success(replace(judged.unwrap(), dpop_key=bound_to))


def _authenticating(
    connector: OAuthConnector[Conf, Ctx, Any], config: Conf
) -> Result[OAuthProvider, ConfigInvalid]:
    """The provider, with a client that has something to prove itself with."""
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
