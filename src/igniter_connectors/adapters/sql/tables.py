"""The columns of each table, named once, with the types of their values.

A statement lists its columns from one of these classes, and each of its rows is read into that
class. So a column is found by its name everywhere, and its position matters nowhere.

`array_like`: SQLite's rows are validated as arrays. A class that extends another one adds its
columns after the inherited ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec


class GrantRow(msgspec.Struct, array_like=True, gc=False):
    """The columns of a grant; all None or empty if the connection has none."""

    grant_id: str | None
    generation: int | None
    sealed_tokens: bytes | None
    oauth_scopes: list[str] | None
    refreshable: bool | None
    refreshed_at: datetime | None
    expires_at: datetime | None
    subject: str | None
    profile: bytes | None
    client_id: str
    token_url: str
    refresh_expires_at: datetime | None
    is_shared: bool


class BodyRow(GrantRow):
    """`connections` without the key, which the caller of a look-up by key already has."""

    id: str
    public_config: bytes
    sealed_config: bytes
    enabled: bool
    version: int
    created_at: datetime
    updated_at: datetime
    status: str
    failures: int
    next_attempt_at: datetime | None
    lease_owner: str | None
    unresolved: bool
    upstream: str | None


class KeyRow(msgspec.Struct, array_like=True, gc=False):
    """The key of a connection: the primary key of `connections`."""

    scope: str
    identity: str
    connector: str
    account: str


class ConnectionRow(BodyRow):
    """`connections`."""

    scope: str
    identity: str
    connector: str
    account: str


class LeaseRow(msgspec.Struct, array_like=True, gc=False):
    """What the statement returns that takes a refresh lease. `id` is the connection's."""

    id: str
    lease_owner: str
    sealed_tokens: bytes
    generation: int
    failures: int
    unresolved_before: bool


class AuthorizationRow(KeyRow):
    """`authorizations`, without `expires_at`."""

    handle_hash: bytes
    binding_hash: bytes
    id: str
    sealed_payload: bytes


class RevocationRow(GrantRow):
    """`revocations`, without `due_at`. `connection_id` is the row that the tokens came from."""

    id: str
    scope: str
    identity: str
    connector: str
    account: str
    connection_id: str
    public_config: bytes
    sealed_config: bytes
    attempts: int


class EndpointRow(KeyRow):
    """`webhook_endpoints`."""

    token_hash: bytes
    id: str
    connection_id: str
    sealed_secret: bytes
    created_at: datetime
    valid_until: datetime | None
    sealed_previous: bytes | None
    previous_until: datetime | None
    replaced_by: str | None


class FoundEndpointRow(ConnectionRow):
    """An endpoint together with its connection, whose `id` and `created_at` these are."""

    token_hash: bytes
    endpoint_id: str
    sealed_secret: bytes
    endpoint_created_at: datetime
    valid_until: datetime | None
    sealed_previous: bytes | None
    previous_until: datetime | None
    replaced_by: str | None


class EventRow(KeyRow):
    """`webhook_inbox`, as far as an event is shown or handled."""

    connection_id: str
    id: str
    event_id: str
    state: str
    attempts: int
    received_at: datetime
    order_key: str
    due_at: datetime
    finished_at: datetime | None
    last_code: str
    possible_replay: bool
    sealed_body: bytes | None
    last_reason: str


class CountRow(msgspec.Struct, array_like=True, gc=False):
    """How many connections a connector has."""

    connector: str
    count: int


class GrantIdRow(msgspec.Struct, array_like=True, gc=False):
    """The id of a connection's grant."""

    grant_id: str | None


class TotalRow(msgspec.Struct, array_like=True, gc=False):
    """How many rows there are."""

    total: int


class ExistsRow(msgspec.Struct, array_like=True, gc=False):
    """Whether there is a row."""

    exists: bool


class TurnRow(msgspec.Struct, array_like=True, gc=False):
    """A tenant and connector with pending events, and how long until the first of them is due."""

    scope: str
    identity: str
    connector: str
    due_in: timedelta


class OrderKeyRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An order key of a connection; `order_key` is "" if an event has no order."""

    scope: str
    identity: str
    connection_id: str
    order_key: str


class RecordedRow(msgspec.Struct, array_like=True, gc=False):
    """What recording an event returns."""

    received_at: datetime
    possible_replay: bool
