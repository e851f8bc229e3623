"""A connection as it is stored, as it is shown, and the transitions between its states."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, Literal

import msgspec
from typing_extensions import TypeVar

from igniter_connectors.core.connector.form_fields import JsonValue

Conf_co = TypeVar("Conf_co", bound=msgspec.Struct, covariant=True)

Status = Literal["ok", "needs_reauth", "lost_rotation", "config_changed"]
"""Whether a connection's grant is believed alive; where it is not, only authorizing again mends
it. `lost_rotation`: probably lost between the provider's answer and this database.
`config_changed`: the config now leads to another endpoint or client than those that granted."""

Health = Literal["ok", "needs_reauth", "lost_rotation", "config_changed", "disabled", "broken"]
"""`Status` as a user sees it: `disabled` by somebody, `broken` when the stored secrets or
config do not open."""

DEFAULT_ACCOUNT = "default"


class ConnectionKey(msgspec.Struct, frozen=True, gc=False):
    """The address of a connection: one tenant's account at one connector."""

    scope: str
    identity: str
    connector: str
    account: str = DEFAULT_ACCOUNT


class Grant(msgspec.Struct, frozen=True, gc=False):
    """What a provider granted, as stored: the tokens sealed, the rest in clear.

    `generation` counts the token sets of this connection and never goes down; `grant_id`
    is random and new at each authorization. Instants are aware; None means not said.
    `client_id` and `token_url` are of the client and the endpoint that minted the tokens:
    to no other is the refresh token sent. `is_shared`: adopted tokens that somebody else
    uses too, so that they are neither refreshed nor revoked from here.
    """

    sealed_tokens: bytes
    generation: int
    grant_id: str
    oauth_scopes: tuple[str, ...]
    refreshable: bool
    refreshed_at: datetime
    expires_at: datetime | None = None
    subject: str | None = None
    profile: bytes = b"null"
    client_id: str = ""
    token_url: str = ""
    refresh_expires_at: datetime | None = None
    is_shared: bool = False


class ConnectionRecord(msgspec.Struct, frozen=True, gc=False):
    """One row. `id` is random; a row made later under the same key has another.

    `lease_owner` is set while somebody refreshes the grant, or died doing so; `unresolved`
    says that a refresh was begun whose outcome is not known. `public_config` is JSON,
    `sealed_config` an envelope around the fields that hold a secret, as JSON too. `version`
    counts changes of config and of `enabled`.
    """

    key: ConnectionKey
    id: str
    public_config: bytes
    sealed_config: bytes
    enabled: bool
    version: int
    created_at: datetime
    updated_at: datetime
    status: Status = "ok"
    grant: Grant | None = None
    failures: int = 0
    next_attempt_at: datetime | None = None
    lease_owner: str | None = None
    unresolved: bool = False


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


def health_of(record: ConnectionRecord) -> Health:
    """What the row alone tells; whether it opens is found by opening it."""
    return record.status if record.enabled else "disabled"
