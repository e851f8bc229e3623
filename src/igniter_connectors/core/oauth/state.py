"""The state of an authorization: usable once, within 10 minutes, bound to a browser and a subject.

It is stored on the server, as hashes and a sealed payload. Only this payload determines the tenant.
RFC 6749 section 10.12, RFC 9700 sections 2.1 and 4.7.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord

LIFETIME: Final = timedelta(minutes=10)


class PendingAuthorization(msgspec.Struct, frozen=True):
    """A stored authorization that has not finished.

    `handle_hash` is the hash of the start ticket until a browser opens it, and then of the
    state. `binding_hash` says who may continue. The statement that deletes the row compares
    both, so another browser can neither use nor invalidate it.
    """

    handle_hash: bytes
    binding_hash: bytes
    id: str
    key: ConnectionKey
    sealed_payload: bytes


class AuthorizationPayload(msgspec.Struct, frozen=True):
    """What the callback needs. It is sealed, because it contains config and verifier.

    `config` is JSON with plain-text secrets. With `keeps_config`, it does not replace the
    config of the row. `oauth_scopes` are the requested scopes. `expected_grant` is the id of the
    grant at the start of the authorization, or of the last one after a disconnect; None if
    nothing was ever connected. `seen_config` is the `config_digest` of the row at the start of
    the authorization: if the row has another one at the callback, its config stays.
    `verifier` is "" until a browser opens the ticket.
    """

    subject: str
    config: bytes
    oauth_scopes: tuple[str, ...]
    return_to: str
    expected_grant: str | None
    replace_account: bool
    keeps_config: bool = False
    verifier: str = ""
    seen_config: bytes | None = None

    def __repr__(self) -> str:
        return "AuthorizationPayload(…)"


def config_digest(record: ConnectionRecord | None) -> bytes | None:
    """A digest of a row's config as it is stored, to notice an update; None without a row."""
    if record is None:
        return None
    return hashlib.sha256(
        len(record.public_config).to_bytes(8, "big") + record.public_config + record.sealed_config
    ).digest()


def state_hash(state: str) -> bytes:
    """The stored hash of a state. A random value of 256 bits needs neither key nor salt."""
    return _labelled("state", state)


def ticket_hash(ticket: str) -> bytes:
    """The stored hash of a start ticket."""
    return _labelled("ticket", ticket)


def browser_binding(nonce: str, *principal: str) -> bytes:
    """Who may finish: this browser, while this principal is signed in.

    A principal is the tenant's kind, the tenant's identity and the subject, in this order.
    """
    return _labelled("browser", nonce, *principal)


def unbound_browser(*principal: str) -> bytes:
    """Who may finish a flow without browser binding: this principal, in any browser.

    It never matches a bound flow, whose hash includes the browser's nonce.
    """
    return _labelled("no browser", *principal)


def subject_binding(*principal: str) -> bytes:
    """Who may start: this principal, of this tenant and with this subject."""
    return _labelled("subject", *principal)


def _labelled(label: str, *texts: str) -> bytes:
    digest = hashlib.sha256(f"igniter-connectors oauth {label}".encode())
    for text in texts:
        part = text.encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()
