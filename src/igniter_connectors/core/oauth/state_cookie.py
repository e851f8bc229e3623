"""The state cookie: it binds an authorization to the browser that started it."""

from __future__ import annotations

from typing import Final

from igniter_connectors.core.oauth.state import state_hash

COOKIE_SECONDS: Final = 600


def cookie_name(state: str, *, secure: bool) -> str:
    """The cookie's name. Each flow has its own, so two tabs do not overwrite each other.

    With `__Host-`, a browser accepts the cookie only if it is Secure, has the path / and no
    domain (RFC 6265bis section 4.1.3.2). Plain http on loopback has to do without.
    """
    return f"{'__Host-' if secure else ''}igniter-{state_hash(state).hex()[:8]}"


def set_cookie(name: str, nonce: str, *, secure: bool) -> str:
    """The `Set-Cookie` value that stores the nonce in the browser."""
    flags = "; Secure" if secure else ""
    return f"{name}={nonce}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{flags}"


def clear_cookie(name: str, *, secure: bool) -> str:
    """The `Set-Cookie` value that deletes the cookie."""
    return f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}"


def cookie_value(header: str | None, name: str) -> str | None:
    """A cookie's value from a `Cookie` header; None if absent or given twice."""
    pairs = [pair.strip().partition("=") for pair in (header or "").split(";")]
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 else None
