"""A connector's webhook: payload type, verification and handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Generic, Literal, LiteralString, Never, Protocol, final

import msgspec
from msgspec.structs import force_setattr
from returns.result import Failure, Result
from typing_extensions import TypeForm, TypeVar

from igniter_connectors.core.api.client import ApiClient, ApiSenders, CalledConnector
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.http.messages import Headers, HttpRequest, single_header
from igniter_connectors.core.problem import BuildInvalid, Problem, WebhookFailed, WrongWiring
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.event_type import EventReader
from igniter_connectors.core.webhook.hmac_scheme import read_header
from igniter_connectors.core.webhook.json_object import is_event_id
from igniter_connectors.core.webhook.retry_policy import Delivery, Retries, retries_fault
from igniter_connectors.core.webhook.schemes import (
    AcceptUnsignedEvents,
    HmacScheme,
    Verification,
    body_format,
    headers_read,
    scheme_fault,
)
from igniter_connectors.core.webhook.signing_keys import signing_secret_fault

BODY_LIMIT_BYTES: Final = 1024 * 1024

Conf_co = TypeVar("Conf_co", bound=msgspec.Struct, covariant=True)
Ctx_co = TypeVar("Ctx_co", covariant=True)
Payload_co = TypeVar("Payload_co", covariant=True)
Conf_contra = TypeVar("Conf_contra", bound=msgspec.Struct, contravariant=True)
Ctx_contra = TypeVar("Ctx_contra", contravariant=True)
Payload = TypeVar("Payload")


class TransactionConnection(Protocol):
    """A database connection inside a transaction of the store.

    It is psycopg's `AsyncConnection` or aiosqlite's `Connection`, with all their methods, or for
    `MemoryStore` a recorder of the statements.
    """

    def execute(
        self,
        statement: LiteralString,
        parameters: Sequence[object] | Mapping[str, object] = ...,
        /,
    ) -> Awaitable[object]:
        """Executes a statement of the application, with the placeholders of its driver."""
        ...


class Transactions(Protocol):
    """What opens the transaction of a webhook's event: the store."""

    def transaction(
        self, call: WebhookCall[msgspec.Struct, object, object]
    ) -> AbstractAsyncContextManager[TransactionConnection]:
        """A transaction that completes the event together with the handler's writes.

        Raises:
            DeliveryLost: another process has the event, or it was completed.
            StoreUnavailable: the database does not answer.
        """
        ...


@final
class WebhookCall(msgspec.Struct, Generic[Conf_co, Ctx_co, Payload_co], frozen=True):
    """The argument of a webhook's handler: a verified event with a valid payload.

    The handler runs at least once for each event. Make it idempotent with `event_id` or `id`,
    or do its work in a transaction of the store (`call.transaction()`), which also completes
    the event.

    Attributes:
        event_id: The provider's id; "" if the scheme declares none.
        received_at: When the event was recorded, by the database's clock.
        delivery: The current attempt.
        event_type: The type that a header tells (`type_header`); "" if none does. It is as
            trustworthy as that header: GitHub and Shopify do not sign it.
        headers: The headers that the webhook keeps, with lower-case names.
        possible_replay: The same body arrived before under another id, and nothing signed
            shows whether the provider sent both.
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
    event_type: str = ""
    headers: Headers = ()
    _transactions: Transactions | None = None

    def header(self, name: str) -> str | None:
        """The value of a kept header; None if it is absent or was given twice."""
        return single_header(self.headers, name)

    @property
    def connector(self) -> str:
        """The connector's key."""
        return self._connector.key

    @property
    def id(self) -> str:
        """The event's id in the inbox. Every event has one, also without an id of the provider."""
        return self.delivery.id

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self.delivery.attempt

    @property
    def http(self) -> ApiClient:
        """Calls the connector's API as this connection. Its token is decrypted when needed."""
        client = self._client
        if client is None:
            client = ApiClient(
                self._senders.sender_for(self._connector, self.config, self._record, None)
            )
            force_setattr(self, "_client", client)
        return client

    def transaction(self) -> AbstractAsyncContextManager[TransactionConnection]:
        """A transaction of the store that completes this event together with the handler's writes.

        ```python
        async with call.transaction() as connection:
            await connection.execute("INSERT INTO payments …")
        return Success(None)
        ```

        Both commit when the block ends; if the block raises, neither does. On PostgreSQL it is
        psycopg's connection, on SQLite aiosqlite's. `MemoryStore` executes nothing: its
        `executed` has the statements of the blocks that ended well, for tests.

        Raises:
            DeliveryLost: another process has the event, or it was completed. Let it out of the
                handler.
            StoreUnavailable: the database does not answer, or is SQLite's ":memory:".
        """
        if self._transactions is None:
            raise WrongWiring(BuildInvalid("this call was not made by a manager: it has no store"))
        return self._transactions.transaction(self)

    def __repr__(self) -> str:
        return f"WebhookCall({self.connector}, …)"

    def failed(
        self, reason: str, *, retry_at: datetime | None = None
    ) -> Result[Never, WebhookFailed]:
        """The result of a handler that failed. The event is retried after a pause.

        A handler can also pass on a problem of an operation: `return Failure(problem)`.

        Args:
            reason: Shown to operators, so it must not contain a secret.
            retry_at: The event is not retried before this time, at most a day later. None:
                the pause alone decides.
        """
        return Failure(WebhookFailed(self.connector, reason, retry_at))


