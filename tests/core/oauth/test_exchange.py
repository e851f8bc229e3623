"""A code for tokens. RFC 6749 section 4.1.3."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.oauth.exchange import exchange_request

from .providers import PROVIDER

TEXT = st.text(st.characters(codec="utf-8"))


@given(TEXT, TEXT)
def test_the_request_carries_code_verifier_and_redirect_uri(code: str, redirect_uri: str) -> None:
    """Byte for byte what the authorization request said, whatever characters are in it."""
    request = exchange_request(PROVIDER, code=code, verifier="v" * 43, redirect_uri=redirect_uri)
    assert dict(parse_qsl(request.body.decode("ascii"), keep_blank_values=True)) == {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": "v" * 43,
    }
    assert request.url == PROVIDER.token_url
