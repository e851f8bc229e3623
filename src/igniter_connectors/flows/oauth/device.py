"""Connecting by a code that somebody types in on another device. RFC 8628."""

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
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.event import (
    AuthorizationCompleted,
    AuthorizationFailed,
    AuthorizationStarted,
    Connected,
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
from igniter_connectors.core.oauth.state import PendingAuthorization
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
from igniter_connectors.flows.connections.connect import accept_config, address
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.connect_granted import Granted, conflict, connect_granted
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.oauth.save_grant import mark_pending, unmark

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
V = TypeVar("V")

_LONGEST_MARK: Final = timedelta(hours=1)


@dataclass(slots=True)
class DeviceFlow(Generic[Conf]):
    """A code that was given, and what is kept until somebody typed it in.

    `device` changes with each try: a provider may ask for longer waits. `mark` holds back
    revocations meanwhile.
    """

    connector: OAuthConnector[Conf, Any, Any]
    key: ConnectionKey
    config: Conf
    provider: OAuthProvider
    expected_grant: str | None
    device: DeviceAuthorization
    dpop_key: Secret | None
    mark: PendingAuthorization | None
    replace_account: bool


async def begin_device(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    config: Conf,
    oauth_scopes: tuple[str, ...],
    *,
    replace_account: bool = False,
) -> Result[DeviceFlow[Conf], DeviceStartProblem]:
    """Asks the provider for a code (section 3.1).

    Unless `replace_account`, only the account that is connected may sign in with it.

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
    asked = tuple(dict.fromkeys((*connector.provider.oauth_scopes, *oauth_scopes)))
    provider = replace(resolved.unwrap(), oauth_scopes=asked)
    request = device_request(provider, signing=engine.new_moment())
    if request is None:
        raise WrongWiring(BuildInvalid(f"{connector.key} has no device_authorization_url"))
    expected = await engine.store.last_grant(key)
    answer = await engine.http.send(request)
    if not is_successful(answer):
        return Failure(ProviderUnreachable(connector.key))
    now = engine.clock.now()
    judged = judge_device(answer.unwrap(), connector=connector.key, received_at=now)
    if not is_successful(judged):
        return Failure(judged.failure())
    device = judged.unwrap()
    lifetime = min(device.expires_at - now, _LONGEST_MARK)
    flow = DeviceFlow(
        connector=connector,
        key=key,
        config=accepted.unwrap(),
        provider=provider,
        expected_grant=expected,
        device=device,
        dpop_key=new_dpop_key(engine.entropy.octets(KEY_OCTETS)) if provider.dpop else None,
        mark=await mark_pending(engine, key, provider, lifetime=lifetime),
        replace_account=replace_account,
    )
    engine.event_bus.publish(AuthorizationStarted(at=now, **address(key)))
    return Success(flow)


async def finish_device(
    engine: Engine, flow: DeviceFlow[Conf]
) -> Result[ConnectionRecord, DeviceProblem]:
    """Asks until somebody agreed or refused, or the code's time is over; then connects."""
    key = flow.key
    finished = await _until_decided(engine, flow)
    await unmark(engine, flow.mark)
    now = engine.clock.now()
    if not is_successful(finished):
        problem = finished.failure()
        engine.logger.warning("%s: authorization failed: %s", key.connector, problem.code)
        engine.event_bus.publish(AuthorizationFailed(at=now, code=problem.code, **address(key)))
        return Failure(problem)
    engine.event_bus.publish(AuthorizationCompleted(at=now, **address(key)))
    engine.event_bus.publish(Connected(at=now, **address(key)))
    return finished


async def _until_decided(
    engine: Engine, flow: DeviceFlow[Conf]
) -> Result[ConnectionRecord, DeviceProblem]:
    while True:
        left = flow.device.expires_at - engine.clock.now()
        wait = max(timedelta(), min(flow.device.interval, left))
        await engine.clock.sleep(wait.total_seconds())
        if engine.clock.now() >= flow.device.expires_at:
            return Failure(TokenRefused(flow.key.connector, "expired_token"))
        decided = await _to_its_end(_ask(engine, flow))
        if decided is not None:
            return decided


async def _ask(
    engine: Engine, flow: DeviceFlow[Conf]
) -> Result[ConnectionRecord, DeviceProblem] | None:
    """One try (section 3.4); None while nobody has decided."""
    key, provider = flow.key, flow.provider
    # As at a callback: a grant that nobody can store is none to ask for.
    if await engine.store.last_grant(key) != flow.expected_grant:
        return Failure(await conflict(engine, key))
    request = poll_request(provider, flow.device, signing=engine.new_moment())
    answer = await send_bound(engine, request, flow.dpop_key)
    judged = judge_poll(
        answer.unwrap() if is_successful(answer) else answer.failure(),
        provider,
        flow.device,
        connector=key.connector,
        received_at=engine.clock.now(),
    )
    if not is_successful(judged):
        return Failure(judged.failure())
    read = judged.unwrap()
    if isinstance(read, DeviceAuthorization):
        flow.device = read
        return None
    return await connect_granted(
        engine,
        flow.connector,
        key,
        Granted(
            config=flow.config,
            provider=provider,
            tokens=replace(read, dpop_key=flow.dpop_key),
            id_token=id_token_of(answer.unwrap()),
            nonce=None,
            expected_grant=flow.expected_grant,
            replace_account=flow.replace_account,
        ),
    )


async def _to_its_end(work: Coroutine[object, None, V]) -> V:
    """What the work returns. A caller that is cancelled waits for it all the same: an answer
    with tokens is stored, whoever is left to hear of it."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        _ = await asyncio.gather(task, return_exceptions=True)
        raise
