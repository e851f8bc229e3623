"""Connections, their configs and their secrets."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class NotConnected(Problem, frozen=True, tag="CONNECTOR_NOT_CONNECTED"):
    """The tenant has no connection here."""

    connector: str
    account: str = "default"
    says: ClassVar[str] = "{connector} (account {account!r}) is not connected: connect it first"


@final
class AlreadyConnected(Problem, frozen=True, tag="CONNECTOR_ALREADY_CONNECTED"):
    """The tenant is connected here already; `update` or `disconnect` it."""

    connector: str
    account: str = "default"
    says: ClassVar[str] = (
        "{connector} (account {account!r}) is connected already: update or disconnect it"
    )


@final
class Disabled(Problem, frozen=True, tag="CONNECTOR_DISABLED"):
    """The connection is switched off."""

    connector: str
    says: ClassVar[str] = "{connector} is disabled: enable it first"


@final
class Conflict(Problem, frozen=True, tag="CONNECTOR_CONFLICT"):
    """Somebody else changed the connection; read it again and decide anew.

    `current_version` is what is stored now; None where the connection is gone.
    """

    connector: str
    current_version: int | None = None
    says: ClassVar[str] = "{connector} was changed meanwhile: read it again"


@final
class ConfigInvalid(Problem, frozen=True, tag="CONNECTOR_CONFIG_INVALID"):
    """A config does not fit its type or the connector's own check; `path` as in `$.chat_id`."""

    connector: str
    path: str
    reason: str
    says: ClassVar[str] = "{connector}: config at {path}: {reason}"


@final
class DefaultConfigRequired(Problem, frozen=True, tag="CONNECTOR_DEFAULT_CONFIG_REQUIRED"):
    """An action was called without a tenant, on a connector that has no default config."""

    connector: str
    says: ClassVar[str] = "{connector} has no default config: call the action for a tenant"


@final
class DecryptFailed(Problem, frozen=True, tag="CONNECTOR_DECRYPT_FAILED"):
    """A stored secret does not open in this place with any key of the keyring.

    Says nothing of why: not the tag, the key, or the length.
    """

    connector: str
    says: ClassVar[str] = (
        "{connector}: the stored secrets do not open; was a key removed, or the row moved?"
    )


@final
class EncryptFailed(Problem, frozen=True, tag="CONNECTOR_ENCRYPT_FAILED"):
    """A value could not be sealed: larger than 1 MiB, or not text that can be stored."""

    connector: str
    says: ClassVar[str] = "{connector}: the value cannot be sealed"


@final
class DatabaseFailed(Problem, frozen=True, tag="CONNECTOR_DATABASE_FAILED"):
    """The database did not answer, or refused. Nothing is known to have been written."""

    says: ClassVar[str] = "the database did not answer: try again"
