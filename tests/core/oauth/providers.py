"""Providers, responses and tokens for the tests of OAuth."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.core.secret import Secret

PROVIDER: Final = OAuthProvider(
    authorization_url="https://provider.example/authorize",
    token_url="https://provider.example/token",
    client_id="client",
    client_secret=Secret("client-secret"),
)

SPENT: Final = TokenSet(
    access_token=Secret("old-access"),
    refresh_token=Secret("old-refresh"),
    oauth_scopes=("read", "write"),
)


# Any, as in `dataclasses.replace`: each field has a type of its own.
def provider(**changes: Any) -> OAuthProvider:
    """A valid provider with the given changes."""
    return replace(PROVIDER, **changes)


def answer(body: object, status: int = 200, **headers: str) -> HttpResponse:
    """A JSON response; bytes are sent unchanged. `_` in a header's name means `-`."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpResponse(status, named, raw)