@final
class Webhook(
    msgspec.Struct, Generic[Conf_contra, Ctx_contra, Payload], frozen=True, kw_only=True, dict=True
):
    """How a connector receives webhooks.

    Attributes:
        payload: The type that the body is decoded into after its signature was verified. A
            tagged union of structs works.
        verification: The provider's signature scheme. There is no default.
        handler: Runs for each verified webhook of an enabled connection, after the provider
            got its response. It may return any problem. The event is not retried before the
            problem's `retry_at`, if it has one.
        type_header: The header that holds the event's type, which is the tag of the payload's
            union, as GitHub's `X-GitHub-Event`. "" for the scheme's own header, or if the type
            is in the body.
        keep_headers: Headers that the handler sees. They are sealed with the body.
        unknown_types: What happens to a verified event whose type is not one of the payload's
            union. The provider gets a 2xx, and `WebhookUnknownType` is published. "drop"
            stores nothing; "keep" makes the event a dead letter, for a replay.
        body_limit_bytes: A longer body is refused while it is being received.
        dedupe_identical_bodies_for: For a provider that signs neither an id nor a time: an
            identical body within this time is a duplicate. None: identical bodies are
            different events.
        order_key: Events of one connection for which this returns the same key are handled
            in order of arrival, one at a time. "" means no order. None: no event is ordered.
        when_disabled: What happens to events of a disabled connection. They are verified and
            get a 2xx; "hold" keeps them until the connection is enabled, "drop" drops them.
        retries: How a failed handler is retried.
        route: For a provider with one URL for the whole application,
            `POST {base}/webhooks/{connector}`: returns the upstream account or accounts that
            the payload names. All their connections get the event. If there are none, the
            response is 2xx and nothing is stored.
        application_secrets: The signing secrets for such a provider: one, or several during
            a rotation.
        account_of: Returns the upstream account of a connection from its config. None: the
            subject that authorized, for OAuth connectors.
        time_limit: A handler that runs longer is cancelled and has failed.
        keep_body_for: How long a body is kept after its event is done; 0 deletes it at once.
            An event without its body cannot be replayed.
        remember_for: How long an event's id is remembered, and a dead or held event is kept.
            At least as long as the provider retries a delivery.
    """

    payload: TypeForm[Payload]
    verification: Verification
    handler: Callable[
        [WebhookCall[Conf_contra, Ctx_contra, Payload]],
        Awaitable[Result[None, Problem]],
    ]
    type_header: str = ""
    keep_headers: tuple[str, ...] = ()
    unknown_types: Literal["drop", "keep"] = "drop"
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
    def reader(self) -> EventReader[Payload]:
        """Decodes and validates verified bodies."""
        format = body_format(self.verification)
        return EventReader(self.payload, format, is_header_alone=self.type_header != "")

    @cached_property
    def names_kept(self) -> frozenset[str]:
        """The lower-case names of the headers that are kept."""
        return frozenset(name.lower() for name in self.keep_headers)

    @cached_property
    def names_read(self) -> frozenset[str]:
        """The lower-case names of the headers that a delivery needs."""
        own = {self.type_header.lower()} if self.type_header else frozenset[str]()
        return headers_read(self.verification) | self.names_kept | own

    def type_of(self, request: HttpRequest) -> str:
        """The type that a header tells; "" if none does, or not with 1 to 255 printable ones."""
        scheme = self.verification
        if self.type_header:
            told = request.header(self.type_header)
        elif isinstance(scheme, HmacScheme) and scheme.type_header:
            told = read_header(scheme, request, scheme.type_header)
        else:
            return ""
        return told if told is not None and is_event_id(told) else ""


def webhook_fault(webhook: Webhook[Conf_contra, Ctx_contra, Payload]) -> str | None:
    """Why a webhook's options are not valid; None if they are."""
    secrets, scheme = webhook.application_secrets, webhook.verification
    if webhook.route is None and (secrets or webhook.account_of is not None):
        return "application_secrets and account_of need a route"
    if webhook.route is not None and not secrets and not isinstance(scheme, AcceptUnsignedEvents):
        return "a route needs application_secrets"
    for secret in secrets:
        fault = signing_secret_fault(scheme, secret)
        if fault is not None:
            return f"an application secret {fault}"
    if webhook.time_limit <= timedelta(0):
        return "a handler's time_limit must be over 0"
    if not timedelta(0) <= webhook.keep_body_for <= webhook.remember_for:
        return "keep_body_for must be at least 0 and at most remember_for"
    same_for = webhook.dedupe_identical_bodies_for
    if same_for is not None and not timedelta(0) < same_for <= webhook.remember_for:
        return "dedupe_identical_bodies_for must be over 0 and at most remember_for"
    return scheme_fault(webhook.verification) or retries_fault(webhook.retries)
