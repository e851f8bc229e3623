"""The cookie that binds an authorization to one browser."""

from __future__ import annotations

from typing import Final

from igniter_connectors.core.oauth.state import state_hash

COOKIE_SECONDS: Final = 600


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
