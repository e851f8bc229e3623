"""Between PostgreSQL's rows and the records of core."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, LiteralString, TypeAlias

from igniter_connectors.adapters.postgres.connection import Row
from igniter_connectors.adapters.postgres.errors import RowUnreadable
from igniter_connectors.core.connection.record import (
    ConnectionKey,
    ConnectionRecord,
    Grant,
    Status,
)
from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord

Columns: TypeAlias = tuple[LiteralString, ...]

KEY: Final[Columns] = ("scope", "identity", "connector", "account")

GRANT: Final[Columns] = (
    "grant_id",
    "generation",
    "sealed_tokens",
    "oauth_scopes",
    "refreshable",
    "refreshed_at",
    "expires_at",
    "subject",
    "profile",
    "client_id",
    "token_url",
    "refresh_expires_at",
    "is_shared",
)

BODY: Final[Columns] = (
    "id",
    "public_config",
    "sealed_config",
    "enabled",
    "version",
    "created_at",
    "updated_at",
    "status",
    "failures",
    "next_attempt_at",
    "lease_owner",
    "unresolved",
    *GRANT,
)
"""A connection without its key, which whoever asked for it has."""

AUTHORIZATION: Final[Columns] = ("handle_hash", "binding_hash", "id", *KEY, "sealed_payload")

REVOCATION: Final[Columns] = (
    "id",
    *KEY,
    "connection_id",
    "public_config",
    "sealed_config",
    "attempts",
    *GRANT,
)

ENDPOINT: Final[Columns] = (
    "token_hash",
    "id",
    *KEY,
    "connection_id",
    "sealed_secret",
    "created_at",
    "valid_until",
    "sealed_previous",
    "previous_until",
)

_STATUSES: Final[dict[object, Status]] = {
    "ok": "ok",
    "needs_reauth": "needs_reauth",
    "lost_rotation": "lost_rotation",
    "config_changed": "config_changed",
}


def key_values(key: ConnectionKey) -> tuple[str, str, str, str]:
    """A key as the values of `KEY`."""
    return (key.scope, key.identity, key.connector, key.account)


def body_values(record: ConnectionRecord) -> tuple[Any, ...]:
    """A record as the values of `BODY`."""
    return (
        record.id,
        record.public_config,
        record.sealed_config,
        record.enabled,
        record.version,
        record.created_at,
        record.updated_at,
        record.status,
        record.failures,
        record.next_attempt_at,
        record.lease_owner,
        record.unresolved,
        *grant_values(record.grant),
    )


def grant_values(grant: Grant | None) -> tuple[Any, ...]:
    """A grant as the values of `GRANT`."""
    if grant is None:
        return (*(None,) * (len(GRANT) - 4), "", "", None, False)
    return (
        grant.grant_id,
        grant.generation,
        grant.sealed_tokens,
        list(grant.oauth_scopes),
        grant.refreshable,
        grant.refreshed_at,
        grant.expires_at,
        grant.subject,
        grant.profile,
        grant.client_id,
        grant.token_url,
        grant.refresh_expires_at,
        grant.is_shared,
    )


def to_connection(key: ConnectionKey, row: Row) -> ConnectionRecord:
    """The values of `BODY` as a record. PostgreSQL saw to their types.

    Raises:
        RowUnreadable: something else than this library wrote the row.
    """
    (
        id,
        public_config,
        sealed_config,
        enabled,
        version,
        created_at,
        updated_at,
        status,
        failures,
        next_attempt_at,
        lease_owner,
        unresolved,
        *grant,
    ) = row
    known = _STATUSES.get(status)
    if known is None:
        raise RowUnreadable("PostgreSQL: a row is not of this schema")
    return ConnectionRecord(
        key,
        id,
        public_config,
        sealed_config,
        enabled,
        version,
        utc(created_at),
        utc(updated_at),
        known,
        None if grant[0] is None else _to_grant(*grant),
        failures,
        None if next_attempt_at is None else utc(next_attempt_at),
        lease_owner,
        unresolved,
    )


def _to_grant(
    grant_id: str,
    generation: int | None,
    sealed_tokens: bytes | None,
    oauth_scopes: list[str] | None,
    refreshable: bool | None,
    refreshed_at: datetime | None,
    expires_at: datetime | None,
    subject: str | None,
    profile: bytes | None,
    client_id: str,
    token_url: str,
    refresh_expires_at: datetime | None,
    is_shared: bool,
) -> Grant:
    if generation is None or sealed_tokens is None or refreshed_at is None:
        raise RowUnreadable("PostgreSQL: a row is not of this schema")
    return Grant(
        sealed_tokens,
        generation,
        grant_id,
        tuple(oauth_scopes or ()),
        bool(refreshable),
        utc(refreshed_at),
        None if expires_at is None else utc(expires_at),
        subject,
        profile or b"null",
        client_id,
        token_url,
        None if refresh_expires_at is None else utc(refresh_expires_at),
        is_shared,
    )


def revocation_values(pending: PendingRevocation) -> tuple[Any, ...]:
    """A revocation as the values of `REVOCATION`."""
    return (
        pending.id,
        *key_values(pending.key),
        pending.row,
        pending.public_config,
        pending.sealed_config,
        pending.attempts,
        *grant_values(pending.grant),
    )


def to_revocation(row: Row) -> PendingRevocation:
    """The values of `REVOCATION` as a record."""
    id, scope, identity, connector, account, connection, public, sealed, attempts, *grant = row
    key = ConnectionKey(scope, identity, connector, account)
    return PendingRevocation(id, key, connection, public, sealed, _to_grant(*grant), attempts)


def endpoint_values(endpoint: EndpointRecord) -> tuple[Any, ...]:
    """An endpoint as the values of `ENDPOINT`."""
    return (
        endpoint.token_hash,
        endpoint.id,
        *key_values(endpoint.key),
        endpoint.connection_id,
        endpoint.sealed_secret,
        endpoint.created_at,
        endpoint.valid_until,
        endpoint.sealed_previous,
        endpoint.previous_until,
    )


def to_endpoint(row: Row) -> EndpointRecord:
    """The values of `ENDPOINT` as a record."""
    (
        token_hash,
        id,
        *key,
        connection_id,
        sealed_secret,
        created_at,
        valid_until,
        sealed_previous,
        previous_until,
    ) = row
    return EndpointRecord(
        token_hash,
        id,
        ConnectionKey(*key),
        connection_id,
        sealed_secret,
        utc(created_at),
        None if valid_until is None else utc(valid_until),
        sealed_previous,
        None if previous_until is None else utc(previous_until),
    )


def authorization_values(pending: PendingAuthorization) -> tuple[Any, ...]:
    """An authorization as the values of `AUTHORIZATION`."""
    return (
        pending.handle_hash,
        pending.binding_hash,
        pending.id,
        *key_values(pending.key),
        pending.sealed_payload,
    )


def to_authorization(row: Row) -> PendingAuthorization:
    """The values of `AUTHORIZATION` as a record."""
    handle_hash, binding_hash, id, *key, sealed_payload = row
    return PendingAuthorization(handle_hash, binding_hash, id, ConnectionKey(*key), sealed_payload)


def utc(instant: datetime) -> datetime:
    """An instant of the database in UTC."""
    # psycopg gives it in the session's zone, which somebody may have set.
    return instant.astimezone(UTC)
