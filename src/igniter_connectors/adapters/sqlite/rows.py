"""Between SQLite's rows and the records of core."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import msgspec

from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import StoreUnavailable

R = TypeVar("R", bound=msgspec.Struct)

# What sqlite3 gives and takes.
Value = None | int | str | bytes

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

CONNECTION: Final = (
    "scope, identity, connector, account, id, public_config, sealed_config, enabled, version,"
    " created_at, updated_at, status, failures, next_attempt_at, lease_owner, unresolved,"
    " grant_id, generation, sealed_tokens, oauth_scopes, refreshable, refreshed_at, expires_at,"
    " subject, profile, client_id, token_url, refresh_expires_at, is_shared"
)
CONNECTION_WIDTH: Final = CONNECTION.count(",") + 1
GRANT: Final = CONNECTION[CONNECTION.index("grant_id") :]
REVOCATION: Final = (
    "id, scope, identity, connector, account, connection_id, public_config, sealed_config,"
    f" attempts, {GRANT}"
)
REVOCATION_WIDTH: Final = REVOCATION.count(",") + 1
_GRANT_WIDTH: Final = GRANT.count(",") + 1
_BEFORE_GRANT: Final = CONNECTION_WIDTH - _GRANT_WIDTH
_BEFORE_REVOKED: Final = REVOCATION_WIDTH - _GRANT_WIDTH
AUTHORIZATION: Final = (
    "handle_hash, binding_hash, id, scope, identity, connector, account, sealed_payload"
)
ENDPOINT: Final = (
    "token_hash, id, scope, identity, connector, account, connection_id, sealed_secret,"
    " created_at, valid_until, sealed_previous, previous_until"
)
ENDPOINT_WIDTH: Final = ENDPOINT.count(",") + 1


class _GrantRow(msgspec.Struct, array_like=True):
    grant_id: str | None
    generation: int | None
    sealed_tokens: bytes | None
    oauth_scopes: str | None
    refreshable: int | None
    refreshed_at: int | None
    expires_at: int | None
    subject: str | None
    profile: bytes | None
    client_id: str
    token_url: str
    refresh_expires_at: int | None
    is_shared: int


class _RevocationRow(msgspec.Struct, array_like=True):
    id: str
    scope: str
    identity: str
    connector: str
    account: str
    connection_id: str
    public_config: bytes
    sealed_config: bytes
    attempts: int


class _ConnectionRow(msgspec.Struct, array_like=True):
    scope: str
    identity: str
    connector: str
    account: str
    id: str
    public_config: bytes
    sealed_config: bytes
    enabled: int
    version: int
    created_at: int
    updated_at: int
    status: Status
    failures: int
    next_attempt_at: int | None
    lease_owner: str | None
    unresolved: int


class _EndpointRow(msgspec.Struct, array_like=True):
    token_hash: bytes
    id: str
    scope: str
    identity: str
    connector: str
    account: str
    connection_id: str
    sealed_secret: bytes
    created_at: int
    valid_until: int | None
    sealed_previous: bytes | None
    previous_until: int | None


class _LeaseRow(msgspec.Struct, array_like=True):
    id: str
    owner: str
    sealed_tokens: bytes
    generation: int
    failures: int
    unresolved_before: int


class _AuthorizationRow(msgspec.Struct, array_like=True):
    handle_hash: bytes
    binding_hash: bytes
    id: str
    scope: str
    identity: str
    connector: str
    account: str
    sealed_payload: bytes


def to_micros(instant: datetime) -> int:
    """An aware instant as whole microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def maybe_micros(instant: datetime | None) -> int | None:
    """`to_micros`, and None for None."""
    return None if instant is None else to_micros(instant)


def connection_values(record: ConnectionRecord) -> tuple[Value, ...]:
    """A record as the values of `CONNECTION`."""
    key = record.key
    return (
        key.scope,
        key.identity,
        key.connector,
        key.account,
        record.id,
        record.public_config,
        record.sealed_config,
        int(record.enabled),
        record.version,
        to_micros(record.created_at),
        to_micros(record.updated_at),
        record.status,
        record.failures,
        maybe_micros(record.next_attempt_at),
        record.lease_owner,
        int(record.unresolved),
        *grant_values(record.grant),
    )


def grant_values(grant: Grant | None) -> tuple[Value, ...]:
    """A grant as the values of `GRANT`."""
    if grant is None:
        return (*(None,) * 9, "", "", None, 0)
    return (
        grant.grant_id,
        grant.generation,
        grant.sealed_tokens,
        msgspec.json.encode(grant.oauth_scopes).decode(),
        int(grant.refreshable),
        to_micros(grant.refreshed_at),
        maybe_micros(grant.expires_at),
        grant.subject,
        grant.profile,
        grant.client_id,
        grant.token_url,
        maybe_micros(grant.refresh_expires_at),
        int(grant.is_shared),
    )


