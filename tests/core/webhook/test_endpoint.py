"""Endpoints: the stored hash of a token, and the repr."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.oauth.state import state_hash, ticket_hash
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.endpoint import WebhookEndpoint, token_hash

TOKENS = st.text(st.characters(codec="utf-8"))


@given(TOKENS, TOKENS)
def test_a_token_is_stored_as_a_hash_of_its_own(one: str, other: str) -> None:
    """Two tokens never share a row, and the hash does not reveal the token."""
    assert (token_hash(one) == token_hash(other)) == (one == other)
    assert token_hash(one) not in (state_hash(one), ticket_hash(one))


def test_the_hash_is_labelled_sha256() -> None:
    """Endpoints that are stored in databases are still found."""
    expected = hashlib.sha256(b"igniter-connectors webhook token\x00abc").digest()
    assert token_hash("abc") == expected


def test_an_endpoint_does_not_show_its_secrets() -> None:
    """Neither the URL nor the signing secret is in its repr."""
    endpoint = WebhookEndpoint("id", Secret("https://own.example/canary"), Secret("canary"))
    assert "canary" not in repr(endpoint)
