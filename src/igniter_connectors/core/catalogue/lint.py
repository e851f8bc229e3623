"""Checks a provider's description: for the catalogue's own tests, and for an application's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from msgspec.structs import fields

from igniter_connectors.core.catalogue.known_provider import KnownProvider, templates_of
from igniter_connectors.core.oauth.endpoint_template import placeholders, value_fault, whole_host
from igniter_connectors.core.oauth.provider import TenantClient
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.secret import Secret

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_CLIENT: Final = TenantClient(id_field="client_id", secret_field="client_secret")
_TOKEN_NAMES: Final = frozenset({"access_token", "refresh_token", "id_token", "expires_in"})
_SECOND_LEVEL: Final = frozenset({"com.au", "co.uk", "co.jp", "com.cn"})


def faults_of(known: KnownProvider, *, today: date) -> tuple[str, ...]:
    """The faults of one description, a sentence each; empty if there are none.

    Args:
        known: From the catalogue, or an application's own.
        today: `checked_on` must not be later.
    """
    return (
        *_page_faults(known, today),
        *_address_faults(known),
        *_tenant_faults(known),
        *_account_faults(known),
        *_token_faults(known),
        *_client_faults(known),
    )


def faults_of_all(knowns: Sequence[KnownProvider]) -> tuple[str, ...]:
    """The faults between descriptions, such as duplicate keys."""
    return tuple(_faults_between(knowns))


def _page_faults(known: KnownProvider, today: date) -> Iterator[str]:
    if not _KEY.fullmatch(known.key):
        yield "key must be lower case letters, digits and underscores"
    if not known.name:
        yield "name is empty"
    if _host(known.documentation) == "" or "{" in known.documentation:
        yield "documentation must be an https URL"
    if known.checked_on > today:
        yield "checked_on is in the future"
    for name, day in known.seen_on.items():
        if name not in known.__struct_fields__:
            yield f"seen_on names {name}, which is no field"
        if day > today:
            yield f"seen_on has a day in the future for {name}"
    if known.userinfo_graphql is not None and known.userinfo_url is None:
        yield "userinfo_graphql needs userinfo_url"
    if known.pkce == "refused" and "none" in known.client_authentications:
        yield "pkce is refused, so a public client has no protection"
    if not all(note.endswith(".") for note in known.notes):
        yield "notes must be sentences"


def _address_faults(known: KnownProvider) -> Iterator[str]:
    sites = {
        *known.other_sites,
        *(_site(url) for url in (known.documentation, known.authorization_url, known.token_url)),
    }
    for name, url in templates_of(known).items():
        if _host(url) == "":
            yield f"{name} must be an https URL"
        elif _site(url) not in sites:
            yield f"{name} has another domain than the rest"


def _tenant_faults(known: KnownProvider) -> Iterator[str]:
    urls = templates_of(known).values()
    described = [value.placeholder for value in known.tenant_values]
    if sorted(described) != sorted(frozenset[str]().union(*map(placeholders, urls))):
        yield "tenant_values must describe each placeholder once"
    for value in known.tenant_values:
        if not value.description:
            yield f"{value.placeholder} has no description"
        for url in urls:
            if value.placeholder not in placeholders(url):
                continue
            if value_fault(url, value.placeholder, value.example) is not None:
                yield f"the example of {value.placeholder} is invalid"
            host = url.partition("://")[2].partition("/")[0]
            is_part = f"{{{value.placeholder}}}" in host and whole_host(url) is None
            if is_part != bool(value.suffix) or not host.endswith(value.suffix):
                yield f"the suffix of {value.placeholder} is not the end of its host"


def _account_faults(known: KnownProvider) -> Iterator[str]:
    if (known.account is None) != (known.userinfo_url is None):
        yield "account and userinfo_url must be given together"
    if known.userinfo_scopes and known.userinfo_url is None:
        yield "userinfo_scopes needs userinfo_url"
    if known.revocation_ends == "grant" and known.revocation_url is None:
        yield "revocation_ends needs revocation_url"
    if known.jwks_url is not None and known.issuer is None:
        yield "jwks_url needs issuer"


def _token_faults(known: KnownProvider) -> Iterator[str]:
    access, refresh = known.access_token_lifetime, known.refresh_token_lifetime
    if known.reuse_grace is not None and known.rotates_refresh_tokens is not True:
        yield "reuse_grace needs rotates_refresh_tokens"
    if access is not None and refresh is not None and access >= refresh:
        yield "an access token must expire before the refresh token"
    if not known.token_types or any(kind != kind.lower() for kind in known.token_types):
        yield "token_types must be in lower case"
    if "invalid_grant" not in known.dead_grant_errors:
        yield "dead_grant_errors must contain invalid_grant"
    if known.token_extras is not None:
        names = {field.encode_name for field in fields(known.token_extras)}
        instants = {known.expires_at_member, known.refresh_expires_at_member}
        if names & (_TOKEN_NAMES | instants):
            yield "token_extras repeats a member of the token set"


def _client_faults(known: KnownProvider) -> Iterator[str]:
    methods = known.client_authentications
    if not methods or len(set(methods)) != len(methods):
        yield "client_authentications must list each method once"
    if methods == ("none",) and known.pkce == "unknown":
        yield "only public clients, but PKCE is unknown"
    if any(whole_host(url) is not None for url in templates_of(known).values()):
        made = [known.provider(client_id="", tenant_client=_CLIENT)]
    else:
        secrets = [
            *([Secret("secret")] if set(methods) != {"none"} else []),
            *([None] if "none" in methods else []),
        ]
        made = [known.provider(client_id="client", client_secret=secret) for secret in secrets]
    yield from {fault: None for fault in map(provider_fault, made) if fault is not None}


def _faults_between(knowns: Sequence[KnownProvider]) -> Iterator[str]:
    by_key = {known.key: known for known in knowns}
    keys = [known.key for known in knowns]
    if len(by_key) != len(keys):
        yield "a key is given twice"
    if keys != sorted(keys):
        yield "keys are not sorted"
    for known in knowns:
        if known.variant_of is None:
            continue
        original = by_key.get(known.variant_of)
        if original is None or original.variant_of is not None:
            yield f"{known.key} is a variant of an unknown provider"
            continue
        here, there = templates_of(known), templates_of(original)
        if here.keys() != there.keys():
            yield f"{known.key} has other endpoints than {original.key}"
        elif _host(known.authorization_url) != _host(original.authorization_url) and any(
            _host(here[name]) == _host(there[name]) for name in here
        ):
            yield f"{known.key} has an endpoint of {original.key}"


def _host(url: str) -> str:
    """The host of an https URL, with its placeholders; "" for any other URL."""
    scheme, _, rest = url.partition("://")
    return rest.partition("/")[0] if scheme == "https" else ""


def _site(url: str) -> str:
    """The registered domain of a URL's host."""
    labels = _host(url).split(".")
    length = 3 if ".".join(labels[-2:]) in _SECOND_LEVEL else 2
    return ".".join(labels[-length:])
