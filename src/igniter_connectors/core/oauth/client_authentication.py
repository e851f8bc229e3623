"""How the client proves itself to the provider, one way a request. RFC 6749 section 2.3."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, assert_never
from urllib.parse import quote

import msgspec

from igniter_connectors.core.http.messages import HttpRequest, form_body
from igniter_connectors.core.oauth.client_assertion import SigningContext, assertion_fields
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


def token_request(
    provider: OAuthProvider, fields: Mapping[str, str], *, signing: SigningContext | None = None
) -> HttpRequest:
    """Fields posted to the token endpoint, with the client's authentication.

    A form, or JSON where the provider declares that (`token_body`). `signing` as in
    `client_request`.
    """
    return client_request(
        provider,
        provider.token_url,
        dict(provider.token_parameters) | dict(fields),
        signing=signing,
        is_json=provider.token_body == "json",  # noqa: S105  # a format, not a token
    )


def client_request(
    provider: OAuthProvider,
    url: str,
    fields: Mapping[str, str],
    *,
    signing: SigningContext | None,
    is_json: bool = False,
) -> HttpRequest:
    """Fields posted to one of the provider's endpoints, with the client's authentication.

    `client_secret_basic` form-encodes both halves before joining them (section 2.3.1), so
    that a `:` or `%` in a secret survives. Asks for JSON, which GitHub needs to be told.

    Args:
        signing: For a client that signs (`private_key_jwt`); the others need none.

    Raises:
        ValueError: a client that signs, without a moment: a fault of the caller's.
    """
    headers = [("Accept", _JSON), ("Content-Type", _JSON if is_json else _FORM)]
    form = dict(fields)
    secret = provider.client_secret.reveal() if provider.client_secret is not None else ""
    match authentication_of(provider):
        case "client_secret_basic":
            # A space as %20: a form may say + too, which Authlib 1.9 does not read.
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        case "client_secret_post":
            form |= {"client_id": provider.client_id, "client_secret": secret}
        case "private_key_jwt":
            if signing is None:
                raise ValueError("a client that signs needs a signing context")
            form |= assertion_fields(provider, signing)
        case "none":
            form |= {"client_id": provider.client_id}
        case never:
            assert_never(never)
    body = msgspec.json.encode(form) if is_json else form_body(form)
    return HttpRequest("POST", url, tuple(headers), body, provider.has_tenant_host)
