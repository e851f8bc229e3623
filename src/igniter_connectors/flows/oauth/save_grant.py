"""Saves tokens that a provider granted; if it cannot, it queues them for revocation."""

from __future__ import annotations

from typing import Any, Final, Generic, Literal

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.connector.definition import OAuthConnector
from igniter_connectors.core.oauth.identity_pinning import judge_identity
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.core.oauth.state import config_digest
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.problem import (
    ConfigInvalid,
    Conflict,
    EncryptFailed,
    IdentityMismatch,
)
from igniter_connectors.core.storable_text import storable_scopes
from igniter_connectors.flows.connections.disconnect import revocation_request
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import place_of, seal_config, seal_tokens

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")

_MAX_SAVES: Final = 20

GrantSource = Literal["authorization", "client_credentials", "adopted", "adopted_shared"]
"""Where the tokens come from: a person's authorization; the client's own credentials; or the
application, which adopts tokens that nobody else uses, or that others use too."""


class NewGrant(msgspec.Struct, Generic[Conf], frozen=True, kw_only=True):
    """Tokens, and the conditions under which they may be saved.

    Attributes:
        config: Stored beside the tokens.
        provider: Resolved with that config. Its scopes are those that were requested.
        tokens: What the provider granted.
        expected_grant: What `store.last_grant` returned when the authorization began. If it
            has changed, the tokens are not saved.
        source: Where the tokens come from.
        account: Whose account the tokens are for; None if it is not known.
        may_replace_account: If False, only the account that is connected is accepted.
        keep_config: If True, a config that is already stored stays.
        seen_config: The `config_digest` of the row when the authorization began. If the row has
            another one now, somebody saved a newer config, which stays. None if there was no
            row, or if this config is the newest.
        grant_id: The id of the new grant; "" for a random one.
    """

    config: Conf
    provider: OAuthProvider
    tokens: TokenSet
    expected_grant: str | None
    source: GrantSource = "authorization"
    account: UpstreamAccount | None = None
    may_replace_account: bool = False
    keep_config: bool = False
    seen_config: bytes | None = None
    grant_id: str = ""


async def save_grant(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    new: NewGrant[Conf],
) -> Result[ConnectionRecord, IdentityMismatch | ConfigInvalid | EncryptFailed | Conflict]:
    """Judges whose account the tokens are for, and stores the grant.

    If the grant cannot be stored, its tokens are queued for revocation, since nobody else
    knows them. Adopted tokens are the application's own and are not revoked.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    problem: IdentityMismatch | ConfigInvalid | EncryptFailed | None = None
    for _ in range(_MAX_SAVES):
        stored = await engine.store.find(key)
        if (
            stored is not None
            and stored.grant is not None
            and stored.grant.grant_id == new.grant_id
        ):
            return Success(stored)  # an earlier attempt was committed, and its answer was lost
        problem = judge_identity(
            stored.grant if stored is not None else None,
            new.account,
            replace_account=new.may_replace_account,
            connector=key.connector,
        )
        if problem is not None:
            break
        made = _new_record(engine, connector, key, new, stored)
        if not is_successful(made):
            problem = made.failure()
            break
        record = made.unwrap()
        if await engine.store.save_authorized(
            record,
            expected_grant=new.expected_grant,
            revocation=revocation_request(engine, connector),
            keep_config=stored is not None and _keeps_config(new, stored),
            version=stored.version if stored is not None else None,
        ):
            engine.revocation_queued.set()
            return Success(record if stored is None else _as_written(record, new, stored))
        # A refresh of the grant that this one replaces may have raised the generation, or an
        # update the version: that is no reason to throw the authorization away.
        if await engine.store.last_grant(key) != new.expected_grant:
            break
    refused = problem or await conflict(engine, key)
    pending = unsaved_revocation(engine, connector, key, new)
    request = revocation_request(engine, connector)
    if pending is not None and request is not None:
        await engine.store.revocations.add(pending, due_in=request.due_in)
        engine.revocation_queued.set()
    return Failure(refused)


def _as_written(
    record: ConnectionRecord, new: NewGrant[Conf], stored: ConnectionRecord
) -> ConnectionRecord:
    """The row after its grant was replaced: what `save_authorized` keeps of the stored row."""
    keeps = _keeps_config(new, stored)
    return replace(
        record,
        version=stored.version + 1,
        created_at=stored.created_at,
        enabled=stored.enabled,
        public_config=stored.public_config if keeps else record.public_config,
        sealed_config=stored.sealed_config if keeps else record.sealed_config,
    )


def _keeps_config(new: NewGrant[Conf], stored: ConnectionRecord) -> bool:
    """Whether the row's config stays: on request, or if it is newer than the authorization."""
    is_newer = new.seen_config is not None and config_digest(stored) != new.seen_config
    return new.keep_config or is_newer


