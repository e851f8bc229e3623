"""Connecting by a code that a person enters on another device. RFC 8628."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import (
    AuthorizationFailed,
    AuthorizationStarted,
)
from igniter_connectors.core.oauth.device_authorization import (
    DeviceAuthorization,
    device_request,
    judge_device,
    judge_poll,
    poll_request,
)
from igniter_connectors.core.oauth.dpop import KEY_OCTETS, new_dpop_key
from igniter_connectors.core.oauth.id_token import id_token_of
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.state import PendingAuthorization, config_digest
from igniter_connectors.core.oauth.tenant_provider import provider_for
from igniter_connectors.core.problem import (
    BuildInvalid,
    ConfigInvalid,
    DeviceProblem,
    DeviceStartProblem,
    ProviderUnreachable,
    TokenRefused,
    WrongWiring,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.flows.connections.connect import accept_config
from igniter_connectors.flows.connections.read_connection import open_connection
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.find_account import find_account
from igniter_connectors.flows.oauth.hold_revocations import hold_revocations, release_revocations
from igniter_connectors.flows.oauth.keep_grant import keep_grant, revoke_unsaved, revoke_unusable
from igniter_connectors.flows.oauth.save_grant import NewGrant, conflict
from igniter_connectors.flows.store_errors import returns_database_failed
from igniter_connectors.flows.tenant_http import oauth_http

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
V = TypeVar("V")

_MAX_HOLD: Final = timedelta(hours=1)


@dataclass(slots=True)
class DeviceFlow(Generic[Conf]):
    """An authorization that waits for a person to enter a code.

    Attributes:
        device: The code. Changes with each poll: a provider may ask for a longer interval.
        hold: Holds back revocations meanwhile; None if the provider cannot revoke.
    """

    connector: OAuthConnector[Conf, Any, Any]
    key: ConnectionKey
    config: Conf
    provider: OAuthProvider
    expected_grant: str | None
    device: DeviceAuthorization
    dpop_key: Secret | None
    hold: PendingAuthorization | None
    may_replace_account: bool
    seen_config: bytes | None


@returns_database_failed
async def begin(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    oauth_scopes: tuple[str, ...],
    *,
    may_replace_account: bool = False,
) -> Result[DeviceFlow[Conf], DeviceStartProblem]:
    """Requests a code from the provider (section 3.1).

    Unless `may_replace_account`, only the account that is connected may sign in.

    Raises:
        WrongWiring: the provider has no `device_authorization_url`.
    """
    accepted = await accept_config(engine, connector, key, config)
    if not is_successful(accepted):
        return Failure(accepted.failure())
    resolved = provider_for(connector.provider, accepted.unwrap(), connector=connector.key)
    if not is_successful(resolved):
        fault = resolved.failure()
        return Failure(ConfigInvalid(connector.key, f"$.{fault.field}", fault.reason))
    scopes = tuple(dict.fromkeys((*connector.provider.oauth_scopes, *oauth_scopes)))
    provider = replace(resolved.unwrap(), oauth_scopes=scopes)
    request = device_request(provider, signing=engine.signing_context())
    if request is None:
        raise WrongWiring(BuildInvalid(f"{connector.key} has no device_authorization_url"))
    # Before the grant is read: an update in between then counts as one after this authorization.
    seen = config_digest(await engine.store.find(key))
    expected = await engine.store.last_grant(key)
    answer = await oauth_http(engine, key).send(request)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(connector.key))
    now = engine.clock.now()
    judged = judge_device(answer.unwrap(), connector=connector.key, received_at=now)
    if not is_successful(judged):
        return Failure(judged.failure())
    device = judged.unwrap()
    lifetime = min(device.expires_at - now, _MAX_HOLD)
    flow = DeviceFlow(
        connector=connector,
        key=key,
        config=accepted.unwrap(),
        provider=provider,
        expected_grant=expected,
        device=device,
        dpop_key=new_dpop_key(engine.entropy.octets(KEY_OCTETS)) if provider.dpop else None,
        hold=await hold_revocations(engine, key, provider, lifetime=lifetime),
        may_replace_account=may_replace_account,
        seen_config=seen,
    )
    engine.event_bus.publish(AuthorizationStarted(at=now, **event_fields(key)))
    return Success(flow)


@returns_database_failed
async def finish(engine: Engine, flow: DeviceFlow[Conf]) -> Result[Connection[Conf], DeviceProblem]:
    """Polls until the person agreed or refused, or until the code expires; then connects."""
    key = flow.key
    finished = await _until_decided(engine, flow)
    await release_revocations(engine, flow.hold)
    if not is_successful(finished):
        now = engine.clock.now()
        problem = finished.failure()
        engine.logger.warning("%s: authorization failed: %s", key.connector, problem.code)
        engine.event_bus.publish(
            AuthorizationFailed(at=now, code=problem.code, **event_fields(key))
        )
        return Failure(problem)
    return open_connection(engine, flow.connector, finished.unwrap())


async def _until_decided(
    engine: Engine, flow: DeviceFlow[Conf]
) -> Result[ConnectionRecord, DeviceProblem]:
    while True:
        left = flow.device.expires_at - engine.clock.now()
        wait = max(timedelta(), min(flow.device.interval, left))
        await engine.clock.sleep(wait.total_seconds())
        if engine.clock.now() >= flow.device.expires_at:
            return Failure(TokenRefused(flow.key.connector, "expired_token"))
        decided = await _uninterrupted(engine, _poll(engine, flow))
        if decided is not None:
            return decided


async def _poll(
    engine: Engine, flow: DeviceFlow[Conf]
) -> Result[ConnectionRecord, DeviceProblem] | None:
    """One poll (section 3.4); None while the person has not decided."""
    key, provider = flow.key, flow.provider
    # As at a callback: if the grant has changed, the tokens could not be stored.
    if await engine.store.last_grant(key) != flow.expected_grant:
        return Failure(await conflict(engine, key))
    request = poll_request(provider, flow.device, signing=engine.signing_context())
    answer = await send_bound(oauth_http(engine, key), request, flow.dpop_key)
    judged = judge_poll(
        answer.unwrap() if is_successful(answer) else answer.failure(),
        provider,
        flow.device,
        connector=key.connector,
        received_at=engine.clock.now(),
    )
    if not is_successful(judged):
        if is_successful(answer):
            await revoke_unusable(
                engine, flow.connector, key, flow.config, provider, answer.unwrap()
            )
        return Failure(judged.failure())
    read = judged.unwrap()
    if isinstance(read, DeviceAuthorization):
        flow.device = read
        return None
    new = NewGrant(
        config=flow.config,
        provider=provider,
        tokens=replace(read, dpop_key=flow.dpop_key),
        expected_grant=flow.expected_grant,
        may_replace_account=flow.may_replace_account,
        seen_config=flow.seen_config,
    )
    account = await find_account(
        engine,
        provider,
        new.tokens,
        key=key,
        id_token=id_token_of(answer.unwrap()),
    )
    if not is_successful(account):
        await revoke_unsaved(engine, flow.connector, key, new)
        return Failure(account.failure())
    return await keep_grant(engine, flow.connector, key, replace(new, account=account.unwrap()))


async def _uninterrupted(engine: Engine, work: Coroutine[object, None, V]) -> V:
    """Runs the work to its end, even if the caller is cancelled: tokens that arrive are stored."""
    task = engine.owned_tasks.start(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        _ = await asyncio.gather(task, return_exceptions=True)
        raise
