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
from igniter_connectors.core.secret import Secret

LIFETIME: Final = timedelta(minutes=10)
COOKIE_SECONDS: Final = 600


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


class AuthorizationRequest(msgspec.Struct, frozen=True):
    """Where to send the tenant's browser. The URL opens once, for 10 minutes."""

    url: str
    expires_in: timedelta = LIFETIME

    def __repr__(self) -> str:
        return "AuthorizationRequest(url='…')"


class CookieAuthorization(msgspec.Struct, frozen=True):
    """Where to send the tenant's browser, and the cookie to send with that redirect.

    `url` is the provider's; the way back is open for 10 minutes. `set_cookie` is the whole
    value of a `Set-Cookie` header.
    """

    url: str
    set_cookie: Secret
    expires_in: timedelta = LIFETIME

    def __repr__(self) -> str:
        return "CookieAuthorization(url='…')"


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


def cookie_name(state: str, *, secure: bool) -> str:
    """The cookie of one flow: two tabs do not overwrite one another.

    `__Host-` makes browsers refuse it unless it is Secure, with path / and no domain
    (RFC 6265bis section 4.1.3.2); plain http on loopback goes without.
    """
    return f"{'__Host-' if secure else ''}igniter-{state_hash(state).hex()[:8]}"


def set_cookie(name: str, nonce: str, *, secure: bool) -> str:
    """The `Set-Cookie` value that gives the browser its nonce."""
    flags = "; Secure" if secure else ""
    return f"{name}={nonce}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{flags}"


def clear_cookie(name: str, *, secure: bool) -> str:
    """The `Set-Cookie` value that takes it away again."""
    return f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def cookie_value(header: str | None, name: str) -> str | None:
    """A cookie's value out of a `Cookie` header; None where absent or given twice."""
    pairs = [pair.strip().partition("=") for pair in (header or "").split(";")]
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 else None


def _labelled(label: str, *texts: str) -> bytes:
    digest = hashlib.sha256(f"igniter-connectors oauth {label}".encode())
    for text in texts:
        part = text.encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest()
