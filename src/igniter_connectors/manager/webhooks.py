"""The webhooks of a connection: its endpoints and its inbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, final

from returns.result import Result

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
from igniter_connectors.flows.webhooks import endpoints, inbox_admin, replay

_OVERLAP: Final = timedelta(days=1)


@final
class ConnectionWebhooks:
    """The endpoints and the inbox of one connection: `at.webhooks`."""

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
        """A page of the stored events, latest first.

        Args:
            state: Only events in this state; None for all.
            limit: 1 to 1,000.
            after: The `next` of the previous page; None for the first page.
        """
        return await inbox_admin.list_events(
            self._engine, self._key, state=state, limit=limit, after=after
        )

    async def find(self, id: str) -> Result[WebhookEvent, EventProblem]:
        """One event: its state, its attempts, when the next is due, and why the last failed."""
        return await inbox_admin.find_event(self._engine, self._key, id)

    async def last(self) -> Result[WebhookEvent | None, DatabaseFailed]:
        """The latest event and its outcome; None if there is none, or all were purged."""
        return await inbox_admin.last_event(self._engine, self._key)

    async def body(
        self, id: str
    ) -> Result[bytes, EventProblem | WebhookEventNotReplayable | DecryptFailed]:
        """An event's body, as it was received. It holds the tenant's data.

        Returns:
            The body, or `WebhookEventNotFound`, `WebhookEventNotReplayable` (the body was
            purged), `DecryptFailed`, `DatabaseFailed`.
        """
        return await inbox_admin.read_body(self._engine, self._key, id)

    async def replay(self, id: str) -> Result[None, ReplayProblem]:
        """Replays an event, also one that is done or dead. Its attempts count from 1 again.

        Returns:
            None when the event is due. The handler runs soon, here or in another process. Or
            - `WebhookEventNotFound`: not an event of this connection, or it was purged.
            - `WebhookEventNotReplayable`: its body was purged, or it is being handled.
            - `WebhookPayloadInvalid`: it does not match the current payload type.
            - `NotConnected`, `Disabled`, `ConfigInvalid`, `DecryptFailed`,
              `WebhookNotConfigured`, `DatabaseFailed`.
        """
        return await replay.replay(self._engine, self._connector, self._key, id)

    async def check_replay(self, id: str) -> Result[WebhookEvent, ReplayProblem]:
        """A dry run of `replay`: every step before the handler. Changes nothing.

        Returns:
            The event, or the problem that `replay` would return.
        """
        return await replay.check_replay(self._engine, self._connector, self._key, id)

    async def endpoints(self) -> Result[tuple[EndpointSummary, ...], DatabaseFailed]:
        """The connection's endpoints, oldest first. Includes those that have ended."""
        return await endpoints.list_endpoints(self._engine, self._key)

    async def rotate(
        self,
        endpoint_id: str,
        *,
        signing_secret: Secret | None = None,
        overlap: timedelta = _OVERLAP,
    ) -> Result[WebhookEndpoint, EndpointProblem | WebhookNotFound]:
        """Replaces an endpoint with a new one that has another URL and secret.

        You may repeat the call if its answer was lost: an endpoint that was replaced already
        passes the rotation on to its latest successor, which then ends after the overlap.

        Args:
            endpoint_id: The endpoint to replace.
            signing_secret: As for `create_webhook`.
            overlap: How long the old endpoint still receives deliveries, by the database's clock.

        Returns:
            The new URL and secret, shown only this once; or `WebhookNotFound` (not an
            endpoint of this connection), or a problem of `create_webhook`.
        """
        return await endpoints.rotate_endpoint(
            self._engine,
            self._connector,
            self._key,
            endpoint_id,
            signing_secret,
            overlap=overlap,
        )

    async def retire(
        self, endpoint_id: str, *, overlap: timedelta = timedelta(0)
    ) -> Result[None, WebhookNotFound | DatabaseFailed]:
        """Ends an endpoint after the overlap. Its URL then returns 404."""
        return await endpoints.retire_endpoint(
            self._engine, self._key, endpoint_id, overlap=overlap
        )
