"""A code for tokens. RFC 6749 section 4.1.3, RFC 7636 section 4.5."""

from __future__ import annotations

from igniter_connectors.core.http import HttpRequest
from igniter_connectors.core.oauth.client_auth import token_request
from igniter_connectors.core.oauth.provider import OAuthProvider


def exchange_request(
    provider: OAuthProvider, *, code: str, verifier: str, redirect_uri: str
) -> HttpRequest:
    """The request that spends a code; its answer goes to `token.judge_token`.

    `redirect_uri` is byte for byte what the authorization request said.
    """
    return token_request(
        provider,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
    )
