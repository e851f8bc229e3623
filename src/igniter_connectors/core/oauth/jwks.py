"""The public keys with which a provider signs ID tokens. RFC 7517, OpenID Connect Core section
10.1.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.lenient_json import decode_json_object
from igniter_connectors.core.oauth.provider import OAuthProvider, headers_of
from igniter_connectors.core.problem import ProviderAnswerMalformed

MAX_KEYS: Final = 100
_KINDS: Final = ("RSA", "EC", "OKP")


class KeySet(msgspec.Struct, frozen=True):
    """Public keys as JWKs. Keys of types that cannot sign an ID token are left out."""

    keys: tuple[Mapping[str, JsonValue], ...]


def keys_request(provider: OAuthProvider) -> HttpRequest | None:
    """The request for the provider's keys; None if it declares no URL for them."""
    if provider.jwks_url is None:
        return None
    headers = (("Accept", "application/json"), *headers_of(provider))
    return HttpRequest("GET", provider.jwks_url, headers, b"", provider.has_tenant_host)


def judge_keys(
    response: HttpResponse, *, connector: str
) -> Result[KeySet, ProviderAnswerMalformed]:
    """The provider's asymmetric keys. A symmetric key proves nothing: the client has it too.

    Keys of unknown types are skipped (RFC 7517 section 5).

    Returns:
        The keys, or `ProviderAnswerMalformed`: a status other than 200, no JSON object with an
        array `keys`, or more than 100 keys.
    """
    answer = decode_json_object(response.body)
    if response.status != 200 or answer is None:
        return Failure(ProviderAnswerMalformed(connector, "$"))
    listed = answer.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        return Failure(ProviderAnswerMalformed(connector, "$.keys"))
    keys = tuple(key for key in listed if isinstance(key, dict) and key.get("kty") in _KINDS)
    return Success(KeySet(keys))
