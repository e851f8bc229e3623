"""Webhook endpoints: a random address a connection, and the secrets its provider signs with."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.secret import Secret


class EndpointRecord(msgspec.Struct, frozen=True, gc=False):
    """One stored endpoint. The token itself is nowhere: it was shown once.

    `id` is random, for naming the endpoint without opening it. `valid_until` is None
    while it is not being replaced. `sealed_previous` is the signing secret before this one,
    accepted beside it until `previous_until`; None where there is none.
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


class WebhookEndpoint(msgspec.Struct, frozen=True):
    """What to register at the provider, shown once.

    `url` is a secret: whoever knows it may post there. `signing_secret` is the one given,
    or a new one of the scheme's form.
    """

    id: str
    url: Secret
    signing_secret: Secret


class EndpointSummary(msgspec.Struct, frozen=True):
    """An endpoint in a list, without its URL and secrets.

    `valid_until` is when it ends, and `previous_until` when the signing secret before the
    present one does; None where neither is being replaced. An instant may have passed.
    """

    id: str
    created_at: datetime
    valid_until: datetime | None
    previous_until: datetime | None


def token_hash(token: str) -> bytes:
    """What is stored of a token. Random of 256 bits needs no key and no salt."""
    return hashlib.sha256(b"igniter-connectors webhook token\x00" + token.encode()).digest()
