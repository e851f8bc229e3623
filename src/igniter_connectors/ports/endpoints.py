"""Webhook endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord


class EndpointStore(Protocol):
    """Webhook endpoints, found by the hash of their token."""

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds one. Its hash is of 256 random bits and stands nowhere else."""
        ...

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection; None where either is gone. A previous secret
        whose time is over is not told."""
        ...

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        ...

    async def save_endpoint_secret(
        self,
        key: ConnectionKey,
        *,
        endpoint: str,
        sealed_secret: bytes,
        overlap: timedelta = timedelta(0),
    ) -> bool:
        """Replaces an endpoint's signing secret; False where it is not this connection's.

        The one before stays beside it for the overlap, by the store's own clock; one older
        than that goes at once.
        """
        ...

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap, by the store's own clock, or sooner where it was to
        end sooner; False where it is not this connection's."""
        ...
