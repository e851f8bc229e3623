"""A provider for one tenant: with the tenant's values in its endpoints, and its own client.

A tenant that chooses a whole host controls what it answers. So nothing of the application's is ever
sent there. The host could also be inside our own network, so `has_tenant_host` is set, and each
request carries it to the HTTP client.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connector.masking import secret_fields
from igniter_connectors.core.oauth.endpoint_template import (
    fill_template,
    is_template,
    placeholders,
    value_fault,
    whole_host,
)
from igniter_connectors.core.oauth.provider import OAuthProvider, TenantClient
from igniter_connectors.core.problem import TenantValueInvalid
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.storable_text import is_storable

TEMPLATE_FIELDS: Final = (
    "authorization_url", "token_url", "refresh_url", "userinfo_url", "revocation_url",
    "pushed_authorization_url", "device_authorization_url", "jwks_url", "issuer",
)  # fmt: skip
"""The fields of a provider that may contain placeholders."""


def templates_of(provider: OAuthProvider) -> dict[str, str]:
    """The provider's URLs by field name, without those that are None."""
    found = {name: getattr(provider, name) for name in TEMPLATE_FIELDS}
    return {name: url for name, url in found.items() if url is not None}


def endpoint_fields(provider: OAuthProvider) -> frozenset[str]:
    """The config fields, by Python name, whose change requires a new authorization.

    A grant belongs to the server and the client that issued it. Sending its tokens elsewhere
    would disclose them.
    """
    fields = [placeholders(url) for url in templates_of(provider).values()]
    client = provider.tenant_client
    if client is not None:
        fields.append(frozenset({client.id_field, client.secret_field}))
    return frozenset[str]().union(*fields)


def config_fault(provider: OAuthProvider, config: type[msgspec.Struct]) -> str | None:
    """Why a provider cannot be used with a config type; None if it can."""
    missing = sorted(endpoint_fields(provider) - set(config.__struct_fields__))
    if missing:
        return f"the OAuth provider names {missing[0]}, which is no field of {config.__name__}"
    in_json = dict(zip(config.__struct_fields__, config.__struct_encode_fields__, strict=True))
    secrets = secret_fields(config)
    client = provider.tenant_client
    if client is not None and in_json[client.secret_field] not in secrets:
        return f"{client.secret_field} holds a client's secret and is typed Secret or Secret | None"
    shown = endpoint_fields(provider) - ({client.secret_field} if client is not None else set())
    for name in sorted(shown):
        if in_json[name] in secrets:
            return f"{name} stands in URLs and is no Secret"
    return None


def provider_for(
    provider: OAuthProvider, config: msgspec.Struct, *, connector: str
) -> Result[OAuthProvider, TenantValueInvalid]:
    """The provider with a tenant's values in its endpoints, and with the tenant's client.

    Args:
        provider: As declared. Without placeholders and `tenant_client`, it is returned unchanged.
        config: The tenant's config, of the type that `config_fault` checked.
        connector: The connector's key, for problems.

    Returns:
        The provider, or `TenantValueInvalid`: a value is not one DNS label (or not a host name,
        if it is the whole host), or makes the host too long, or the tenant's own client is
        incomplete.
    """
    endpoints: dict[str, str] = {}
    has_tenant_host = False
    for name in TEMPLATE_FIELDS:
        url = getattr(provider, name)
        if url is None or not is_template(url):
            continue
        result = _fill(url, config, connector)
        if not is_successful(result):
            return Failure(result.failure())
        endpoints[name] = result.unwrap()
        has_tenant_host = has_tenant_host or whole_host(url) is not None
    if endpoints:
        provider = replace(provider, has_tenant_host=has_tenant_host, **endpoints)
    client = provider.tenant_client
    return (
        Success(provider) if client is None else _with_client(provider, client, config, connector)
    )


def _fill(url: str, config: msgspec.Struct, connector: str) -> Result[str, TenantValueInvalid]:
    values: dict[str, str] = {}
    for field in sorted(placeholders(url)):
        value = getattr(config, field)
        if not isinstance(value, str):
            return Failure(TenantValueInvalid(connector, field, "is required for the URL"))
        fault = value_fault(url, field, value)
        if fault is not None:
            return Failure(TenantValueInvalid(connector, field, fault))
        values[field] = value
    result = fill_template(url, values)
    if result is None:
        fields = ", ".join(sorted(values))
        return Failure(
            TenantValueInvalid(connector, fields, "does not make a host of the provider")
        )
    return Success(result)


def _with_client(
    provider: OAuthProvider, client: TenantClient, config: msgspec.Struct, connector: str
) -> Result[OAuthProvider, TenantValueInvalid]:
    client_id, secret = getattr(config, client.id_field), getattr(config, client.secret_field)
    has_secret = isinstance(secret, Secret) and secret != Secret("")
    if not isinstance(client_id, str) or not client_id:
        if provider.client_id and not has_secret:
            return Success(provider)
        return Failure(TenantValueInvalid(connector, client.id_field, "is required"))
    if not is_storable(client_id):
        return Failure(
            TenantValueInvalid(
                connector, client.id_field, "is not printable text of at most 255 characters"
            )
        )
    method = provider.client_authentication
    return Success(
        replace(
            provider,
            client_id=client_id,
            client_secret=secret if has_secret else None,
            # The application's signing key is not the tenant's.
            client_assertion_key=None,
            client_assertion_key_id=None,
            client_assertion_audience=None,
            client_assertion_certificate=None,
            client_assertion_source=None,
            client_authentication=method
            if has_secret and method in ("client_secret_basic", "client_secret_post")
            else None,
        )
    )
