"""Rows as records of core, and records as the values of a statement's parameters.

A column has the name of the record's attribute. Records are built from positional arguments:
msgspec takes 15 times as long for 25 keyword arguments (12 µs), and a look-up pays it per row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec.structs import asdict

from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.adapters.sql.dialect import columns
from igniter_connectors.adapters.sql.tables import (
    AuthorizationRow,
    BodyRow,
    ConnectionRow,
    EndpointRow,
    EventRow,
    FoundEndpointRow,
    GrantRow,
    KeyRow,
    LeaseRow,
    RevocationRow,
)
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
from igniter_connectors.core.webhook.inbox import EventState, InboxEvent

Values: TypeAlias = dict[str, Any]
"""A statement's values by the names of its parameters; the type of each is its column's."""

L = TypeVar("L", bound=str)

_STATUSES: Final[dict[str, Status]] = {
    "ok": "ok",
    "needs_reauth": "needs_reauth",
    "lost_rotation": "lost_rotation",
    "config_changed": "config_changed",
}
_STATES: Final[dict[str, EventState]] = {
    "pending": "pending",
    "held": "held",
    "done": "done",
    "dead": "dead",
}
_NO_GRANT: Final[Values] = {
    **dict.fromkeys(columns(GrantRow)),
    "client_id": "",
    "token_url": "",
    "is_shared": False,
}


def key_values(key: ConnectionKey) -> Values:
    """A key as values of `KeyRow`."""
    return {
        "scope": key.scope,
        "identity": key.identity,
        "connector": key.connector,
        "account": key.account,
    }


def grant_values(grant: Grant | None) -> Values:
    """A grant as values of `GrantRow`."""
    if grant is None:
        return _NO_GRANT
    return {**asdict(grant), "oauth_scopes": list(grant.oauth_scopes)}


def connection_values(record: ConnectionRecord) -> Values:
    """A record as values of `ConnectionRow`."""
    return {**_flat(record), **grant_values(record.grant)}


def revocation_values(pending: PendingRevocation) -> Values:
    """A pending revocation as values of `RevocationRow`."""
    return {**_flat(pending), **grant_values(pending.grant), "connection_id": pending.row}


def endpoint_values(endpoint: EndpointRecord) -> Values:
    """An endpoint as values of `EndpointRow`."""
    return _flat(endpoint)


def authorization_values(pending: PendingAuthorization) -> Values:
    """A pending authorization as values of `AuthorizationRow`."""
    return _flat(pending)


def lease_values(key: ConnectionKey, lease: Lease) -> Values:
    """A key and a lease as the values that fence a write: row, generation and owner."""
    return {
        **key_values(key),
        "id": lease.row,
        "generation": lease.generation,
        "lease_owner": lease.owner,
    }


def to_key(row: KeyRow | ConnectionRow | RevocationRow | EventRow) -> ConnectionKey:
    """The key in a row."""
    return ConnectionKey(row.scope, row.identity, row.connector, row.account)


def to_connection(key: ConnectionKey, row: BodyRow) -> ConnectionRecord:
    """A row as a record.

    Raises:
        RowUnreadable: something else than this library wrote the row.
    """
    return ConnectionRecord(
        key,
        row.id,
        row.public_config,
        row.sealed_config,
        row.enabled,
        row.version,
        utc(row.created_at),
        utc(row.updated_at),
        _known(_STATUSES, row.status),
        None if row.grant_id is None else _to_grant(row),
        row.failures,
        _maybe_utc(row.next_attempt_at),
        row.lease_owner,
        row.unresolved,
        row.upstream,
    )


def to_connections(rows: list[ConnectionRow]) -> list[ConnectionRecord]:
    """Rows as records, each with the key in its row."""
    return [to_connection(to_key(row), row) for row in rows]


def _to_grant(row: GrantRow) -> Grant:
    if (
        row.grant_id is None
        or row.generation is None
        or row.sealed_tokens is None
        or row.refreshed_at is None
    ):
        raise RowUnreadable("a stored row is not of this schema")
    return Grant(
        row.sealed_tokens,
        row.generation,
        row.grant_id,
        tuple(row.oauth_scopes or ()),
        bool(row.refreshable),
        utc(row.refreshed_at),
        _maybe_utc(row.expires_at),
        row.subject,
        row.profile or b"null",
        row.client_id,
        row.token_url,
        _maybe_utc(row.refresh_expires_at),
        row.is_shared,
    )


def to_lease(row: LeaseRow) -> Lease:
    """The lease that a statement took."""
    return Lease(
        row.id,
        row.lease_owner,
        row.sealed_tokens,
        row.generation,
        row.failures,
        row.unresolved_before,
    )


def to_revocation(row: RevocationRow) -> PendingRevocation:
    """A row as a record."""
    return PendingRevocation(
        row.id,
        to_key(row),
        row.connection_id,
        row.public_config,
        row.sealed_config,
        _to_grant(row),
        row.attempts,
    )


def to_authorization(row: AuthorizationRow) -> PendingAuthorization:
    """A row as a record."""
    return PendingAuthorization(
        row.handle_hash, row.binding_hash, row.id, to_key(row), row.sealed_payload
    )


def to_endpoint(row: EndpointRow) -> EndpointRecord:
    """A row as a record."""
    return EndpointRecord(
        row.token_hash,
        row.id,
        to_key(row),
        row.connection_id,
        row.sealed_secret,
        utc(row.created_at),
        _maybe_utc(row.valid_until),
        row.sealed_previous,
        _maybe_utc(row.previous_until),
        row.replaced_by,
    )


def to_found_endpoint(row: FoundEndpointRow) -> tuple[EndpointRecord, ConnectionRecord]:
    """A row as an endpoint and its connection."""
    key = to_key(row)
    endpoint = EndpointRecord(
        row.token_hash,
        row.endpoint_id,
        key,
        row.id,
        row.sealed_secret,
        utc(row.endpoint_created_at),
        _maybe_utc(row.valid_until),
        row.sealed_previous,
        _maybe_utc(row.previous_until),
        row.replaced_by,
    )
    return endpoint, to_connection(key, row)


def to_event(row: EventRow) -> InboxEvent:
    """A row as a record."""
    state = _known(_STATES, row.state)
    return InboxEvent(
        to_key(row),
        row.connection_id,
        row.id,
        row.event_id,
        state,
        row.attempts,
        utc(row.received_at),
        row.order_key,
        utc(row.due_at) if state == "pending" else None,
        _maybe_utc(row.finished_at),
        row.last_code,
        row.possible_replay,
        row.sealed_body,
        row.last_reason,
    )


def utc(instant: datetime) -> datetime:
    """An instant of the database in UTC. psycopg returns it in the session's time zone."""
    return instant.astimezone(UTC)


def _maybe_utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)


def _known(values: dict[str, L], value: str) -> L:
    known = values.get(value)
    if known is None:
        raise RowUnreadable("a stored row is not of this schema")
    return known


def _flat(record: msgspec.Struct) -> Values:
    """A record's attributes by name, with those of its key in the key's place."""
    values = asdict(record)
    _ = values.pop("grant", None)
    return {**key_values(values.pop("key")), **values}
