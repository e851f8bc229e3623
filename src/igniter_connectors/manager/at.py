"""One tenant at one connector: the address of a connection, whether or not it is connected."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Generic, final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connection.explanation import Explanation, explain
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.action import Action
from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.validation import decode_json, encode_json_to_seal
from igniter_connectors.core.problem import (
    CallProblem,
    ConfigInvalid,
    ConnectProblem,
    DatabaseFailed,
    DecryptFailed,
    DisconnectProblem,
    EncryptFailed,
    EndpointProblem,
    GetProblem,
    NotConnected,
    ToggleProblem,
    UpdateProblem,
    WebhookNotFound,
)
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.endpoint import WebhookEndpoint
from igniter_connectors.flows.actions.call_action import announced, call_action
from igniter_connectors.flows.connections import connect
from igniter_connectors.flows.connections import read_connection as inspect
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.sealing import open_bytes, place_of, seal_bytes
from igniter_connectors.flows.store_errors import guarded
from igniter_connectors.flows.webhooks import endpoints as endpoint
from igniter_connectors.flows.webhooks import inbox_admin as events
from igniter_connectors.manager.webhooks import ConnectionWebhooks

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx_co = TypeVar("Ctx_co", covariant=True)
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")


@final
class BoundAction(msgspec.Struct, Generic[In, Out], frozen=True, eq=False):
    """An action of one connection, ready to be called."""

    # A struct, since one is made for each call: half of what `__init__` in Python costs.
    _at: At[Any, Any]
    _action: Action[Any, Any, In, Out]

    def call(self, input: In) -> Coroutine[object, None, Result[Out, CallProblem]]:
        """Runs the action.

        The input is checked before the handler runs and the output after. An expired
        access token is renewed first, once for all who wait.

        Returns:
            The output, or
            - `NotConnected`, `Disabled`: nothing to call with.
            - `ActionNotFound`: the action was never added to this connector.
            - `ActionInputInvalid`, `ActionOutputInvalid`: path and rule, never the value.
            - `ActionFailed`: the handler said so, or raised.
            - `NeedsReauth`: the tenant has to authorize again.
            - `MissingScopes`: the tenant did not grant what the action declares.
            - `RefreshFailed`: the token expired and could not be renewed now; `retry_at`.
            - `ConfigInvalid`: the config type changed and what is stored fits no more.
            - `DecryptFailed`: what is stored does not open with the keys at hand.
            - `DatabaseFailed`: the database did not answer.
        """
        at, action = self._at, self._action
        engine = at._engine  # pyright: ignore[reportPrivateUsage]  # one thing in two classes
        key = at._key  # pyright: ignore[reportPrivateUsage]
        running = call_action(
            engine,
            at._connector,  # pyright: ignore[reportPrivateUsage]
            action,
            at._tenant,  # pyright: ignore[reportPrivateUsage]
            key,
            input,
        )
        if engine.event_bus.is_silent:
            return running
        return announced(engine, running, action.key, key)


class At(Generic[Conf, Ctx_co]):
    """What config and OAuth connectors have in common."""

    __slots__ = ("_connector", "_engine", "_key", "_tenant")

    def __init__(
        self,
        engine: Engine,
        connector: Definition[Conf, Ctx_co, Any],
        tenant: Scope,
        key: ConnectionKey,
    ) -> None:
        self._engine = engine
        self._connector = connector
        self._tenant = tenant
        self._key = key

    async def get(self) -> Result[Connection[Conf], GetProblem]:
        """The connection, opened.

        Returns:
            It, or `NotConnected`, `ConfigInvalid` (the type changed since), `DecryptFailed`,
            `DatabaseFailed`.
        """
        return await guarded(self._engine, self._get())

    async def update(
        self, config: Conf, *, version: int | None = None
    ) -> Result[Connection[Conf], UpdateProblem]:
        """Replaces the config. Tokens, webhooks and whether it is enabled stay.

        Args:
            config: The whole new config.
            version: The version seen; another one stored is a `Conflict`. None means
                whatever is stored when this begins.

        Returns:
            The connection as it is now, or `NotConnected`, `Conflict`, `ConfigInvalid`,
            `EncryptFailed`, `DatabaseFailed`.
        """
        return await guarded(self._engine, self._update(config, version))

    async def enable(self) -> Result[None, ToggleProblem]:
        """Switches the connection on; no mistake where it is on. Held webhooks are handled."""
        return await guarded(self._engine, self._enable())

    async def disable(self) -> Result[None, ToggleProblem]:
        """Switches the connection off: actions give `Disabled`, and webhooks are held or
        dropped, as the connector says."""
        return await guarded(self._engine, connect.switch(self._engine, self._key, enabled=False))

    async def disconnect(self) -> Result[None, DisconnectProblem]:
        """Takes the connection away: config, tokens and webhook endpoints are deleted.

        Where the provider can revoke tokens they are kept sealed until it has, which happens
        afterwards, here or in another process.
        """
        return await guarded(self._engine, self._disconnect())

    def action(self, action: Action[Conf, Ctx_co, In, Out]) -> BoundAction[In, Out]:
        """An action of this connection."""
        return BoundAction(self, action)

    async def explain(self) -> Result[Explanation, DatabaseFailed]:
        """What state the connection is in, why, and what to do. Changes nothing, asks nobody."""
        return await guarded(self._engine, self._explain())

    async def create_webhook(
        self, *, signing_secret: Secret | None = None
    ) -> Result[WebhookEndpoint, EndpointProblem]:
        """A webhook endpoint of this connection, beside those there are.

        Args:
            signing_secret: What the provider signs with. None makes a new one, for
                providers that take yours; where the provider gives it only after the URL
                is registered, follow with `replace_webhook_secret`.

        Returns:
            The URL and the secret, shown this once; or `WebhookNotConfigured`,
            `NotConnected`, `WebhookSecretInvalid`, `EncryptFailed`, `DatabaseFailed`.
        """
        return await guarded(
            self._engine,
            endpoint.create_endpoint(
                self._engine,
                self._connector,
                self._key,
                signing_secret,
            ),
        )

    async def replace_webhook_secret(
        self, endpoint_id: str, secret: Secret, *, overlap: timedelta = timedelta(0)
    ) -> Result[None, EndpointProblem | WebhookNotFound]:
        """Another signing secret for one of this connection's endpoints.

        Args:
            endpoint_id: Which.
            secret: The new one.
            overlap: How long the one before is accepted beside it, by the database's clock;
                one still older is accepted no more.
        """
        return await guarded(
            self._engine,
            endpoint.replace_secret(
                self._engine, self._connector, self._key, endpoint_id, secret, overlap=overlap
            ),
        )

    @property
    def webhooks(self) -> ConnectionWebhooks:
        """This connection's endpoints, and what came in at them."""
        return ConnectionWebhooks(self._engine, self._connector, self._key)

    def seal_config(self, config: Conf) -> Result[Secret, ConfigInvalid | EncryptFailed]:
        """A config sealed for this tenant and connector, to keep elsewhere.

        Returns:
            The envelope in hex, typed `Secret` so that it does not stray into logs; or
            `ConfigInvalid`, `EncryptFailed`.
        """
        checked = self._connector.schema.validate(config)
        if not is_successful(checked):
            fault = checked.failure()
            return Failure(ConfigInvalid(self._connector.key, fault.path, fault.reason))
        encoded = encode_json_to_seal(checked.unwrap())
        if not is_successful(encoded):
            fault = encoded.failure()
            return Failure(ConfigInvalid(self._connector.key, fault.path, fault.reason))
        sealed = seal_bytes(self._engine, encoded.unwrap(), place_of("export", self._key, ""))
        return sealed.map(lambda octets: Secret(octets.hex()))

    def open_config(self, sealed: Secret) -> Result[Conf, ConfigInvalid | DecryptFailed]:
        """What `seal_config` sealed at this same address; no other opens it."""
        try:
            octets = bytes.fromhex(sealed.reveal())
        except ValueError:
            return Failure(DecryptFailed(self._connector.key))
        opened = open_bytes(self._engine, octets, place_of("export", self._key, ""))
        if not is_successful(opened):
            return Failure(opened.failure())
        config = decode_json(opened.unwrap(), self._connector.schema.kind)
        return config.alt(
            lambda fault: ConfigInvalid(self._connector.key, fault.path, fault.reason)
        )

    async def _get(self) -> Result[Connection[Conf], GetProblem]:
        record = await self._engine.store.find(self._key)
        if record is None:
            return Failure(NotConnected(self._connector.key, self._key.account))
        return self._opened(record)

    def _opened(
        self, record: ConnectionRecord
    ) -> Result[Connection[Conf], ConfigInvalid | DecryptFailed]:
        return inspect.open_connection(self._engine, self._connector, record)

    async def _update(
        self, config: Conf, version: int | None
    ) -> Result[Connection[Conf], UpdateProblem]:
        stored = await connect.update(
            self._engine, self._connector, self._key, config, version=version
        )
        return self._opened(stored.unwrap()) if is_successful(stored) else Failure(stored.failure())

    async def _disconnect(self) -> Result[None, DisconnectProblem]:
        ended = await connect.disconnect(self._engine, self._connector, self._key)
        webhook = self._connector.webhook
        if is_successful(ended) and webhook is not None and webhook.account_of is not None:
            await self._engine.store.routing.forget_accounts(self._key)
        return ended

    async def _enable(self) -> Result[None, ToggleProblem]:
        switched = await connect.switch(self._engine, self._key, enabled=True)
        if not is_successful(switched) or self._connector.webhook is None:
            return switched
        if await self._engine.store.inbox.release(self._key):
            self._engine.deliveries.wake()
        return switched

    async def _explain(self) -> Result[Explanation, DatabaseFailed]:
        record = await self._engine.store.find(self._key)
        opens = record is not None and is_successful(self._opened(record))
        told = explain(record, opens=opens, now=self._engine.clock.now())
        if self._connector.webhook is None:
            return Success(told)
        last = await events.last_event(self._engine, self._key)
        return Success(msgspec.structs.replace(told, last_webhook=last))


@final
class AtConfig(At[Conf, Ctx_co]):
    """A tenant at a connector that a config alone connects."""

    __slots__ = ()

    async def connect(self, config: Conf) -> Result[Connection[Conf], ConnectProblem]:
        """Connects. The config is checked, its secrets sealed, and the row written, or nothing.

        Returns:
            The connection, or
            - `AlreadyConnected`: use `update`, or `disconnect` first.
            - `ConfigInvalid`: the type or the connector's own check refuses it.
            - `EncryptFailed`: over 1 MiB of secrets.
            - `DatabaseFailed`.
        """
        return await guarded(self._engine, self._connect(config))

    async def _connect(
        self, config: Conf
    ) -> Result[Connection[Conf], ConnectProblem | DecryptFailed]:
        stored = await connect.connect(self._engine, self._connector, self._key, config)
        return self._opened(stored.unwrap()) if is_successful(stored) else Failure(stored.failure())
