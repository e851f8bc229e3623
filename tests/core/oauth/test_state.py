"""The state of an authorization: its hashes and its bindings."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.state import (
    AuthorizationPayload,
    browser_binding,
    state_hash,
    subject_binding,
    ticket_hash,
    unbound_browser,
)

CANARY = "canary-5f1d"
STATES = st.binary(min_size=32, max_size=32).map(encode_base64url)
ANY_TEXT = st.text(st.characters(codec=None))


# --- hashes ---------------------------------------------------------------------------------


@given(ANY_TEXT, ANY_TEXT)
def test_a_hash_is_of_one_text_alone(one: str, other: str) -> None:
    """Two states, tickets or subjects never share a row."""
    for hashed in (state_hash, ticket_hash, subject_binding):
        assert (hashed(one) == hashed(other)) == (one == other)
        assert len(hashed(one)) == 32


@given(ANY_TEXT)
def test_no_kind_of_hash_stands_in_for_another(text: str) -> None:
    """A ticket is not a state, and a subject is not a browser, even with equal text."""
    hashes = {
        state_hash(text),
        ticket_hash(text),
        subject_binding(text),
        browser_binding(text, ""),
        browser_binding("", text),
        unbound_browser(text),
    }
    assert len(hashes) == (6 if text else 5)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_browser_is_none_that_a_nonce_could_name(nonce: str, one: str, other: str) -> None:
    """A bound flow cannot be finished without its binding, and vice versa."""
    assert unbound_browser(one) != browser_binding(nonce, other)
    assert (unbound_browser(one) == unbound_browser(other)) == (one == other)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example("ab", "c", "a", "bc")
@example("", "a", "a", "")
@example("a\x00", "b", "a", "\x00b")
def test_browser_and_subject_bind_each_for_itself(a: str, b: str, c: str, d: str) -> None:
    """Another split of the same text into nonce and subject is another binding."""
    assert (browser_binding(a, b) == browser_binding(c, d)) == ((a, b) == (c, d))


@given(st.lists(ANY_TEXT, min_size=3, max_size=3), st.lists(ANY_TEXT, min_size=3, max_size=3))
@example(["organization", "a", "bc"], ["organization", "ab", "c"])
def test_a_principal_is_bound_with_its_tenant(one: list[str], other: list[str]) -> None:
    """The same subject of another tenant, or of another kind of tenant, is another principal."""
    same = one == other
    assert (subject_binding(*one) == subject_binding(*other)) == same
    assert (unbound_browser(*one) == unbound_browser(*other)) == same
    assert (browser_binding("nonce", *one) == browser_binding("nonce", *other)) == same


def test_a_hash_does_not_hold_its_text() -> None:
    """A reader of the table cannot finish the flow."""
    assert state_hash(CANARY) != CANARY.encode()
    assert CANARY.encode() not in state_hash(CANARY) + browser_binding(CANARY, CANARY)


# --- cookies --------------------------------------------------------------------------------


# --- what is shown --------------------------------------------------------------------------


def test_a_payload_does_not_show_its_config_or_verifier() -> None:
    """What the database stores sealed does not appear in tracebacks or logs."""
    payload = AuthorizationPayload(
        subject="user",
        config=f'{{"key":"{CANARY}"}}'.encode(),
        oauth_scopes=(),
        return_to="/",
        expected_grant=None,
        replace_account=False,
        verifier=CANARY,
    )
    assert not re.search(CANARY, repr(payload))
