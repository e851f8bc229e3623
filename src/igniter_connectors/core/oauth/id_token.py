"""ID tokens: who signed in, signed by the provider. OpenID Connect Core section 3.1.3.7."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
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
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.storable_text import is_storable

CLOCK_TOLERANCE: Final = timedelta(minutes=1)
"""The largest accepted difference between the provider's clock and ours."""

UNKNOWN_KEY: Final = "is signed with a key that the provider does not publish"
"""With this reason, fetch the provider's keys again: they may have been rotated."""

MAX_TOKEN_CHARS: Final = 64 * 1024
_MIN_RSA_BITS: Final = 2048

# Asymmetric signatures only: `none` proves nothing, and HS* would use the public key as a
# shared secret (RFC 8725 sections 2.1 and 3.1). The digest is the one of `at_hash`.
_ALGORITHMS: Final = {
    "RS256": ("RSA", "sha256"), "RS384": ("RSA", "sha384"), "RS512": ("RSA", "sha512"),
    "PS256": ("RSA", "sha256"), "PS384": ("RSA", "sha384"), "PS512": ("RSA", "sha512"),
    "ES256": ("EC", "sha256"), "ES384": ("EC", "sha384"), "ES512": ("EC", "sha512"),
    # RFC 9864, and its older name in RFC 8037.
    "Ed25519": ("OKP", "sha512"), "EdDSA": ("OKP", "sha512"),
}  # fmt: skip


class IdTokenClaims(msgspec.Struct, frozen=True):
    """The claims of an ID token; None if a claim is absent.

    `sub` is unique only for its issuer. `email` may be unverified.
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
    """The nonce of an authorization, derived from its PKCE verifier.

    So there is only one secret to store. Like the PKCE challenge, it does not reveal the
    verifier (section 15.5.2).
    """
    return encode_base64url(
        hashlib.sha256(b"igniter-connectors oauth nonce" + verifier.encode()).digest()
    )


def id_token_of(response: HttpResponse) -> Secret | None:
    """The ID token in a token response; None if there is none."""
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
    """The claims of an ID token that satisfies each rule of section 3.1.3.7.

    Args:
        token: As received from the token endpoint.
        keys: The provider's public keys.
        provider: Its `issuer` and `client_id` must be the token's.
        connector: The connector's key, for problems.
        now: Aware. The clocks may differ by a minute.
        nonce: The nonce of the authorization request (`nonce_of`); None for a token without
            one, as after a refresh (section 12.2).
        access_token: The token that came with it; `at_hash` is its hash (section 3.1.3.8).

    Returns:
        The claims, or `IdTokenInvalid` with the broken rule. Only `UNKNOWN_KEY` justifies
        fetching the provider's keys again.
    """

    def refused(reason: str) -> Result[IdTokenClaims, IdTokenInvalid]:
        return Failure(IdTokenInvalid(connector, reason))

    header = _signed_header(token)
    if header is None:
        return refused("is not a signed token")
    if header.alg not in _ALGORITHMS or header.crit is not None:
        return refused("is signed with an algorithm that is not accepted")
    kind, digest = _ALGORITHMS[header.alg]
    candidates = [key for key in keys.keys if _fits(key, kind, header.alg, header.kid)]
    if not candidates:
        return refused(UNKNOWN_KEY)
    payload = _first_verified(token, candidates, header.alg)
    if payload is None:
        return refused("has an invalid signature")
    decoded = decode_json(payload, IdTokenClaims)
    if not is_successful(decoded):
        return refused("lacks a claim, or has a claim of the wrong type")
    claims = decoded.unwrap()
    fault = (
        _identity_fault(claims, provider)
        or _time_fault(claims, now)
        or _binding_fault(claims, nonce, access_token, digest)
    )
    return Success(claims) if fault is None else refused(fault)


def _signed_header(token: Secret) -> _Header | None:
    """The header of a compact signed token; None if the text is not one, or is too long."""
    parts = token.reveal().split(".")
    header = decode_json(decode_base64url(parts[0]) or b"", _Header)
    if len(parts) != 3 or len(token.reveal()) > MAX_TOKEN_CHARS or not is_successful(header):
        return None
    return header.unwrap()


def _first_verified(
    token: Secret, candidates: Sequence[Mapping[str, JsonValue]], algorithm: str
) -> bytes | None:
    """The payload, verified with the first candidate key that made the signature."""
    for key in candidates:
        payload = _verified_payload(token, key, algorithm)
        if payload:
            return payload
    return None


def _identity_fault(claims: IdTokenClaims, provider: OAuthProvider) -> str | None:
    if claims.iss != provider.issuer:
        return "comes from another issuer"
    audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if provider.client_id not in audience:
        return "is for another client"
    if claims.azp is None:
        if len(audience) > 1:
            return "is for several clients and does not say which one requested it"
    elif claims.azp != provider.client_id:
        return "was made for another client"
    if not claims.sub or not is_storable(claims.sub):
        return "has no usable subject"
    return None


def _time_fault(claims: IdTokenClaims, now: datetime) -> str | None:
    instant, slack = now.timestamp(), CLOCK_TOLERANCE.total_seconds()
    if instant >= claims.exp + slack:
        return "has expired"
    if claims.iat > instant + slack or (claims.nbf is not None and claims.nbf > instant + slack):
        return "is not valid yet"
    return None


def _binding_fault(
    claims: IdTokenClaims, nonce: str | None, access_token: Secret, digest: str
) -> str | None:
    if nonce is not None and claims.nonce != nonce:
        return "belongs to another authorization"
    if claims.at_hash is not None:
        whole = hashlib.new(digest, access_token.reveal().encode("utf-8", "surrogatepass")).digest()
        if claims.at_hash != encode_base64url(whole[: len(whole) // 2]):
            return "is for another access token"
    return None


def _fits(key: Mapping[str, JsonValue], kind: str, algorithm: str, key_id: str | None) -> bool:
    """Whether this key may have made the signature (RFC 7517 section 4)."""
    return (
        key.get("kty") == kind
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (key_id is None or key.get("kid") == key_id)
    )


def _verified_payload(token: Secret, key: Mapping[str, JsonValue], algorithm: str) -> bytes | None:
    """The payload if this key made the signature; else None."""
    from joserfc import jws
    from joserfc.errors import JoseError, SecurityWarning
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
        with warnings.catch_warnings():
            # joserfc warns about the older name of Ed25519.
            warnings.simplefilter("ignore", SecurityWarning)
            return jws.deserialize_compact(token.reveal(), signer, [algorithm], registry).payload
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _bits(number: str) -> int:
    return int.from_bytes(decode_base64url(number) or b"", "big").bit_length()
