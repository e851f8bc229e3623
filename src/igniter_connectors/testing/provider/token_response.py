"""The responses of the fake provider's token endpoint."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from igniter_connectors.testing.provider.grants import Grant
from igniter_connectors.testing.provider.http_server import Response
from igniter_connectors.testing.provider.script import ProviderScript

_JSON = {"content-type": "application/json"}
_FORM = {"content-type": "application/x-www-form-urlencoded"}


def success_response(grant: Grant, script: ProviderScript, *, with_refresh_token: bool) -> Response:
    """The grant's tokens (RFC 6749 section 5.1)."""
    body: dict[str, str | int] = {
        "access_token": grant.access_token,
        "token_type": "Bearer",
        "expires_in": script.access_token_seconds,
    }
    if with_refresh_token:
        body["refresh_token"] = grant.refresh_token
    if script.oauth_scopes:
        body["scope"] = script.oauth_scopes
    if script.form_encoded:
        padding = b"&padding=" + b"x" * script.padding_bytes if script.padding_bytes else b""
        return Response(200, _FORM, urlencode(body).encode() + padding)
    return Response(200, _JSON, msgspec.json.encode(body) + b" " * script.padding_bytes)


def error_response(script: ProviderScript, *, status: int, error: str) -> Response:
    """An error (RFC 6749 section 5.2)."""
    headers = {**_JSON, "retry-after": script.retry_after} if script.retry_after else _JSON
    body = {"error": error, "error_description": script.error_description}
    return Response(
        200 if script.error_under_200 else status,
        headers,
        msgspec.json.encode(body) + b" " * script.padding_bytes,
    )
