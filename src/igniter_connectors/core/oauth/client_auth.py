"""How the client proves itself at the token endpoint, one way a request. RFC 6749 section 2.3."""

from __future__ import annotations

import base64
from typing import assert_never
from urllib.parse import quote_plus

from igniter_connectors.core.http import HttpRequest, form_body
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of


def token_request(provider: OAuthProvider, fields: dict[str, str]) -> HttpRequest:
    """A form posted to the token endpoint, with the client's authentication.

    `client_secret_basic` form-encodes both halves before joining them (section 2.3.1), so
    that a `:` or `%` in a secret survives. Asks for JSON, which GitHub needs to be told.
    """
    headers = [
        ("Accept", "application/json"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ]
    form = dict(provider.token_parameters) | fields
    secret = provider.client_secret.reveal() if provider.client_secret is not None else ""
    match authentication_of(provider):
        case "client_secret_basic":
            pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
            headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        case "client_secret_post":
            form |= {"client_id": provider.client_id, "client_secret": secret}
        case "none":
            form |= {"client_id": provider.client_id}
        case "private_key_jwt":
            raise NotImplementedError("signing comes with the next change")
        case never:
            assert_never(never)
    return HttpRequest("POST", provider.token_url, tuple(headers), form_body(form))
