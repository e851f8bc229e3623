"""The state of an authorization: one use, 10 minutes, bound to a browser and a subject.

It lives on the server, as hashes and a sealed payload; the tenant comes from there alone.
RFC 6749 section 10.12, RFC 9700 sections 2.1 and 4.7.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey

LIFETIME: Final = timedelta(minutes=10)


class PendingAuthorization(msgspec.Struct, frozen=True):
    """A stored authorization that has begun.

    `handle_hash` is of the ticket until a browser opens it, then of the state;
    `binding_hash` is of who may take it. Both must match, in the statement that deletes
    it, so that a stranger's try neither succeeds nor burns it.
    """

    handle_hash: bytes
    binding_hash: bytes
    id: str
    key: ConnectionKey
    sealed_payload: bytes


class AuthorizationPayload(msgspec.Struct, frozen=True):
    """What the callback needs to know again; sealed, since it holds config and verifier.

    `config` is JSON with its secrets in clear; `keeps_config`: what the row holds by then is
    not replaced by it. `oauth_scopes` are those asked for.
    `expected_grant` is the id of the grant that stood when the authorization began, or of
    the last one where it was disconnected; None where nothing was ever connected.
    `verifier` is "" before a browser has opened the ticket.
    """

    subject: str
    config: bytes
    oauth_scopes: tuple[str, ...]
    return_to: str
    expected_grant: str | None
    replace_account: bool
    keeps_config: bool = False
    verifier: str = ""

    def __repr__(self) -> str:
        return "AuthorizationPayload(…)"


def state_hash(state: str) -> bytes:
    """What is stored of a state. Random of 256 bits needs no key and no salt."""
    return _labelled("state", state)


def ticket_hash(ticket: str) -> bytes:
    """What is stored of a start ticket."""
    return _labelled("ticket", ticket)


def browser_binding(nonce: str, subject: str) -> bytes:
    """Who may finish: this browser, with this subject signed in."""
    return _labelled("browser", nonce, subject)


def unbound_browser(subject: str) -> bytes:
    """Who may finish where no browser was bound: anyone with this subject signed in. It fits no
    flow that is bound, whose nonce is part of what is compared."""
    return _labelled("no browser", subject)


def subject_binding(subject: str) -> bytes:
    """Who may begin: this subject."""
    return _labelled("subject", subject)


def _labelled(label: str, *texts: str) -> bytes:
    digest = hashlib.sha256(f"igniter-connectors oauth {label}".encode())
    for text in texts:
        part = text.encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()
