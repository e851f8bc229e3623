"""Checks a provider when the application is built: is it usable and safe?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from igniter_connectors.core.connector.validation import type_fault
from igniter_connectors.core.http.safe_url import is_safe_endpoint
from igniter_connectors.core.oauth.client_assertion import assertion_key_fault, certificate_fault
from igniter_connectors.core.oauth.endpoint_template import (
    fill_template,
    is_template,
    placeholders,
    template_fault,
    whole_host,
)
from igniter_connectors.core.oauth.provider import OAuthProvider, authentication_of
from igniter_connectors.core.oauth.tenant_provider import templates_of
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.storable_text import is_header_text

RESERVED_PARAMETERS: Final = frozenset(
    {
        "response_type", "response_mode", "client_id", "client_secret", "redirect_uri", "scope",
        "state", "nonce", "code", "code_challenge", "code_challenge_method", "code_verifier",
        "grant_type", "refresh_token", "client_assertion", "client_assertion_type", "request",
        "request_uri", "iss", "error", "device_code", "dpop_jkt", "token", "token_type_hint",
        "username", "password", "assertion",
    }
)  # fmt: skip
"""Parameters that the flow's security depends on. No extra parameter may have such a name."""

MAX_REUSE_GRACE: Final = timedelta(days=30)
MAX_REFRESH_TOKEN_LIFETIME: Final = timedelta(days=3660)
_ZERO: Final = timedelta()
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_OWN_HEADERS: Final = frozenset(
    {"accept", "authorization", "content-length", "content-type", "cookie", "dpop", "host",
     "connection", "transfer-encoding"}
)  # fmt: skip


def provider_fault(provider: OAuthProvider) -> str | None:
    """Why a provider is unusable or unsafe; None if it is fine."""
    return (
        _endpoint_fault(provider)
        or _client_fault(provider)
        or _tenant_fault(provider)
        or _parameter_fault(provider)
        or _token_fault(provider)
    )


def _endpoint_fault(provider: OAuthProvider) -> str | None:
    for name, url in templates_of(provider).items():
        fault = template_fault(url) if is_template(url) else None
        if fault is not None:
            return f"{name} {fault}"
        if name != "issuer" and not is_safe_endpoint(_example_of(url)):
            return f"{name} must be https, or http on a loopback host, without user or fragment"
    if provider.sends_issuer and provider.issuer is None:
        return "sends_issuer needs issuer"
    if provider.requires_pushed_authorization and provider.pushed_authorization_url is None:
        return "requires_pushed_authorization needs pushed_authorization_url"
    return None


def _client_fault(provider: OAuthProvider) -> str | None:
    if not provider.client_id and provider.tenant_client is None:
        return "client_id is empty"
    for name, secret in (
        ("client_secret", provider.client_secret),
        ("client_assertion_key", provider.client_assertion_key),
    ):
        if secret == Secret(""):
            return f"{name} is empty"
        if secret is not None and not provider.client_id:
            return f"{name} needs client_id"
    if not provider.client_id:
        return None
    method = authentication_of(provider)
    is_secret = method in ("client_secret_basic", "client_secret_post")
    if is_secret != (provider.client_secret is not None):
        return "client_authentication and client_secret do not match"
    key, algorithm = provider.client_assertion_key, provider.client_assertion_algorithm
    certificate, source = provider.client_assertion_certificate, provider.client_assertion_source
    if key is not None and source is not None:
        return "client_assertion_source replaces client_assertion_key"
    if (method == "private_key_jwt") != (key is not None or source is not None):
        return "client_authentication and client_assertion_key do not match"
    if certificate is not None and key is None:
        return "client_assertion_certificate needs client_assertion_key"
    if key is None:
        return None
    fault = assertion_key_fault(key, algorithm)
    if fault is None and certificate is not None:
        fault = certificate_fault(certificate, key, algorithm)
    return fault


def _tenant_fault(provider: OAuthProvider) -> str | None:
    chosen = [name for name, url in templates_of(provider).items() if whole_host(url) is not None]
    if not chosen:
        return None
    if provider.tenant_client is None:
        return f"{chosen[0]} has a host that the tenant chooses, which needs tenant_client"
    if provider.client_id:
        return f"{chosen[0]} has a host that the tenant chooses, so client_id must be empty"
    return None


def _parameter_fault(provider: OAuthProvider) -> str | None:
    for parameters in (provider.authorization_parameters, provider.token_parameters):
        reserved = sorted(RESERVED_PARAMETERS & parameters.keys())
        if reserved:
            return f"extra parameters may not name {', '.join(reserved)}"
    for name, value in provider.request_headers.items():
        if name.lower() in _OWN_HEADERS or not _HEADER_NAME.fullmatch(name):
            return f"request_headers may not name {name.lower()!r}"
        if not is_header_text(value):
            return "a value of request_headers has a character that no header carries"
    for pattern, included in provider.oauth_scope_includes.items():
        if any(one.count("*") > 1 or one.count("*") != pattern.count("*") for one in included):
            return "oauth_scope_includes has * on one side only, or twice"
    if not provider.pkce and provider.client_secret is None and provider.client_id:
        is_signing = authentication_of(provider) == "private_key_jwt"
        if not is_signing:
            return "a client without a secret needs pkce"
    return None


def _token_fault(provider: OAuthProvider) -> str | None:
    grace, life = provider.reuse_grace, provider.refresh_token_lifetime
    if grace is not None and not _ZERO < grace <= MAX_REUSE_GRACE:
        return "reuse_grace must be more than zero and at most 30 days"
    if life is not None and not _ZERO < life <= MAX_REFRESH_TOKEN_LIFETIME:
        return "refresh_token_lifetime must be more than zero and at most ten years"
    for name, member in (
        ("expires_at_member", provider.expires_at_member),
        ("refresh_expires_at_member", provider.refresh_expires_at_member),
    ):
        if member == "":
            return f"{name} is empty"
    if provider.dpop and "dpop" not in provider.token_types:
        return "dpop needs dpop among token_types"
    if provider.token_extras is not None:
        fault = type_fault(provider.token_extras)
        if fault is not None:
            return f"token_extras cannot be read: {fault}"
    return None


def _example_of(url: str) -> str:
    return fill_template(url, dict.fromkeys(placeholders(url), "tenant")) or ""
