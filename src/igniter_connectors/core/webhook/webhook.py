"""A connector's webhook: payload type, verification, handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cached_property
from typing import Final, Generic, Never, final

import msgspec
from msgspec.structs import force_setattr
from returns.result import Failure, Result
from typing_extensions import TypeForm, TypeVar

from igniter_connectors.core.api_client import ApiClient, ApiSenders, Called
from igniter_connectors.core.connection import ConnectionRecord
from igniter_connectors.core.problem import WebhookFailed
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.webhook.payload import payload_reader
from igniter_connectors.core.webhook.schemes import Verification, body_format

BODY_LIMIT_BYTES: Final = 1024 * 1024

Conf_co = TypeVar("Conf_co", bound=msgspec.Struct, covariant=True)
Ctx_co = TypeVar("Ctx_co", covariant=True)
Payload_co = TypeVar("Payload_co", covariant=True)
Conf_contra = TypeVar("Conf_contra", bound=msgspec.Struct, contravariant=True)
Ctx_contra = TypeVar("Ctx_contra", contravariant=True)
Payload = TypeVar("Payload")


@final
class WebhookCall(msgspec.Struct, Generic[Conf_co, Ctx_co, Payload_co], frozen=True):
    """What a webhook's handler receives, once it is genuine and fits its type.

    `event_id` is "" where the scheme declares none. The same event may come more than
    once: make the handler's effect depend on it.
    """

    payload: Payload_co
    config: Conf_co
    context: Ctx_co
    _senders: ApiSenders
    _connector: Called
    account: str
    tenant: Scope
    event_id: str
    _record: ConnectionRecord | None = None
    _client: ApiClient | None = None

    @property
    def connector(self) -> str:
        """The connector's key."""
        return self._connector.key

    @property
    def http(self) -> ApiClient:
        """Calls the connector's API as this connection, its token opened when it is needed."""
        client = self._client
        if client is None:
            client = ApiClient(
                self._senders.sender_for(self._connector, self.config, self._record, None)
            )
            force_setattr(self, "_client", client)
        return client

    def __repr__(self) -> str:
        return f"WebhookCall({self.connector}, …)"

    def failed(self, reason: str) -> Result[Never, WebhookFailed]:
        """The answer of a handler that could not do it; the provider will deliver again."""
        return Failure(WebhookFailed(self.connector, reason))


@final
class Webhook(
    msgspec.Struct, Generic[Conf_contra, Ctx_contra, Payload], frozen=True, kw_only=True, dict=True
):
    """How a connector receives webhooks.

    Attributes:
        payload: What the body is decoded into, after its signature was verified. A
            tagged union of structs works.
        verification: The provider's scheme. There is no default.
        handler: Runs for each genuine webhook of an enabled connection.
        body_limit_bytes: A longer body is refused while it streams in.
        dedupe_identical_bodies_for: Where a provider signs neither an id nor a time, a
            body that was there within so long is the same event; None leaves that open.
    """

    payload: TypeForm[Payload]
    verification: Verification
    handler: Callable[
        [WebhookCall[Conf_contra, Ctx_contra, Payload]],
        Awaitable[Result[None, WebhookFailed]],
    ]
    body_limit_bytes: int = BODY_LIMIT_BYTES
    dedupe_identical_bodies_for: timedelta | None = None

    @cached_property
    def read(self) -> Callable[[bytes], Payload]:
        """Decodes and checks a verified body; raises one of `core.schema.NOT_READ`."""
        return payload_reader(self.payload, body_format(self.verification))
