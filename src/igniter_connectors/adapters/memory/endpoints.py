"""Webhook endpoints in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.adapters.memory.tables import MemoryTables
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.webhook.endpoint import EndpointRecord


class MemoryEndpoints(MemoryTables):
    """`EndpointStore` in a dictionary."""

    async def add_endpoint(self, endpoint: EndpointRecord) -> None:
        """Adds a webhook endpoint."""
        _ = self._endpoints.setdefault(endpoint.token_hash, endpoint)

    async def find_endpoint(
        self, token_hash: bytes
    ) -> tuple[EndpointRecord, ConnectionRecord] | None:
        """A live endpoint with its connection."""
        endpoint = self._endpoints.get(token_hash)
        if endpoint is None:
            return None
        if endpoint.valid_until is not None and endpoint.valid_until <= self._clock.now():
            return None
        record = self._rows.get(endpoint.key)
        if record is None or record.id != endpoint.connection_id:
            return None
        if endpoint.previous_until is not None and endpoint.previous_until <= self._clock.now():
            endpoint = replace(endpoint, sealed_previous=None, previous_until=None)
        return endpoint, record

    async def list_endpoints(self, key: ConnectionKey) -> Sequence[EndpointRecord]:
        """A connection's endpoints, oldest first."""
        return [one for one in self._endpoints.values() if one.key == key]

    async def save_endpoint_secret(
        self,
        key: ConnectionKey,
        *,
        endpoint: str,
        sealed_secret: bytes,
        overlap: timedelta = timedelta(0),
        expected: bytes | None = None,
    ) -> bool:
        """Replaces an endpoint's signing secret."""
        token_hash = self._endpoint_of(key, endpoint)
        if token_hash is None:
            return False
        known = self._endpoints[token_hash]
        if expected not in (None, known.sealed_secret):
            return False
        self._endpoints[token_hash] = replace(
            known,
            sealed_secret=sealed_secret,
            sealed_previous=known.sealed_secret if overlap else None,
            previous_until=self._clock.now() + overlap if overlap else None,
        )
        return True

    async def end_previous_secret(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint's previous secret after the overlap."""
        token_hash = self._endpoint_of(key, endpoint)
        known = self._endpoints[token_hash] if token_hash is not None else None
        if token_hash is None or known is None or known.previous_until is None:
            return False
        end = min(known.previous_until, self._clock.now() + overlap)
        self._endpoints[token_hash] = replace(known, previous_until=end)
        return True

    async def rotate_endpoint(
        self, new: EndpointRecord, *, replaces: str, overlap: timedelta
    ) -> bool:
        """Adds an endpoint in the place of another, which ends after the overlap."""
        token_hash = self._endpoint_of(new.key, replaces)
        if token_hash is None or self._endpoints[token_hash].replaced_by not in (None, new.id):
            return False
        _ = await self.retire_endpoint(new.key, endpoint=replaces, overlap=overlap)
        self._endpoints[token_hash] = replace(self._endpoints[token_hash], replaced_by=new.id)
        await self.add_endpoint(new)
        return True

    async def remove_endpoint(self, key: ConnectionKey, *, endpoint: str) -> bool:
        """Deletes an endpoint."""
        token_hash = self._endpoint_of(key, endpoint)
        return token_hash is not None and self._endpoints.pop(token_hash, None) is not None

    async def retire_endpoint(
        self, key: ConnectionKey, *, endpoint: str, overlap: timedelta
    ) -> bool:
        """Ends an endpoint after the overlap."""
        token_hash = self._endpoint_of(key, endpoint)
        if token_hash is None:
            return False
        known, end = self._endpoints[token_hash], self._clock.now() + overlap
        if known.valid_until is None or known.valid_until > end:
            self._endpoints[token_hash] = replace(known, valid_until=end)
        return True

    def _endpoint_of(self, key: ConnectionKey, endpoint: str) -> bytes | None:
        known = self._endpoints.values()
        return next((e.token_hash for e in known if e.key == key and e.id == endpoint), None)
