"""A connection as callers see it."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.connection.health import Health
from igniter_connectors.core.json_value import JsonValue

Conf_co = TypeVar("Conf_co", bound=msgspec.Struct, covariant=True)


class UpstreamAccount(msgspec.Struct, frozen=True):
    """Who signed in at the provider. `subject` identifies; the rest is for show, "" if unknown."""

    subject: str
    name: str = ""
    email: str = ""
    avatar: str = ""


class Authorization(msgspec.Struct, frozen=True):
    """What is known of a connection's grant, without its tokens.

    `expires_at` is the access token's end; None where the provider did not say.
    """

    oauth_scopes: tuple[str, ...]
    expires_at: datetime | None
    refreshed_at: datetime
    generation: int
    account: UpstreamAccount | None


class Connection(msgspec.Struct, Generic[Conf_co], frozen=True):
    """A tenant's connection, opened. `authorization` is None without OAuth."""

    connector: str
    account: str
    id: str
    config: Conf_co
    enabled: bool
    health: Health
    version: int
    created_at: datetime
    updated_at: datetime
    authorization: Authorization | None = None


class ConnectionSummary(msgspec.Struct, frozen=True):
    """A connection in a list: its config with every secret masked, {} where it is broken."""

    connector: str
    account: str
    id: str
    config: dict[str, JsonValue]
    enabled: bool
    health: Health
    version: int
    created_at: datetime
    updated_at: datetime
    authorization: Authorization | None = None
