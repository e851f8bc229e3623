"""Webhook endpoints: random URLs of a connection, and the secrets that its provider signs with."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.secret import Secret


class EndpointRecord(msgspec.Struct, frozen=True, gc=False):
    """One stored endpoint. Its token is not stored: it was shown once.

    `id` is random and names the endpoint without giving access to it. `valid_until` is None
    unless the endpoint is being replaced. `sealed_previous` is the previous signing secret,
    also accepted until `previous_until`; None if there is none. `replaced_by` is the id of the
    endpoint that a rotation put in the place of this one, or None.
    """

    token_hash: bytes
    id: str
    key: ConnectionKey
    connection_id: str
    sealed_secret: bytes
    created_at: datetime
    valid_until: datetime | None = None
    sealed_previous: bytes | None = None
    previous_until: datetime | None = None
    replaced_by: str | None = None


class WebhookEndpoint(msgspec.Struct, frozen=True):
    """A new endpoint, to register at the provider. Shown once.

    `url` is a secret: anyone who knows it can post there. `signing_secret` is the given one,
    or a new one in the scheme's format.
    """

    id: str
    url: Secret
    signing_secret: Secret


class EndpointSummary(msgspec.Struct, frozen=True):
    """An endpoint in a list, without its URL and secrets.

    `valid_until` is when the endpoint ends; `previous_until` is when the previous signing
    secret ends. None if it is not being replaced. Both may be in the past. `replaced_by` is the id
    of the endpoint that `rotate` put in its place, or None.
    """

    id: str
    created_at: datetime
    valid_until: datetime | None
    previous_until: datetime | None
    replaced_by: str | None = None


class WrongRoute(msgspec.Struct, frozen=True):
    """A connection whose stored account at the provider is not the one that its config names.

    `scope` and `identity` are the tenant's, `account` is the tenant's account at the connector.
    `stored` is the account whose events the connection gets, `named` the one that `account_of`
    returns for its config. None: no account.
    """

    scope: str
    identity: str
    connector: str
    account: str
    stored: str | None
    named: str | None


def token_hash(token: str) -> bytes:
    """The stored hash of a token. A token has 256 random bits, so it needs no key and no salt."""
    return hashlib.sha256(b"igniter-connectors webhook token\x00" + token.encode()).digest()