def to_connection(row: Sequence[Value]) -> ConnectionRecord:
    """A row of `CONNECTION` as a record.

    Raises:
        StoreUnavailable: the row is not of this schema.
    """
    r = read(row[:_BEFORE_GRANT], _ConnectionRow)
    grant = _to_grant(row[_BEFORE_GRANT:])
    return ConnectionRecord(
        ConnectionKey(r.scope, r.identity, r.connector, r.account),
        r.id,
        r.public_config,
        r.sealed_config,
        bool(r.enabled),
        r.version,
        instant(r.created_at),
        instant(r.updated_at),
        r.status,
        grant,
        r.failures,
        maybe_instant(r.next_attempt_at),
        r.lease_owner,
        bool(r.unresolved),
    )


def _to_grant(row: Sequence[Value]) -> Grant | None:
    r = read(row, _GrantRow)
    if r.grant_id is None or r.sealed_tokens is None or r.refreshed_at is None:
        return None
    return Grant(
        r.sealed_tokens,
        r.generation or 0,
        r.grant_id,
        msgspec.json.decode(r.oauth_scopes or "[]", type=tuple[str, ...]),
        bool(r.refreshable),
        instant(r.refreshed_at),
        maybe_instant(r.expires_at),
        r.subject,
        r.profile or b"null",
        r.client_id,
        r.token_url,
        maybe_instant(r.refresh_expires_at),
        bool(r.is_shared),
    )


def revocation_values(pending: PendingRevocation) -> tuple[Value, ...]:
    """A revocation as the values of `REVOCATION`."""
    key = pending.key
    return (
        pending.id,
        key.scope,
        key.identity,
        key.connector,
        key.account,
        pending.row,
        pending.public_config,
        pending.sealed_config,
        pending.attempts,
        *grant_values(pending.grant),
    )


def to_revocation(row: Sequence[Value]) -> PendingRevocation:
    """A row of `REVOCATION` as a record."""
    r = read(row[:_BEFORE_REVOKED], _RevocationRow)
    grant = _to_grant(row[_BEFORE_REVOKED:])
    if grant is None:
        raise StoreUnavailable("SQLite: a row is not of this schema")
    key = ConnectionKey(r.scope, r.identity, r.connector, r.account)
    return PendingRevocation(
        r.id, key, r.connection_id, r.public_config, r.sealed_config, grant, r.attempts
    )


def endpoint_values(endpoint: EndpointRecord) -> tuple[Value, ...]:
    """An endpoint as the values of `ENDPOINT`."""
    key = endpoint.key
    return (
        endpoint.token_hash,
        endpoint.id,
        key.scope,
        key.identity,
        key.connector,
        key.account,
        endpoint.connection_id,
        endpoint.sealed_secret,
        to_micros(endpoint.created_at),
        maybe_micros(endpoint.valid_until),
        endpoint.sealed_previous,
        maybe_micros(endpoint.previous_until),
    )


def to_endpoint(row: Sequence[Value]) -> EndpointRecord:
    """A row of `ENDPOINT` as a record."""
    r = read(row, _EndpointRow)
    return EndpointRecord(
        r.token_hash,
        r.id,
        ConnectionKey(r.scope, r.identity, r.connector, r.account),
        r.connection_id,
        r.sealed_secret,
        instant(r.created_at),
        maybe_instant(r.valid_until),
        r.sealed_previous,
        maybe_instant(r.previous_until),
    )


def to_authorization(row: Sequence[Value]) -> PendingAuthorization:
    """A row of `AUTHORIZATION` as a record."""
    r = read(row, _AuthorizationRow)
    key = ConnectionKey(r.scope, r.identity, r.connector, r.account)
    return PendingAuthorization(r.handle_hash, r.binding_hash, r.id, key, r.sealed_payload)


def to_lease(row: Sequence[Value]) -> Lease:
    """What took the lease returned."""
    r = read(row, _LeaseRow)
    return Lease(
        r.id, r.owner, r.sealed_tokens, r.generation, r.failures, bool(r.unresolved_before)
    )


def read(row: Sequence[Value], kind: type[R]) -> R:
    """A row as a struct of its columns.

    Raises:
        StoreUnavailable: the row is not of this schema.
    """
    try:
        return msgspec.convert(row, kind, builtin_types=(bytes,))
    except msgspec.ValidationError:
        raise StoreUnavailable("SQLite: a row is not of this schema") from None


def instant(micros: int) -> datetime:
    """Whole microseconds since 1970 as an aware instant."""
    return _EPOCH + timedelta(microseconds=micros)


def maybe_instant(micros: int | None) -> datetime | None:
    """`instant`, and None for None."""
    return None if micros is None else instant(micros)
