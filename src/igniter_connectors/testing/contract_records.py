"""Sample records for the contract of stores."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.core.oauth.revocation import PendingRevocation, RevocationRequest
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import Store

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)


def key_of(
    identity: str = "acme", connector: str = "mail", account: str = "default"
) -> ConnectionKey:
    """An address of the tenant acme."""
    return ConnectionKey("organization", identity, connector, account)


def record_of(key: ConnectionKey | None = None) -> ConnectionRecord:
    """A row without a grant, with a random id."""
    return ConnectionRecord(
        key=key or key_of(),
        id=secrets.token_hex(16),
        public_config=b'{"a":1}',
        sealed_config=secrets.token_bytes(40),
        enabled=True,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


def grant_of(generation: int = 1, grant_id: str = "grant-1") -> Grant:
    """A grant with every column filled."""
    return Grant(
        sealed_tokens=secrets.token_bytes(60),
        generation=generation,
        grant_id=grant_id,
        oauth_scopes=("read", "wri te"),
        refreshable=True,
        refreshed_at=NOW,
        expires_at=LATER,
        subject="subject-1",
        profile=b'{"subject":"subject-1"}',
        client_id="client-1",
        token_url="https://p.example/token",  # noqa: S106  # an address, not a token
        refresh_expires_at=datetime(2999, 1, 1, tzinfo=UTC),
    )


async def inserted(store: Store, record: ConnectionRecord) -> ConnectionRecord:
    """Inserts a row, and returns it."""
    assert await store.insert(record)
    return record


async def disconnect(
    store: Store, key: ConnectionKey, revocation: RevocationRequest | None = None
) -> ConnectionRecord | None:
    """Disconnects; returns the row as it was."""
    return await store.disconnect(key, revocation=revocation, now=LATER)


async def take_lease(store: Store, record: ConnectionRecord, seconds: float = 60) -> Lease | None:
    """Takes a lease for a new owner. A lease of 0 seconds has ended at once."""
    assert record.grant is not None
    return await store.take_lease(
        record.key,
        generation=record.grant.generation,
        owner=secrets.token_hex(16),
        duration=timedelta(seconds=seconds),
    )


def pending_authorization(
    handle: bytes = b"handle", binding: bytes = b"browser"
) -> PendingAuthorization:
    """An authorization of the tenant acme at the connector mail."""
    return PendingAuthorization(handle, binding, "id", key_of(), b"sealed")


def endpoint_of(record: ConnectionRecord, token: bytes, **changes: datetime) -> EndpointRecord:
    """An endpoint of a row, with these bytes as its token's hash."""
    endpoint = EndpointRecord(token, token.hex(), record.key, record.id, b"sealed", NOW)
    return replace(endpoint, **changes)


async def claim(store: Store, seconds: float = 60) -> list[PendingRevocation]:
    """Claims the revocations that are due."""
    duration = timedelta(seconds=seconds)
    return list(await store.revocations.claim(limit=10, duration=duration))


def revocation_request(id: str = "revocation-1", seconds: float = 0) -> RevocationRequest:
    """A request to queue tokens for revocation."""
    return RevocationRequest(id, timedelta(seconds=seconds))
