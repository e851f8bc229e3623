"""One tenant at one connector: the address of a connection, whether or not it is connected."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Generic, final

import msgspec
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.explanation import Explanation
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.connector.action import Action
from igniter_connectors.core.connector.definition import Definition
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
    ToggleProblem,
    UpdateProblem,
    WebhookNotFound,
)
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.endpoint import WebhookEndpoint
from igniter_connectors.flows import sealing
from igniter_connectors.flows.actions.call_action import call_action, published
from igniter_connectors.flows.connections import connect, disconnect, read_connection, update
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.webhooks import endpoints
from igniter_connectors.manager.webhooks import ConnectionWebhooks

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx_co = TypeVar("Ctx_co", covariant=True)
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")


@final
class BoundAction(msgspec.Struct, Generic[In, Out], frozen=True, eq=False):
    """An action of one connection, ready to be called."""

    # A struct, since one is made for each call: an `__init__` in Python costs twice as much.
    _at: At[Any, Any]
    _action: Action[Any, Any, In, Out]

    def call(self, input: In) -> Coroutine[object, None, Result[Out, CallProblem]]:
        """Runs the action.

        The input is checked before the handler runs and the output after. An expired
        access token is renewed first, once for all who wait.

        Returns:
            The output, or
            - `NotConnected`, `Disabled`: there is no usable connection.
            - `ActionNotFound`: the action was never added to this connector.
            - `ActionInputInvalid`, `ActionOutputInvalid`: with path and rule, never the value.
            - `ActionFailed`: the handler returned it, or raised.
            - `NeedsReauth`: the tenant has to authorize again.
            - `MissingScopes`: the tenant did not grant the scopes that the action declares.
            - `RefreshFailed`: the token expired and cannot be renewed now; see `retry_at`.
            - `ConfigInvalid`: the config type changed, and the stored config does not fit it.
            - `DecryptFailed`: no key of the keyring opens the stored secrets.
            - `DatabaseFailed`: the database did not answer.
        """
        at, action = self._at, self._action
        engine = at._engine  # pyright: ignore[reportPrivateUsage]  # one object in two classes
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
        return published(engine, running, action.key, key)


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
            The connection, or `NotConnected`, `ConfigInvalid` (the config type changed since),
            `DecryptFailed`, `DatabaseFailed`.
        """
        return await read_connection.get_connection(self._engine, self._connector, self._key)

    async def update(
        self, config: Conf, *, version: int | None = None
    ) -> Result[Connection[Conf], UpdateProblem]:
        """Replaces the config. Tokens, webhooks and `enabled` do not change.

        You may repeat the call if its answer was lost: the config that is stored already changes
        nothing. With a `version`, the repeated call is a `Conflict` if the first one was done: it
        cannot be told from an equal change of somebody else. Read the connection then.

        Args:
            config: The whole new config.
            version: The version that was seen. If another version is stored, the result
                is a `Conflict`. None means the version that is stored when this begins.

        Returns:
            The connection as it is now, or `NotConnected`, `Conflict`, `ConfigInvalid`,
            `EncryptFailed`, `DatabaseFailed`.
        """
        return await update.update(
            self._engine, self._connector, self._key, config, version=version
        )

    async def enable(self) -> Result[None, ToggleProblem]:
        """Enables the connection. Webhook events that were held are handled.

        Enabling twice is allowed.

        Returns:
            None, or `NotConnected`, `DatabaseFailed`.
        """
        return await update.enable(self._engine, self._connector, self._key)

    async def disable(self) -> Result[None, ToggleProblem]:
        """Disables the connection: actions return `Disabled`, and webhook events are held or
        dropped, as the connector declares.

        Disabling twice is allowed.

        Returns:
            None, or `NotConnected`, `DatabaseFailed`.
        """
        return await update.disable(self._engine, self._key)

    async def disconnect(self) -> Result[None, DisconnectProblem]:
        """Deletes the connection: its config, its tokens and its webhook endpoints.

        If the provider can revoke tokens, they are queued for revocation, sealed. They are
        revoked afterwards, in this process or in another one.

        Returns:
            None, or `NotConnected`, `DatabaseFailed`.
        """
        return await disconnect.disconnect(self._engine, self._connector, self._key)

    def action(self, action: Action[Conf, Ctx_co, In, Out]) -> BoundAction[In, Out]:
        """An action of this connection."""
        return BoundAction(self, action)

    async def explain(self) -> Result[Explanation, DatabaseFailed]:
        """The state of the connection, the reason and the remedy.

        Changes nothing, and sends no request. Also for a tenant that is not connected.
        """
        return await read_connection.explain_connection(self._engine, self._connector, self._key)

    async def create_webhook(
        self, *, signing_secret: Secret | None = None
    ) -> Result[WebhookEndpoint, EndpointProblem]:
        """Creates another webhook endpoint of this connection.

        After `DatabaseFailed` you may call it again: an endpoint whose URL nobody learned is
        deleted once the database answers.

        Args:
            signing_secret: The secret that the provider signs with. None creates a secret,
                for a provider that accepts yours. If the provider issues the secret only
                after the URL is registered, call `replace_webhook_secret` afterwards.

        Returns:
            The URL and the secret, which are shown only once; or `WebhookNotConfigured`,
            `NotConnected`, `WebhookSecretInvalid`, `EncryptFailed`, `DatabaseFailed`.
        """
        return await endpoints.create_endpoint(
            self._engine, self._connector, self._key, signing_secret
        )

    async def replace_webhook_secret(
        self, endpoint_id: str, secret: Secret, *, overlap: timedelta = timedelta(0)
    ) -> Result[None, EndpointProblem | WebhookNotFound]:
        """Replaces the signing secret of one of this connection's endpoints.

        You may repeat the call if its answer was lost: the secret that is stored already leaves
        the previous one accepted, until the sooner of both ends.

        Args:
            endpoint_id: The endpoint's id.
            secret: The new secret.
            overlap: How long the previous secret is still accepted, by the database's
                clock. Older secrets are not accepted any more.

        Returns:
            None, or `WebhookNotFound`, `WebhookNotConfigured`, `WebhookSecretInvalid`,
            `EncryptFailed`, `DatabaseFailed`.
        """
        return await endpoints.replace_secret(
            self._engine, self._connector, self._key, endpoint_id, secret, overlap=overlap
        )

    @property
    def webhooks(self) -> ConnectionWebhooks:
        """This connection's webhook endpoints, and the events that they received."""
        return ConnectionWebhooks(self._engine, self._connector, self._key)

    def seal_config(self, config: Conf) -> Result[Secret, ConfigInvalid | EncryptFailed]:
        """Seals a config for this tenant, connector and account, to keep it elsewhere.

        Returns:
            The envelope in hex, as a `Secret`, so that it does not reach logs; or
            `ConfigInvalid`, `EncryptFailed`.
        """
        return sealing.seal_to_export(self._engine, self._connector, self._key, config)

    def open_config(self, sealed: Secret) -> Result[Conf, ConfigInvalid | DecryptFailed]:
        """Opens a config that `seal_config` sealed for the same tenant, connector and account.

        Returns:
            The config, or `ConfigInvalid`, `DecryptFailed` (also for another address).
        """
        return sealing.open_exported(self._engine, self._connector, self._key, sealed)


@final
class AtConfig(At[Conf, Ctx_co]):
    """A tenant at a connector that is connected with a config alone."""

    __slots__ = ()

    async def connect(self, config: Conf) -> Result[Connection[Conf], ConnectProblem]:
        """Connects: checks the config, seals its secrets, and stores the row, or nothing.

        Returns:
            The connection, or
            - `AlreadyConnected`: use `update`, or `disconnect` first.
            - `ConfigInvalid`: the config type or the connector's own check refuses it.
            - `EncryptFailed`: more than 1 MiB of secrets.
            - `DecryptFailed`, `DatabaseFailed`.
        """
        return await connect.connect(self._engine, self._connector, self._key, config)
