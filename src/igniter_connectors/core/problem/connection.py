"""Problems of connections, their configs and their secrets."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class NotConnected(Problem, frozen=True, tag="CONNECTOR_NOT_CONNECTED"):
    """The tenant has no connection for this connector and account."""

    connector: str
    account: str = "default"
    template: ClassVar[str] = "{connector} (account {account!r}) is not connected: connect it first"


@final
class AlreadyConnected(Problem, frozen=True, tag="CONNECTOR_ALREADY_CONNECTED"):
    """The tenant already has this connection. Use `update` or `disconnect`."""

    connector: str
    account: str = "default"
    template: ClassVar[str] = (
        "{connector} (account {account!r}) is already connected: update or disconnect it"
    )


@final
class Disabled(Problem, frozen=True, tag="CONNECTOR_DISABLED"):
    """The connection is disabled."""

    connector: str
    template: ClassVar[str] = "{connector} is disabled: enable it first"


@final
class Conflict(Problem, frozen=True, tag="CONNECTOR_CONFLICT"):
    """Another caller changed the connection in the meantime. Read it again, then retry.

    `current_version` is the stored version; None if the connection was deleted.
    """

    connector: str
    current_version: int | None = None
    template: ClassVar[str] = "{connector} was changed in the meantime: read it again, then retry"


@final
class ConfigInvalid(Problem, frozen=True, tag="CONNECTOR_CONFIG_INVALID"):
    """The config does not match its type, or the connector's own check refused it.

    `path` is as in `$.chat_id`.
    """

    connector: str
    path: str
    reason: str
    template: ClassVar[str] = "{connector}: invalid config at {path}: {reason}"


@final
class DefaultConfigRequired(Problem, frozen=True, tag="CONNECTOR_DEFAULT_CONFIG_REQUIRED"):
    """An action was called without a tenant, and the connector has no default config."""

    connector: str
    template: ClassVar[str] = "{connector} has no default config: call the action for a tenant"


@final
class DecryptFailed(Problem, frozen=True, tag="CONNECTOR_DECRYPT_FAILED"):
    """A stored secret cannot be decrypted with any key of the keyring.

    Does not say why (tag, key or length), so that it tells an attacker nothing.
    """

    connector: str
    template: ClassVar[str] = (
        "{connector}: the stored secrets cannot be decrypted: was a key removed, or the row moved?"
    )


@final
class EncryptFailed(Problem, frozen=True, tag="CONNECTOR_ENCRYPT_FAILED"):
    """A value cannot be encrypted: it is over 1 MiB, or contains text that is not Unicode."""

    connector: str
    template: ClassVar[str] = "{connector}: the value cannot be encrypted"


@final
class DatabaseFailed(Problem, frozen=True, tag="CONNECTOR_DATABASE_FAILED"):
    """The database did not respond, or refused. Whether anything was written is unknown."""

    template: ClassVar[str] = "the database did not respond: try again"
