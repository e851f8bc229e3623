"""A connection's webhooks: its endpoints, and what came in at them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, final

from returns.result import Result, Success

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.pagination import PAGE_SIZE, Page
from igniter_connectors.core.problem import (
    DatabaseFailed,
    DecryptFailed,
    EndpointProblem,
    EventProblem,
    ReplayProblem,
    WebhookEventNotReplayable,
    WebhookNotFound,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.endpoint import EndpointSummary, WebhookEndpoint
from igniter_connectors.core.webhook.inbox import EventState, WebhookEvent
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.store_errors import guarded
from igniter_connectors.flows.webhooks import endpoints as endpoint
from igniter_connectors.flows.webhooks import inbox_admin as events

_OVERLAP: Final = timedelta(days=1)


@final
class ConnectionWebhooks:
    """The webhooks of one connection: `at.webhooks`."""

    __slots__ = ("_connector", "_engine", "_key")

    def __init__(
        self,
        engine: Engine,
        connector: Definition[Any, Any, Any],
        key: ConnectionKey,
    ) -> None:
        self._engine = engine
        self._connector = connector
        self._key = key

    async def list(
        self,
        *,
        state: EventState | None = None,
        limit: int = PAGE_SIZE,
        after: str | None = None,
    ) -> Result[Page[WebhookEvent], DatabaseFailed]:
        """What came in, the latest first, as long as it is remembered.

        Args:
            state: Events in this state alone; None for all.
            limit: 1 to 1,000.
            after: The `next` of the page before; None begins.
        """
        return await guarded(self._engine, self._list(state, limit, after))

    async def find(self, id: str) -> Result[WebhookEvent, EventProblem]:
        """One event: its state, its attempts, when the next one is due, why the last failed."""
        return await guarded(self._engine, events.find_event(self._engine, self._key, id))

    async def last(self) -> Result[WebhookEvent | None, DatabaseFailed]:
        """The latest event and its outcome; None where none came, or all are forgotten."""
        return await guarded(self._engine, self._last())

    async def body(
        self, id: str
    ) -> Result[bytes, EventProblem | WebhookEventNotReplayable | DecryptFailed]:
        """An event's body as it was received: what the provider sent of the tenant's data.

        Returns:
            It, or `WebhookEventNotFound`, `WebhookEventNotReplayable` (it was cleared away),
            `DecryptFailed`, `DatabaseFailed`.
        """
        return await guarded(self._engine, events.open_body(self._engine, self._key, id))

    async def replay(self, id: str) -> Result[None, ReplayProblem]:
        """Has an event handled once more, done or dead, its attempts counted anew.

        Returns:
            None once it is due: the handler runs soon, here or in another process; or
            - `WebhookEventNotFound`: not this connection's, or forgotten.
            - `WebhookEventNotReplayable`: its body was cleared away, or it is being handled.
            - `WebhookPayloadInvalid`: it does not fit the payload's type of today.
            - `NotConnected`, `Disabled`, `ConfigInvalid`, `DecryptFailed`,
              `WebhookNotConfigured`, `DatabaseFailed`.
        """
        return await guarded(
            self._engine,
            events.replay(self._engine, self._connector, self._key, id),
        )

    async def check_replay(self, id: str) -> Result[WebhookEvent, ReplayProblem]:
        """A dry run of `replay`: everything but the handler. Changes nothing.

        Returns:
            The event as it is, or what `replay` would return.
        """
        return await guarded(
            self._engine, events.check_replay(self._engine, self._connector, self._key, id)
        )

    async def endpoints(self) -> Result[tuple[EndpointSummary, ...], DatabaseFailed]:
        """The connection's endpoints, oldest first; those that have ended too."""
        return await guarded(self._engine, endpoint.list_endpoints(self._engine, self._key))

    async def rotate(
        self,
        endpoint_id: str,
        *,
        signing_secret: Secret | None = None,
        overlap: timedelta = _OVERLAP,
    ) -> Result[WebhookEndpoint, EndpointProblem | WebhookNotFound]:
        """A new endpoint with another URL and secret, in the place of one that goes on meanwhile.

        Args:
            endpoint_id: The one to be replaced.
            signing_secret: As for `create_webhook`.
            overlap: How long the old one still takes deliveries, by the database's clock.

        Returns:
            The new URL and secret, shown this once; or `WebhookNotFound` (not this
            connection's), or what `create_webhook` returns.
        """
        return await guarded(
            self._engine,
            endpoint.rotate_endpoint(
                self._engine,
                self._connector,
                self._key,
                endpoint_id,
                signing_secret,
                overlap=overlap,
            ),
        )

    async def retire(
        self, endpoint_id: str, *, overlap: timedelta = timedelta(0)
    ) -> Result[None, WebhookNotFound | DatabaseFailed]:
        """Ends an endpoint, at once or after a while: what then comes there gets a 404."""
        return await guarded(
            self._engine,
            endpoint.retire_endpoint(self._engine, self._key, endpoint_id, overlap=overlap),
        )

    async def _list(
        self, state: EventState | None, limit: int, after: str | None
    ) -> Result[Page[WebhookEvent], DatabaseFailed]:
        page = await events.list_events(
            self._engine, self._key, state=state, limit=limit, after=after
        )
        return Success(page)

    async def _last(self) -> Result[WebhookEvent | None, DatabaseFailed]:
        return Success(await events.last_event(self._engine, self._key))
