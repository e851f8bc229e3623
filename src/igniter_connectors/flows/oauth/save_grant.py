"""Storing tokens that were just granted or adopted, or giving them up again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, Generic

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.identity_pinning import judge_identity
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    IdentityMismatch,
)
from igniter_connectors.flows.connections.connect import revocation_request
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.new_grant import new_grant
from igniter_connectors.flows.sealing import place_of, seal_config
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_SAVE_TRIES: Final = 5

# Two requests to the provider and the commits, with room to spare.
_LONGEST_CALLBACK: Final = timedelta(minutes=1)


class Authorized(msgspec.Struct, Generic[Conf], frozen=True):
    """Tokens, for whom they are, and the conditions under which they may be stored.

    `expected_grant` is what `last_grant` said when this began. `is_shared`: adopted tokens
    that somebody else uses too. `is_client_credentials`: tokens in the client's own name.
    """

    config: Conf
    provider: OAuthProvider
    tokens: TokenSet
    account: UpstreamAccount | None
    expected_grant: str | None
    replace_account: bool
    keeps_config: bool = False
    is_shared: bool = False
    is_client_credentials: bool = False


async def save_authorized(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    authorized: Authorized[Conf],
) -> Result[ConnectionRecord, IdentityMismatch | ConfigInvalid | EncryptFailed | Conflict]:
    """Writes the grant where the one that it began with still stands; identity is judged first."""
    expected = authorized.expected_grant
    for _ in range(_SAVE_TRIES):
        known = await engine.store.find(key)
        judged = judge_identity(
            known.grant if known is not None else None,
            authorized.account,
            replace_account=authorized.replace_account,
            connector=key.connector,
        )
        if judged is not None:
            return Failure(judged)
        made = _record(engine, connector, key, authorized, known)
        if not is_successful(made):
            return Failure(made.failure())
        record = made.unwrap()
        if await engine.store.save_authorized(
            record,
            expected_grant=expected,
            revocation=revocation_request(engine, connector),
            keep_config=authorized.keeps_config and known is not None,
        ):
            engine.revocation_queued.set()
            return Success(record)
        # A refresh of the very grant that this one replaces may have raised the generation
        # meanwhile: that is no reason to throw an authorization away.
        if await engine.store.last_grant(key) != expected:
            break
    known = await engine.store.find(key)
    return Failure(Conflict(key.connector, known.version if known is not None else None))


def _record(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    authorized: Authorized[Conf],
    known: ConnectionRecord | None,
) -> Result[ConnectionRecord, ConfigInvalid | EncryptFailed]:
    row = known.id if known is not None else engine.new_id()
    sealed = seal_config(engine, connector, authorized.config, place_of("config", key, row))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    generation = known.grant.generation + 1 if known is not None and known.grant else 1
    granted = new_grant(
        engine,
        authorized.provider,
        authorized.tokens,
        authorized.account,
        key=key,
        row=row,
        generation=generation,
        is_client_credentials=authorized.is_client_credentials,
    )
    if not is_successful(granted):
        return Failure(granted.failure())
    public_config, sealed_config = sealed.unwrap()
    now = engine.clock.now()
    return Success(
        ConnectionRecord(
            key=key,
            id=row,
            public_config=public_config,
            sealed_config=sealed_config,
            enabled=True,
            version=1,
            created_at=now,
            updated_at=now,
            grant=replace(granted.unwrap(), is_shared=authorized.is_shared),
        )
    )


async def abandon(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    provider: OAuthProvider,
    key: ConnectionKey,
    config: Conf,
    tokens: TokenSet,
    account: UpstreamAccount | None,
) -> None:
    """Queues for revocation granted tokens that no row will ever hold."""
    request = revocation_request(engine, connector)
    if request is None:
        return
    row = engine.new_id()
    sealed = seal_config(engine, connector, config, place_of("config", key, row))
    granted = new_grant(engine, provider, tokens, account, key=key, row=row, generation=1)
    if not is_successful(sealed) or not is_successful(granted):
        return
    pending = PendingRevocation(request.id, key, row, *sealed.unwrap(), granted.unwrap())
    await engine.store.revocations.add(pending, due_in=request.due_in)
    engine.revocation_queued.set()


@asynccontextmanager
async def marked_pending(
    engine: Engine, key: ConnectionKey, provider: OAuthProvider
) -> AsyncGenerator[None, None]:
    """Holds back revocations while tokens are on their way from the provider into a row.

    No state is stored that would tell that an authorization is pending; a grant revoked in
    between could be the very one that is being made anew.
    """
    mark = await mark_pending(engine, key, provider, lifetime=_LONGEST_CALLBACK)
    try:
        yield
    finally:
        await unmark(engine, mark)


async def mark_pending(
    engine: Engine, key: ConnectionKey, provider: OAuthProvider, *, lifetime: timedelta
) -> PendingAuthorization | None:
    """As `marked_pending`, until `unmark` or for `lifetime`; None where nothing is revoked."""
    if provider.revocation_url is None:
        return None
    handle, binding = engine.entropy.octets(32), engine.entropy.octets(32)
    mark = PendingAuthorization(handle, binding, engine.new_id(), key, b"")
    await engine.store.add_authorization(mark, lifetime=lifetime)
    return mark


async def unmark(engine: Engine, mark: PendingAuthorization | None) -> None:
    """Takes a mark away; where the database does not answer, it ends by itself."""
    if mark is not None:
        with suppress(StoreUnavailable):
            _ = await engine.store.take_authorization(mark.handle_hash, mark.binding_hash)
