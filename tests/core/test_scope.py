"""Tenants: what identifies one, and which identities are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.problem import ConnectorError, ScopeIdentifierRequired, ScopeInvalid
from igniter_connectors.core.scope import (
    Scope,
    known_tenant,
    make_tenant,
)
from igniter_connectors.core.storable_text import IDENTITY_LIMIT, is_storable


class Organization(Scope, frozen=True, tag="organization"):
    """A kind that needs an identity."""


class System(Scope, frozen=True, tag="system"):
    """A kind with exactly one tenant."""

    identity: str = ""


class Untagged(Scope, frozen=True):
    """A kind without a tag."""


def test_a_tenant_knows_its_kind_and_identity() -> None:
    """The tag is the name of the kind in the database."""
    assert (Organization("acme").kind, Organization("acme").identity) == ("organization", "acme")
    assert (System().kind, System().identity) == ("system", "")


def test_kinds_keep_equal_identities_apart() -> None:
    """Two kinds with the same identity are two tenants."""
    tenants: set[Scope] = {Organization("1"), System("1")}
    assert len(tenants) == 2


@pytest.mark.parametrize("length", [1, IDENTITY_LIMIT - 1, IDENTITY_LIMIT])
def test_identities_up_to_the_limit_are_taken(length: int) -> None:
    """An identity of 255 characters is accepted."""
    assert Organization("é" * length).identity == "é" * length


def test_one_character_over_the_limit_is_refused() -> None:
    """An identity of 256 characters is refused, and the problem contains no part of it."""
    with pytest.raises(ConnectorError) as caught:
        Organization("x" * (IDENTITY_LIMIT + 1))
    assert isinstance(caught.value.problem, ScopeInvalid)
    assert caught.value.problem.scope == "organization"
    assert "xx" not in str(caught.value)


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\r", "\t", "\x7f", "\x85", "\u2028", "\ud800"]
)
def test_unprintable_identities_are_refused(character: str) -> None:
    """Text that a database would reject or that breaks a log line is not an identity."""
    problem = make_tenant(Organization, f"a{character}b").failure()
    assert isinstance(problem, ScopeInvalid)


def test_an_empty_identity_needs_a_default() -> None:
    """Only a kind with `identity: str = ""` has a tenant without an identity."""
    assert make_tenant(Organization, "").failure() == ScopeIdentifierRequired("organization")
    assert make_tenant(System, "").unwrap() == System()


@pytest.mark.parametrize("identity", [None, 5, b"acme", ["acme"]])
def test_an_identity_is_a_string(identity: object) -> None:
    """msgspec checks nothing when a struct is made in Python, so `Scope` does."""
    with pytest.raises(ConnectorError) as caught:
        Organization(identity)  # type: ignore[arg-type]  # what an unchecked caller does
    assert isinstance(caught.value.problem, ScopeInvalid)


def test_a_kind_without_a_tag_is_named_by_its_class() -> None:
    """The problem still names the kind."""
    assert make_tenant(Untagged, "").failure() == ScopeIdentifierRequired("Untagged")


@given(st.text())
def test_make_tenant_and_the_constructor_agree(identity: str) -> None:
    """A string from a route and a string from Python are judged alike."""
    made = make_tenant(Organization, identity)
    if is_successful(made):
        assert made.unwrap() == Organization(identity)
        assert made.unwrap().identity == identity
    else:
        with pytest.raises(ConnectorError) as caught:
            Organization(identity)
        assert caught.value.problem == made.failure()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_a_known_tenant_is_the_one_that_was_stored(identity: str) -> None:
    """The tenant has its own kind, even if another kind with the same identity was cached."""
    if is_storable(identity):
        for kind in (Organization, System):
            tenant = known_tenant(kind, identity)
            assert type(tenant) is kind
            assert tenant == kind(identity)


@given(st.text(max_size=300))
def test_what_is_storable_stays_on_one_line(text: str) -> None:
    """A storable string encodes to UTF-8, has no NUL, and is one line of a log."""
    if is_storable(text):
        assert "\x00" not in text
        assert len(text.encode().decode().splitlines()) <= 1
