"""A connection as callers see it: decrypted, or as a summary without secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Generic

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.connection.health import Health
from igniter_connectors.core.json_value import JsonValue

Conf_co = TypeVar("Conf_co", bound=msgspec.Struct, covariant=True)


class UpstreamAccount(msgspec.Struct, frozen=True):
    """The account at the provider.

    `subject` identifies it. The other members are for display, "" if unknown.
    """

    subject: str
    name: str = ""
    email: str = ""
    avatar: str = ""


class Authorization(msgspec.Struct, frozen=True):
    """What is known about a connection's grant, without its tokens.

    `expires_at` is the expiry of the access token; None if the provider did not say.
    """

    oauth_scopes: tuple[str, ...]
    expires_at: datetime | None
    refreshed_at: datetime
    generation: int
    account: UpstreamAccount | None


class Connection(msgspec.Struct, Generic[Conf_co], frozen=True):
    """A tenant's connection with its decrypted config. `authorization` is None without OAuth."""

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
    """A connection in a list. Its config has every secret masked, and is {} if it is broken."""

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