async def conflict(engine: Engine, key: ConnectionKey) -> Conflict:
    """The problem if another authorization or a disconnect came first; with the version that is
    stored now."""
    stored = await engine.store.find(key)
    return Conflict(key.connector, stored.version if stored is not None else None)


def _new_record(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    new: NewGrant[Conf],
    stored: ConnectionRecord | None,
) -> Result[ConnectionRecord, ConfigInvalid | EncryptFailed]:
    """The row to write: a new row, or the stored one with the next generation."""
    row = stored.id if stored is not None else engine.new_id()
    sealed = seal_config(engine, connector, new.config, place_of("config", key, row))
    if not is_successful(sealed):
        return Failure(sealed.failure())
    generation = stored.grant.generation + 1 if stored is not None and stored.grant else 1
    granted = _new_grant(engine, new, key=key, row=row, generation=generation)
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
            grant=granted.unwrap(),
        )
    )


def _new_grant(
    engine: Engine,
    new: NewGrant[Conf],
    *,
    key: ConnectionKey,
    row: str,
    generation: int,
) -> Result[Grant, EncryptFailed]:
    """The tokens as a grant with an id of its own.

    Tokens of the client itself are refreshable without a refresh token: the client asks
    for new ones.
    """
    provider, tokens, account = new.provider, new.tokens, new.account
    sealed = seal_tokens(engine, tokens, key, row=row, generation=generation)
    if not is_successful(sealed):
        return Failure(sealed.failure())
    # An absent scope means: as requested (RFC 6749 section 5.1).
    scopes = storable_scopes(
        provider.oauth_scopes if tokens.oauth_scopes is None else tokens.oauth_scopes
    )
    return Success(
        Grant(
            sealed_tokens=sealed.unwrap(),
            generation=generation,
            grant_id=new.grant_id or engine.new_id(),
            oauth_scopes=scopes,
            refreshable=new.source == "client_credentials" or tokens.refresh_token is not None,
            refreshed_at=engine.clock.now(),
            expires_at=tokens.expires_at,
            subject=account.subject if account is not None else None,
            profile=msgspec.json.encode(account),
            is_shared=new.source == "adopted_shared",
            client_id=provider.client_id,
            token_url=provider.token_url,
            refresh_expires_at=tokens.refresh_expires_at,
        )
    )


def unsaved_revocation(
    engine: Engine,
    connector: OAuthConnector[Conf, Ctx, Any],
    key: ConnectionKey,
    new: NewGrant[Conf],
) -> PendingRevocation | None:
    """The revocation of tokens that no row will ever hold.

    None for adopted tokens, which are the application's own, or if the provider cannot revoke.
    """
    request = revocation_request(engine, connector)
    if request is None or new.source in ("adopted", "adopted_shared"):
        return None
    row = engine.new_id()
    sealed = seal_config(engine, connector, new.config, place_of("config", key, row))
    granted = _new_grant(engine, new, key=key, row=row, generation=1)
    if not is_successful(sealed) or not is_successful(granted):
        return None
    return PendingRevocation(request.id, key, row, *sealed.unwrap(), granted.unwrap())
