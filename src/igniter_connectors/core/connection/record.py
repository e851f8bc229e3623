"""A connection as it is stored: one row."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

Status = Literal["ok", "needs_reauth", "lost_rotation", "config_changed"]
"""Whether a connection's grant is believed to be alive. If not, only a new authorization helps.
`lost_rotation`: new tokens were probably lost between the provider's answer and this database.
`config_changed`: the config now names another endpoint or client than the grant's.
"""


DEFAULT_ACCOUNT = "default"


Tenant: TypeAlias = tuple[str, str]
"""The scope and the identity of a tenant."""


class ConnectionKey(msgspec.Struct, frozen=True, gc=False):
    """The key of a connection: one account of a tenant at one connector."""

    scope: str
    identity: str
    connector: str
    account: str = DEFAULT_ACCOUNT

    @property
    def tenant(self) -> tuple[str, str]:
        """The scope and the identity of its tenant."""
        return self.scope, self.identity


class Grant(msgspec.Struct, frozen=True, gc=False):
    """A provider's grant as it is stored: the tokens sealed, the rest in plain text.

    `generation` counts the token sets of this connection and never decreases. `grant_id` is
    random and new for each authorization. Instants are aware; None means that the provider did
    not say. `client_id` and `token_url` are the client and the endpoint that issued the tokens;
    the refresh token is sent to no other. `is_shared`: the tokens were adopted and are also used
    elsewhere, so they are neither refreshed nor revoked here.
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
    """One row. `id` is random; a later row with the same key has another one.

    `lease_owner` is set while a process refreshes the grant, or if it crashed while refreshing.
    `unresolved`: a refresh began whose outcome is unknown. `public_config` is JSON.
    `sealed_config` is an envelope with the fields that contain a secret, also as JSON.
    `version` counts the changes of config and `enabled`. `upstream` is the account at the
    provider that the config names, for the webhooks of the application; None if it names none.
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
    upstream: str | None = None
