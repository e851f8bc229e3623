"""Each rule of the lint fails on a description that breaks it, and on no other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.known_provider import KnownProvider, TenantValue
from igniter_connectors.core.catalogue.lint import faults_of, faults_of_all

TODAY: Final = date(2026, 11, 23)
KNOWN: Final = KnownProvider(
    key="acme",
    name="Acme",
    documentation="https://docs.acme.example/oauth",
    checked_on=TODAY,
    evidence="documentation",
    authorization_url="https://acme.example/authorize",
    token_url="https://api.acme.example/token",
    client_authentications=("client_secret_basic", "none"),
)
LABEL: Final = TenantValue(
    placeholder="team", description="The team", example="blue", suffix=".acme.example"
)
TENANT: Final[dict[str, Any]] = {
    "authorization_url": "https://{team}.acme.example/authorize",
    "token_url": "https://{team}.acme.example/token",
    "tenant_values": (LABEL,),
}
HOST: Final[dict[str, Any]] = {
    "documentation": "https://docs.acme.example/oauth",
    "authorization_url": "https://{host}/authorize",
    "token_url": "https://{host}/token",
    "tenant_values": (TenantValue(placeholder="host", description="It", example="acme.example"),),
}
PATH: Final[dict[str, Any]] = {
    "token_url": "https://acme.example/{team}/token",
    "tenant_values": (replace(LABEL, suffix=""),),
}


class Shadowing(msgspec.Struct, frozen=True):
    """Extras with a name that the token set uses."""

    access_token: str | None = None


class Ending(msgspec.Struct, frozen=True):
    """Extras with a name that may be declared as an instant."""

    ends: str | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """Extras that cannot be decoded from JSON."""

    answer: complex | None = None


SOUND: Final[list[dict[str, Any]]] = [
    {},
    TENANT,
    HOST,
    PATH,
    {"userinfo_url": "https://api.acme.example/me", "account": AccountPaths("id")},
    {"userinfo_url": "https://acme.com.au/me", "account": AccountPaths("id"),
     "other_sites": frozenset({"acme.com.au"})},
    {"client_authentications": ("none",), "pkce": "required"},
    {"rotates_refresh_tokens": True, "reuse_grace": timedelta(seconds=1)},
    {"access_token_lifetime": timedelta(hours=1), "refresh_token_lifetime": timedelta(hours=2)},
    {"token_extras": Ending, "expires_at_member": "expires_at"},
]  # fmt: skip

BROKEN: Final[list[tuple[dict[str, Any], str]]] = [
    ({"key": "Acme"}, "key must be"),
    ({"name": ""}, "name is empty"),
    ({"documentation": "http://docs.acme.example"}, "documentation must be"),
    ({"documentation": "https://{team}.acme.example"}, "documentation must be"),
    ({"checked_on": TODAY + timedelta(days=1)}, "in the future"),
    ({"notes": ("No full stop",)}, "notes must be sentences"),
    ({"authorization_url": "http://acme.example/authorize"}, "authorization_url must be"),
    ({"refresh_url": "ftp://acme.example/refresh"}, "refresh_url must be"),
    ({"revocation_url": "https://acme.invalid/revoke"}, "revocation_url has another domain"),
    ({"revocation_url": "https://acme.com.au/r", "other_sites": frozenset({"other.com.au"})},
     "revocation_url has another domain"),
    ({**TENANT, "tenant_values": ()}, "must describe each placeholder"),
    ({"tenant_values": (LABEL,)}, "must describe each placeholder"),
    ({**TENANT, "tenant_values": (LABEL, LABEL)}, "must describe each placeholder"),
    ({**TENANT, "tenant_values": (replace(LABEL, description=""),)}, "has no description"),
    ({**TENANT, "tenant_values": (replace(LABEL, example="not.one.label"),)}, "is invalid"),
    ({**TENANT, "tenant_values": (replace(LABEL, suffix=".other.example"),)}, "suffix of team"),
    ({**TENANT, "tenant_values": (replace(LABEL, suffix=""),)}, "suffix of team"),
    ({**PATH, "tenant_values": (LABEL,)}, "suffix of team"),
    ({"userinfo_url": "https://acme.example/me"}, "account and userinfo_url"),
    ({"account": AccountPaths("id")}, "account and userinfo_url"),
    ({"userinfo_scopes": ("openid",)}, "userinfo_scopes needs"),
    ({"revocation_ends": "grant"}, "revocation_ends needs"),
    ({"jwks_url": "https://acme.example/keys"}, "jwks_url needs"),
    ({"reuse_grace": timedelta(seconds=1)}, "reuse_grace needs"),
    ({"reuse_grace": timedelta(seconds=1), "rotates_refresh_tokens": False}, "reuse_grace needs"),
    ({"access_token_lifetime": timedelta(hours=1), "refresh_token_lifetime": timedelta(hours=1)},
     "must expire before"),
    ({"token_types": frozenset({"Bearer"})}, "token_types"),
    ({"token_types": frozenset[str]()}, "token_types"),
    ({"dead_grant_errors": frozenset({"gone"})}, "must contain invalid_grant"),
    ({"token_extras": Shadowing}, "repeats a member of the token set"),
    ({"token_extras": Ending, "expires_at_member": "ends"}, "repeats a member of the token set"),
    ({"token_extras": Ending, "refresh_expires_at_member": "ends"}, "repeats a member"),
    ({"expires_at_member": ""}, "expires_at_member is empty"),
    ({"token_extras": Unreadable}, "token_extras cannot be read"),
    ({"client_authentications": ("none", "none"), "pkce": "required"}, "each method once"),
    ({"client_authentications": ("none",)}, "PKCE is unknown"),
    ({"authorization_parameters": {"state": "fixed"}}, "may not name state"),
    ({**HOST, "token_parameters": {"code": "fixed"}}, "may not name code"),
]  # fmt: skip


@pytest.mark.parametrize("changes", SOUND, ids=str)
def test_a_valid_description_has_no_fault(changes: dict[str, Any]) -> None:
    """With all optional fields, and without them."""
    assert faults_of(replace(KNOWN, **changes), today=TODAY) == ()


@pytest.mark.parametrize(("changes", "words"), BROKEN, ids=lambda case: str(case)[:60])
def test_a_broken_rule_is_named(changes: dict[str, Any], words: str) -> None:
    """One sentence for the rule that is broken."""
    faults = faults_of(replace(KNOWN, **changes), today=TODAY)
    assert faults
    assert all(words in fault for fault in faults), faults


def test_a_client_needs_a_way_to_authenticate() -> None:
    """An empty list is a fault."""
    faults = faults_of(replace(KNOWN, client_authentications=()), today=TODAY)
    assert faults == ("client_authentications must list each method once",)


VARIANT: Final = replace(
    KNOWN,
    key="acme_demo",
    variant_of="acme",
    authorization_url="https://demo.acme.example/authorize",
    token_url="https://api-demo.acme.example/token",
)


@pytest.mark.parametrize(
    ("knowns", "words"),
    [
        ([KNOWN, KNOWN], "twice"),
        ([VARIANT, KNOWN], "not sorted"),
        ([VARIANT], "variant of an unknown provider"),
        ([KNOWN, VARIANT, replace(VARIANT, key="b", variant_of="acme_demo")], "b is a variant"),
        ([KNOWN, replace(VARIANT, jwks_url="https://acme.example/k")], "other endpoints"),
        ([KNOWN, replace(VARIANT, token_url=KNOWN.token_url)], "has an endpoint of acme"),
    ],
)
def test_variants_that_mix_systems_are_named(knowns: list[KnownProvider], words: str) -> None:
    """For example, a sandbox must not request tokens from production."""
    (fault,) = faults_of_all(knowns)
    assert words in fault


def test_variants_that_are_consistent_have_no_fault() -> None:
    """A variant moves all endpoints, or none."""
    assert faults_of_all([KNOWN, VARIANT]) == ()
    assert faults_of_all([KNOWN, replace(KNOWN, key="acme_app", variant_of="acme")]) == ()
