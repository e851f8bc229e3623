"""Granted scopes cover the required ones by name, by another name, or by a wider scope."""

from __future__ import annotations

import pytest

from igniter_connectors.core.catalogue.commerce import shopify
from igniter_connectors.core.catalogue.development import github
from igniter_connectors.core.catalogue.identity import google, microsoft
from igniter_connectors.core.catalogue.known_provider import KnownProvider
from igniter_connectors.core.oauth.granted_scopes import missing_scopes, read_scopes

from .providers import provider

GOOGLE = "https://www.googleapis.com/auth/"
GRAPH = "https://graph.microsoft.com/"


@pytest.mark.parametrize(
    ("known", "granted", "required", "missing"),
    [
        (google, ["openid", f"{GOOGLE}userinfo.email"], ["openid", "email"], ()),
        (google, ["email"], [f"{GOOGLE}userinfo.email"], ()),
        (google, [f"{GOOGLE}drive"], [f"{GOOGLE}drive.readonly"], ()),
        (google, [f"{GOOGLE}drive.readonly"], [f"{GOOGLE}drive"], (f"{GOOGLE}drive",)),
        (google, [f"{GOOGLE}userinfo.email"], ["profile"], ("profile",)),
        (shopify, ["write_products"], ["read_products", "write_products"], ()),
        (shopify, ["read_products"], ["write_products"], ("write_products",)),
        (shopify, ["write_orders"], ["read_products"], ("read_products",)),
        (github, ["user", "admin:org"], ["user:email", "read:user", "read:org", "write:org"], ()),
        (github, ["user:email"], ["user"], ("user",)),
        (github, ["repo"], ["public_repo", "gist"], ("gist",)),
        (microsoft, [f"{GRAPH}User.Read"], ["User.Read"], ()),
        (microsoft, ["Mail.ReadWrite"], [f"{GRAPH}Mail.Read"], ()),
        (microsoft, ["Mail.Read"], ["Mail.ReadWrite"], ("Mail.ReadWrite",)),
    ],
)
def test_a_wider_scope_or_another_name_counts(
    known: KnownProvider, granted: list[str], required: list[str], missing: tuple[str, ...]
) -> None:
    """As the catalogue has it, and in one direction only."""
    assert missing_scopes(required, granted, known.oauth_scope_includes) == missing


def test_without_a_declaration_only_the_same_name_counts() -> None:
    """The missing ones are sorted, and each is named once."""
    assert missing_scopes(["b", "a", "a", "c"], ["c"], {}) == ("a", "b")
    assert missing_scopes(["read_"], ["write_"], {"write_*": ("read_*",)}) == ("read_",)


def test_scopes_that_include_one_another_in_a_circle_end() -> None:
    """The search stops."""
    circle = {"*": ("x*",), "a": ("b",), "b": ("a",)}
    assert missing_scopes(["xxxxxxx", "a"], ["b"], circle) == ("xxxxxxx",)


def test_a_declared_separator_is_the_only_one() -> None:
    """A scope may then contain a space or a comma."""
    declared = provider(granted_scope_separator=";")
    assert read_scopes("read all;write,all", declared) == ("read all", "write,all")
    assert read_scopes("read;write", provider()) == ("read;write",)
