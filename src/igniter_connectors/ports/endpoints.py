"""Webhook endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord


class EndpointStore(Protocol):
    """Webhook endpoints, found by the hash of their token. Overlaps use the store's own clock.

    Every method raises `StoreUnavailable` if the database does not answer.
    """

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds an endpoint. Its token has 256 random bits, so the hash is unique."""
        ...

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection; None if either does not exist.

        An expired previous secret is not returned.
        """
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
        """Replaces an endpoint's signing secret; False if the connection has no such endpoint.

        The replaced secret stays valid for the overlap. A secret before that one is deleted.
        """
        ...

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap; False if the connection has no such endpoint.

        An endpoint that ends sooner keeps its end.
        """
        ...
