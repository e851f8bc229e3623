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

from igniter_connectors.core.connection import (
    ConnectionKey,
    ConnectionRecord,
    UpstreamAccount,
)
from igniter_connectors.core.connector import OAuthConnector
from igniter_connectors.core.oauth.identity import judge_identity
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.oauth.token import TokenSet
from igniter_connectors.core.problem import (
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    IdentityMismatch,
)
from igniter_connectors.flows.connect import handover
from igniter_connectors.flows.grant import new_grant
from igniter_connectors.flows.runtime import Runtime
from igniter_connectors.flows.seal import place_of, seal_config
from igniter_connectors.ports import StoreUnavailable

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_SAVE_TRIES: Final = 5

# Two requests to the provider and the commits, with room to spare.
_LONGEST_CALLBACK: Final = timedelta(minutes=1)


class Authorized(msgspec.Struct, Generic[Conf], frozen=True):
    """Tokens, for whom they are, and the conditions under which they may be stored.

    `expected_grant` is what `last_grant` said when this began. `is_shared`: adopted tokens
    that somebody else uses too. `is_client_s`: tokens in the client's own name.
    """

    config: Conf
    provider: OAuthProvider
    tokens: TokenSet
    account: UpstreamAccount | None
    expected_grant: str | None
    replace_account: bool
    keeps_config: bool = False
    is_shared: bool = False
    is_client_s: bool = False


async def save_authorized(
    runtime: Runtime,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    authorized: Authorized[Conf],
) -> Result[ConnectionRecord, IdentityMismatch | ConfigInvalid | EncryptFailed | Conflict]:
    """Writes the grant where the one that it began with still stands; identity is judged first."""
    expected = authorized.expected_grant
    for _ in range(_SAVE_TRIES):
        known = await runtime.store.find(key)
        judged = judge_identity(
            known.grant if known is not None else None,
            authorized.account,
            replace_account=authorized.replace_account,
            connector=key.connector,
        )
        if judged is not None:
            return Failure(judged)
        made = _record(runtime, connector, key, authorized, known)
        if not is_successful(made):
            return Failure(made.failure())
        record = made.unwrap()
        if await runtime.store.save_authorized(
            record,
            expected_grant=expected,
            handover=handover(runtime, connector),
            keep_config=authorized.keeps_config and known is not None,
        ):
            runtime.handed_over.ring()
            return Success(record)
        # A refresh of the very grant that this one replaces may have raised the generation
        # meanwhile: that is no reason to throw an authorization away.
        if await runtime.store.last_grant(key) != expected:
            break
    known = await runtime.store.find(key)
    return Failure(Conflict(key.connector, known.version if known is not None else None))


def _record(
    runtime: Runtime,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    authorized: Authorized[Conf],
    known: ConnectionRecord | None,
) -> Result[ConnectionRecord, ConfigInvalid | EncryptFailed]:
    row = known.id if known is not None else runtime.new_id()
    sealed = seal_config(runtime, connector, authorized.config, place_of("config", key, row))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    generation = known.grant.generation + 1 if known is not None and known.grant else 1
    granted = new_grant(
        runtime,
        authorized.provider,
        authorized.tokens,
        authorized.account,
        key=key,
        row=row,
        generation=generation,
        is_client_s=authorized.is_client_s,
    )
    if not is_successful(granted):
        return Failure(granted.failure())
    public_config, sealed_config = sealed.unwrap()
    now = runtime.clock.now()
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
    runtime: Runtime,
    connector: OAuthConnector[Conf, Ctx, Any],
    provider: OAuthProvider,
    key: ConnectionKey,
    config: Conf,
    tokens: TokenSet,
    account: UpstreamAccount | None,
) -> None:
    """Hands tokens over that were granted and that no row will ever name."""
    over = handover(runtime, connector)
    if over is None:
        return
    row = runtime.new_id()
    sealed = seal_config(runtime, connector, config, place_of("config", key, row))
    granted = new_grant(runtime, provider, tokens, account, key=key, row=row, generation=1)
    if not is_successful(sealed) or not is_successful(granted):
        return
    pending = PendingRevocation(over.id, key, row, *sealed.unwrap(), granted.unwrap())
    await runtime.store.revocations.add(pending, due_in=over.due_in)
    runtime.handed_over.ring()


@asynccontextmanager
async def marked_pending(
    runtime: Runtime, key: ConnectionKey, provider: OAuthProvider
) -> AsyncGenerator[None, None]:
    """Holds back revocations while tokens are on their way from the provider into a row.

    No state is stored that would tell that an authorization is pending; a grant revoked in
    between could be the very one that is being made anew.
    """
    mark = await mark_pending(runtime, key, provider, lifetime=_LONGEST_CALLBACK)
    try:
        yield
    finally:
        await unmark(runtime, mark)


async def mark_pending(
    runtime: Runtime, key: ConnectionKey, provider: OAuthProvider, *, lifetime: timedelta
) -> PendingAuthorization | None:
    """As `marked_pending`, until `unmark` or for `lifetime`; None where nothing is revoked."""
    if provider.revocation_url is None:
        return None
    handle, binding = runtime.entropy.octets(32), runtime.entropy.octets(32)
    mark = PendingAuthorization(handle, binding, runtime.new_id(), key, b"")
    await runtime.store.add_authorization(mark, lifetime=lifetime)
    return mark


async def unmark(runtime: Runtime, mark: PendingAuthorization | None) -> None:
    """Takes a mark away; where the database does not answer, it ends by itself."""
    if mark is not None:
        with suppress(StoreUnavailable):
            _ = await runtime.store.take_authorization(mark.handle_hash, mark.binding_hash)
