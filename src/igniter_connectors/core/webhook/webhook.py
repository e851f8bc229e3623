"""A connector's webhook: payload type, verification, handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Generic, Literal, Never, final

import msgspec
from msgspec.structs import force_setattr
from returns.result import Failure, Result
from typing_extensions import TypeForm, TypeVar

from igniter_connectors.core.api.client import ApiClient, ApiSenders, CalledConnector
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.problem import WebhookFailed
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.payload import payload_reader
from igniter_connectors.core.webhook.retry_policy import Delivery, Retries, retries_fault
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    Verification,
    body_format,
    scheme_fault,
)
from igniter_connectors.core.webhook.signing_keys import signing_key

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

    It is handed over at least once: make the handler's effect depend on `event_id` or `id`,
    or make it in a transaction of the store (`store.transaction(call)`), which completes the
    event with it.

    Attributes:
        event_id: The provider's; "" where the scheme declares none.
        received_at: When it was recorded, by the database's clock.
        delivery: This attempt.
        possible_replay: The same body came before under another id, and nothing signed
            tells whether the provider sent both.
    """

    payload: Payload_co
    config: Conf_co
    context: Ctx_co
    _senders: ApiSenders
    _connector: CalledConnector
    account: str
    tenant: Scope
    event_id: str
    received_at: datetime
    delivery: Delivery
    possible_replay: bool = False
    _record: ConnectionRecord | None = None
    _client: ApiClient | None = None

    @property
    def connector(self) -> str:
        """The connector's key."""
        return self._connector.key

    @property
    def id(self) -> str:
        """The event's own id in the inbox, whether or not the provider gives one."""
        return self.delivery.id

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self.delivery.attempt

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
        """The answer of a handler that could not do it; it is tried again after a pause."""
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
        handler: Runs for each genuine webhook of an enabled connection, after the provider
            was answered.
        body_limit_bytes: A longer body is refused while it streams in.
        dedupe_identical_bodies_for: Where a provider signs neither an id nor a time, a
            body that was there within so long is the same event; None leaves that open.
        order_key: Which events are handled one after another, in the order of their
            arrival: those of one connection for which this returns the same. "" asks for no
            order. None: no event does.
        when_disabled: What becomes of events for a disabled connection. They are verified
            and answered 2xx; "hold" keeps them until it is enabled, "drop" forgets them.
        retries: How a handler that fails is tried again.
        route: For providers with one address for the whole application,
            `POST {base}/webhooks/{connector}`: whose event it is, as the upstream account or
            accounts that the provider names in the payload. All their connections get it;
            where there are none it is answered 2xx and not stored.
        application_secrets: What such a provider signs with: one, or several while they
            rotate.
        account_of: The upstream account of a connection, from its config. None: the subject
            that authorized, for OAuth connectors.
        time_limit: A handler that runs longer is cut off, and has failed.
        keep_body_for: How long a body stays after its event is done; 0 clears it at once.
            Without its body an event cannot be replayed.
        remember_for: How long an event's id is remembered, and a dead or held one kept. No
            shorter than the time for which the provider sends an event again.
    """

    payload: TypeForm[Payload]
    verification: Verification
    handler: Callable[
        [WebhookCall[Conf_contra, Ctx_contra, Payload]],
        Awaitable[Result[None, WebhookFailed]],
    ]
    body_limit_bytes: int = BODY_LIMIT_BYTES
    dedupe_identical_bodies_for: timedelta | None = None
    order_key: Callable[[Payload], str] | None = None
    route: Callable[[Payload], str | tuple[str, ...]] | None = None
    application_secrets: tuple[Secret, ...] = ()
    account_of: Callable[[Conf_contra], str] | None = None
    when_disabled: Literal["hold", "drop"] = "hold"
    retries: Retries = Retries()
    time_limit: timedelta = timedelta(minutes=1)
    keep_body_for: timedelta = timedelta(days=7)
    remember_for: timedelta = timedelta(days=30)

    @cached_property
    def read(self) -> Callable[[bytes], Payload]:
        """Decodes and checks a verified body; raises one of `JSON_ERRORS`."""
        return payload_reader(self.payload, body_format(self.verification))


def webhook_fault(webhook: Webhook[Conf_contra, Ctx_contra, Payload]) -> str | None:
    """Why a webhook could not do what it says; None where it can."""
    secrets, scheme = webhook.application_secrets, webhook.verification
    if webhook.route is None and (secrets or webhook.account_of is not None):
        return "an application's secrets and accounts need a route"
    if webhook.route is not None and not secrets and not isinstance(scheme, AcceptUnsignedEvents):
        return "a route needs application_secrets"
    if any(signing_key(scheme, secret) is None for secret in secrets):
        return "an application's secret is not of the scheme's form"
    if webhook.time_limit <= timedelta(0):
        return "a handler's time limit is over 0"
    if not timedelta(0) <= webhook.keep_body_for <= webhook.remember_for:
        return "a body is kept for 0 or longer, and no longer than its event is remembered"
    same_for = webhook.dedupe_identical_bodies_for
    if same_for is not None and not timedelta(0) < same_for <= webhook.remember_for:
        return "identical bodies are one event for longer than 0, and while it is remembered"
    return scheme_fault(webhook.verification) or retries_fault(webhook.retries)
