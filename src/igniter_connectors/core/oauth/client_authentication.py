"""Client authentication at the provider, with one method in each request. RFC 6749 section 2.3."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, assert_never
from urllib.parse import quote

import msgspec

from igniter_connectors.core.http.messages import HttpRequest, form_body
from igniter_connectors.core.oauth.client_assertion import SigningContext, assertion_fields
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of, headers_of

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


def token_request(
    provider: OAuthProvider, fields: Mapping[str, str], *, signing: SigningContext | None = None
) -> HttpRequest:
    """A POST to the token endpoint, with the client's authentication.

    The body is a form, or JSON if the provider declares that (`token_body`). `signing` is as in
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
    """A POST to one of the provider's endpoints, with the client's authentication.

    `client_secret_basic` form-encodes both parts before joining them (section 2.3.1), so a `:`
    or `%` in a secret is safe. The `Accept` header asks for JSON, which GitHub requires.

    Args:
        signing: Required for `private_key_jwt`; other methods ignore it.

    Raises:
        ValueError: The client uses `private_key_jwt`, but `signing` is None. This is a bug in
            the caller.
    """
    headers = [("Accept", _JSON), ("Content-Type", _JSON if is_json else _FORM)]
    form = dict(fields)
    secret = provider.client_secret.reveal() if provider.client_secret is not None else ""
    match authentication_of(provider):
        case "client_secret_basic":
            # Encode a space as %20. A form may use + too, but Authlib 1.9 does not decode it.
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        case "client_secret_post":
            form |= {"client_id": provider.client_id, "client_secret": secret}
        case "private_key_jwt":
            if signing is None:
                raise ValueError("a client that signs needs a signing context")
            form |= assertion_fields(provider, signing, endpoint=url)
        case "none":
            form |= {"client_id": provider.client_id}
        case never:
            assert_never(never)
    body = msgspec.json.encode(form) if is_json else form_body(form)
    headers += headers_of(provider)
    return HttpRequest("POST", url, tuple(headers), body, provider.has_tenant_host)
