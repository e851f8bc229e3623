"""Who signed in, as the provider signed it. OpenID Connect Core sections 2 and 3.1.3.7."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors.core.connector.validation import decode_json
from igniter_connectors.core.http.base64url import decode_base64url, encode_base64url
from igniter_connectors.core.http.messages import HttpResponse
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.jwks import KeySet
from igniter_connectors.core.oauth.provider import OAuthProvider
from igniter_connectors.core.oauth.provider_response import decode_response
from igniter_connectors.core.problem import IdTokenInvalid
from igniter_connectors.core.scope import is_storable
from igniter_connectors.core.secret import Secret

CLOCK_TOLERANCE: Final = timedelta(minutes=1)
"""How far the provider's clock may be from ours."""

UNKNOWN_KEY: Final = "is signed with a key that the provider does not publish"
"""The reason to ask for the keys once more: they may have been changed since."""

MAX_TOKEN_CHARS: Final = 64 * 1024
_MIN_RSA_BITS: Final = 2048

# Signatures alone: `none` proves nothing, and HS* would take the public key for a secret
# (RFC 8725 sections 2.1 and 3.1). The digest is what at_hash is made with.
_ALGORITHMS: Final = {
    "RS256": ("RSA", "sha256"), "RS384": ("RSA", "sha384"), "RS512": ("RSA", "sha512"),
    "PS256": ("RSA", "sha256"), "PS384": ("RSA", "sha384"), "PS512": ("RSA", "sha512"),
    "ES256": ("EC", "sha256"), "ES384": ("EC", "sha384"), "ES512": ("EC", "sha512"),
    "Ed25519": ("OKP", "sha512"),
}  # fmt: skip


class IdTokenClaims(msgspec.Struct, frozen=True):
    """What an ID token says of whoever signed in; None where it does not.

    `sub` is unique at its issuer alone. `email` is what the provider calls it, verified or
    not.
    """

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: float
    iat: float
    nbf: float | None = None
    azp: str | None = None
    nonce: str | None = None
    at_hash: str | None = None
    name: str | None = None
    email: str | None = None
    picture: str | None = None

    def __repr__(self) -> str:
        return "IdTokenClaims(…)"


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None
    crit: tuple[str, ...] | None = None


def nonce_of(verifier: str) -> str:
    """The nonce of an authorization: derived from its PKCE verifier, so there is one secret
    to keep. It tells as little of the verifier as the challenge does (section 15.5.2)."""
    return encode_base64url(
        hashlib.sha256(b"igniter-connectors oauth nonce" + verifier.encode()).digest()
    )


def id_token_of(response: HttpResponse) -> Secret | None:
    """The ID token in a token endpoint's answer; None where there is none."""
    token = (decode_response(response) or {}).get("id_token")
    return Secret(token) if isinstance(token, str) and token else None


def judge_id_token(
    token: Secret,
    keys: KeySet,
    provider: OAuthProvider,
    *,
    connector: str,
    now: datetime,
    nonce: str | None,
    access_token: Secret,
) -> Result[IdTokenClaims, IdTokenInvalid]:
    """The claims of an ID token, once each rule of section 3.1.3.7 was found to hold.

    Args:
        token: As it came from the token endpoint.
        keys: The provider's.
        provider: Its `issuer` and `client_id`, which the token must name.
        connector: Named in problems.
        now: Aware. Clocks may differ by a minute.
        nonce: What the authorization request said (`nonce_of`); None for a token that came
            without one, as with a refresh (section 12.2).
        access_token: What came beside it, which an `at_hash` is of (section 3.1.3.8).

    Returns:
        The claims, or `IdTokenInvalid` with the rule. `UNKNOWN_KEY` is worth another look
        at the provider's keys; nothing else is.
    """

    def refused(reason: str) -> Result[IdTokenClaims, IdTokenInvalid]:
        return Failure(IdTokenInvalid(connector, reason))

    parts = token.reveal().split(".")
    header = decode_json(decode_base64url(parts[0]) or b"", _Header)
    if len(parts) != 3 or len(token.reveal()) > MAX_TOKEN_CHARS or not is_successful(header):
        return refused("is no signed token")
    algorithm = header.unwrap().alg
    if algorithm not in _ALGORITHMS or header.unwrap().crit is not None:
        return refused("is not signed in a way that is accepted")
    kind, digest = _ALGORITHMS[algorithm]
    fitting = [key for key in keys.keys if _fits(key, kind, algorithm, header.unwrap().kid)]
    if not fitting:
        return refused(UNKNOWN_KEY)
    payload = next(
        (found for key in fitting if (found := _verified_payload(token, key, algorithm))), None
    )
    if payload is None:
        return refused("has a signature that is not the provider's")
    decoded = decode_json(payload, IdTokenClaims)
    if not is_successful(decoded):
        return refused("lacks a claim, or has one of another type")
    claims = decoded.unwrap()
    fault = (
        _identity_fault(claims, provider)
        or _time_fault(claims, now)
        or _binding_fault(claims, nonce, access_token, digest)
    )
    return Success(claims) if fault is None else refused(fault)


def _identity_fault(claims: IdTokenClaims, provider: OAuthProvider) -> str | None:
    if claims.iss != provider.issuer:
        return "comes from another issuer"
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if provider.client_id not in audience:
        return "is for another client"
    if claims.azp is None:
        if len(audience) > 1:
            return "is for several clients and does not say for which it was made"
    elif claims.azp != provider.client_id:
        return "was made for another client"
    if not claims.sub or not is_storable(claims.sub):
        return "names nobody"
    return None


def _time_fault(claims: IdTokenClaims, now: datetime) -> str | None:
    instant, slack = now.timestamp(), CLOCK_TOLERANCE.total_seconds()
    if instant >= claims.exp + slack:
        return "has expired"
    if claims.iat > instant + slack or (claims.nbf is not None and claims.nbf > instant + slack):
        return "comes from the future"
    return None


def _binding_fault(
    claims: IdTokenClaims, nonce: str | None, access_token: Secret, digest: str
) -> str | None:
    if nonce is not None and claims.nonce != nonce:
        return "is not of this authorization"
    if claims.at_hash is not None:
        whole = hashlib.new(digest, access_token.reveal().encode("utf-8", "surrogatepass")).digest()
        if claims.at_hash != encode_base64url(whole[: len(whole) // 2]):
            return "is for another access token"
    return None


def _fits(key: Mapping[str, JsonValue], kind: str, algorithm: str, key_id: str | None) -> bool:
    """Whether a key may have made the signature (RFC 7517 section 4)."""
    return (
        key.get("kty") == kind
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (key_id is None or key.get("kid") == key_id)
    )


def _verified_payload(token: Secret, key: Mapping[str, JsonValue], algorithm: str) -> bytes | None:
    """The payload where this key signed it; None where it did not, or is no key."""
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    public: dict[str, str | list[str]] = {
        name: value
        for name, value in key.items()
        if name in ("kty", "crv", "x", "y", "n", "e") and isinstance(value, str)
    }
    kind = str(key["kty"])
    if kind == "RSA" and _bits(str(key.get("n"))) < _MIN_RSA_BITS:
        return None
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        signer = kinds[kind].import_key(public)
        return jws.deserialize_compact(token.reveal(), signer, [algorithm], registry).payload
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _bits(number: str) -> int:
    return int.from_bytes(decode_base64url(number) or b"", "big").bit_length()
