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
        """Adds an endpoint. Its token has 256 random bits, so the hash is unique.

        Adding it again does nothing: an answer may have been lost.
        """
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
        expected: bytes | None = None,
    ) -> bool:
        """Replaces an endpoint's signing secret; False if the connection has no such endpoint.

        The replaced secret stays valid for the overlap. A secret before that one is deleted.
        With `expected`, False also if the stored `sealed_secret` is another one.
        """
        ...

    async def end_previous_secret(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint's previous secret after the overlap, if it does not end sooner.

        False if the connection has no such endpoint, or the endpoint no previous secret.
        """
        ...

    async def rotate_endpoint(
        self, new: EndpointRecord, *, replaces: str, overlap: timedelta
    ) -> bool:
        """Adds an endpoint in the place of another of its connection, which ends after the overlap.

        In one step. False if there is no such endpoint, or if another one has replaced it. Rotating
        to the same new endpoint again changes nothing: an answer may have been lost.
        """
        ...

    async def remove_endpoint(self, key: ConnectionKey, *, endpoint: str) -> bool:
        """Deletes an endpoint; False if the connection has no such endpoint."""
        ...

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap; False if the connection has no such endpoint.

        An endpoint that ends sooner keeps its end.
        """
        ...
