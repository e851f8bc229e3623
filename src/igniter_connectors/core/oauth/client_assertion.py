"""Client authentication with a signed JWT: `private_key_jwt`. RFC 7523 sections 2.2 and 3."""

from __future__ import annotations

import hashlib
import warnings
from datetime import datetime, timedelta
from functools import lru_cache
from ssl import PEM_cert_to_DER_cert
from typing import TYPE_CHECKING, Final

import msgspec

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.provider import AssertionAlgorithm, OAuthProvider
from igniter_connectors.core.secret import Secret

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE: Final = timedelta(minutes=1)
"""How long an assertion is valid. It covers the request's deadline and clock differences."""

_CURVES: Final = {
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "Ed25519": "Ed25519",
    "EdDSA": "Ed25519",
}


class SigningContext(msgspec.Struct, frozen=True):
    """The time and the entropy of a signed request. Core has neither clock nor random source.

    `now` is aware. `entropy` is at least 16 octets, used for this request only.
    """

    now: datetime
    entropy: bytes

    def __repr__(self) -> str:
        return f"SigningContext({self.now.isoformat()}, …)"


def assertion_fields(
    provider: OAuthProvider, signing: SigningContext, *, endpoint: str
) -> dict[str, str]:
    """The parameters that authenticate the client: a JWT that is used once.

    `iss` and `sub` are the client. `aud` is the token endpoint, also for requests to other
    endpoints (RFC 7523 section 3, RFC 9126 section 2), unless the provider declares an audience
    or requires `endpoint`, which is the one that is called. `jti` is the entropy.
    """
    audience = provider.client_assertion_audience or provider.token_url
    if provider.client_assertion_names_endpoint:
        audience = endpoint
    if provider.client_assertion_source is not None:
        return _fields(provider, provider.client_assertion_source(audience).reveal())
    from joserfc import jwt
    from joserfc.errors import SecurityWarning

    assert provider.client_assertion_key is not None
    algorithm = provider.client_assertion_algorithm
    header: dict[str, str] = {"alg": algorithm}
    if provider.client_assertion_key_id is not None:
        header["kid"] = provider.client_assertion_key_id
    if provider.client_assertion_certificate is not None:
        header |= _thumbprints(provider.client_assertion_certificate)
    now = int(signing.now.timestamp())
    claims = {
        "iss": provider.client_id,
        "sub": provider.client_id,
        "aud": audience,
        "jti": encode_base64url(signing.entropy),
        "iat": now,
        "exp": now + int(ASSERTION_LIFE.total_seconds()),
    }
    key = _signing_key(provider.client_assertion_key, algorithm)
    with warnings.catch_warnings():
        # joserfc warns about the older name of Ed25519, which some servers alone know.
        warnings.simplefilter("ignore", SecurityWarning)
        signed = jwt.encode(header, claims, key, [algorithm], default_type=None)
    return _fields(provider, signed)


def _fields(provider: OAuthProvider, assertion: str) -> dict[str, str]:
    return {
        "client_id": provider.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


@lru_cache(maxsize=16)
def _thumbprints(certificate: str) -> dict[str, str]:
    """`x5t` and `x5t#S256` of a PEM certificate. RFC 7515 sections 4.1.7 and 4.1.8.

    Raises:
        ValueError: it is no certificate.
    """
    der = PEM_cert_to_DER_cert(certificate.strip())
    sha1 = hashlib.sha1(der, usedforsecurity=False).digest()
    sha256 = hashlib.sha256(der).digest()
    return {"x5t": encode_base64url(sha1), "x5t#S256": encode_base64url(sha256)}


def certificate_fault(certificate: str, key: Secret, algorithm: AssertionAlgorithm) -> str | None:
    """Why a certificate does not belong to a key; None if it does."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_pem_x509_certificate

    fault = "client_assertion_certificate is not the PEM certificate of the key"
    try:
        public = load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        return fault
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = _signing_key(key, algorithm).as_der(private=False)
    return None if der == own else fault


def assertion_key_fault(key: Secret, algorithm: AssertionAlgorithm) -> str | None:
    """Why a key cannot sign with an algorithm; None if it can. Reveals nothing about the key."""
    from joserfc.errors import JoseError, SecurityWarning

    try:
        with warnings.catch_warnings():
            # joserfc warns about an RSA key of fewer than 2,048 bits.
            warnings.simplefilter("error", SecurityWarning)
            signing_key = _signing_key(key, algorithm)
    except (JoseError, SecurityWarning, ValueError, TypeError, KeyError, AttributeError):
        return f"client_assertion_key is not a PEM or JWK key for {algorithm}"
    if not signing_key.is_private:
        return "client_assertion_key is a public key"
    curve = _CURVES.get(algorithm)
    if curve is not None and getattr(signing_key, "curve_name", None) != curve:
        return f"client_assertion_key is not on the curve of {algorithm}"
    return None


# Importing a key validates its numbers, which costs more than signing with it.
@lru_cache(maxsize=16)
def _signing_key(key: Secret, algorithm: AssertionAlgorithm) -> RSAKey | ECKey | OKPKey:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    text = key.reveal()
    kind: type[RSAKey | ECKey | OKPKey]
    if algorithm.startswith("ES"):
        kind = ECKey
    elif algorithm.startswith("Ed"):
        kind = OKPKey
    else:
        kind = RSAKey
    if text.lstrip().startswith("{"):
        return kind.import_key(msgspec.json.decode(text, type=dict[str, str | list[str]]))
    return kind.import_key(text)
