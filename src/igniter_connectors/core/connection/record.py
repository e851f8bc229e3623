"""A connection as it is stored, as it is shown, and the transitions between its states."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Status = Literal["ok", "needs_reauth", "lost_rotation", "config_changed"]
"""Whether a connection's grant is believed alive; where it is not, only authorizing again mends
it. `lost_rotation`: probably lost between the provider's answer and this database.
`config_changed`: the config now leads to another endpoint or client than those that granted."""


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
