"""DPoP: tokens are bound to a key, and each request proves that the sender has it. RFC 9449."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec.structs import replace

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.error_answer import error_of
from igniter_connectors.core.secret import Secret

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

KEY_OCTETS: Final = 40
"""The entropy of a key: 64 bits more than the curve's order, so that the reduction has no bias
(FIPS 186-5, appendix A.2.1).
"""

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NONCE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,512}")
_CHALLENGE: Final = re.compile(r'\bDPoP\b.*\berror="use_dpop_nonce"', re.IGNORECASE)


def new_dpop_key(entropy: bytes) -> Secret:
    """A private P-256 key as a JWK, derived from 40 random octets. Each connection has its own.

    Raises:
        ValueError: `entropy` has another length.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from joserfc.jwk import ECKey

    if len(entropy) != KEY_OCTETS:
        raise ValueError(f"a key needs {KEY_OCTETS} octets of entropy")
    number = int.from_bytes(entropy, "big") % (_ORDER - 1) + 1
    key = ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))
    return Secret(msgspec.json.encode(key.as_dict(private=True)).decode())


def thumbprint_of(key: Secret) -> str:
    """The key's thumbprint: `jkt` in bound tokens, and `dpop_jkt` (section 6.1, RFC 7638)."""
    return _imported(key).thumbprint()


def proof(
    key: Secret,
    *,
    method: str,
    url: str,
    signing: SigningContext,
    access_token: Secret | None = None,
    nonce: str | None = None,
) -> str:
    """The `DPoP` header of one request (section 4.2).

    Args:
        key: From `new_dpop_key`.
        method: The request's method.
        url: The request's URL. Its query and fragment are left out.
        signing: The time for `iat`, and the entropy for `jti`.
        access_token: The token that the request carries; the proof contains its hash. None at
            the token endpoint.
        nonce: The last nonce from this server; None if it has sent none.
    """
    from joserfc import jwt

    signing_key = _imported(key)
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": signing_key.as_dict(private=False)}
    claims: dict[str, str | int] = {
        "jti": encode_base64url(signing.entropy),
        "htm": method,
        "htu": urlunsplit(urlsplit(url)._replace(query="", fragment="")),
        "iat": int(signing.now.timestamp()),
    }
    if access_token is not None:
        claims["ath"] = access_token_hash(access_token)
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.encode(header, claims, signing_key, ["ES256"])


def with_proof(
    request: HttpRequest,
    key: Secret,
    *,
    signing: SigningContext,
    access_token: Secret | None = None,
    nonce: str | None = None,
) -> HttpRequest:
    """The request with a new proof. An earlier proof is removed, because each is used once."""
    made = proof(
        key,
        method=request.method,
        url=request.url,
        signing=signing,
        access_token=access_token,
        nonce=nonce,
    )
    others = tuple(header for header in request.headers if header[0].lower() != "dpop")
    return replace(request, headers=(*others, ("DPoP", made)))


def access_token_hash(access_token: Secret) -> str:
    """The `ath` claim: the hash of the access token (section 4.2)."""
    return encode_base64url(hashlib.sha256(access_token.reveal().encode("ascii")).digest())


def server_nonce(response: HttpResponse) -> str | None:
    """The nonce for the next proof to this server; None if the last one remains valid.

    Any response may contain one (section 8.2).
    """
    nonce = response.header("dpop-nonce")
    return nonce if nonce is not None and _NONCE.fullmatch(nonce) else None


def required_nonce(response: HttpResponse) -> str | None:
    """The nonce with which to send the same request again, under a new proof.

    The server refused the request only because the nonce was missing or old: with 400 at the
    authorization server (section 8), with 401 at a resource server (section 9). None for any
    other response, or if the response names no nonce.
    """
    if response.status == 400:
        error = error_of(response)
        asks = error is not None and "use_dpop_nonce" in error.codes
    elif response.status == 401:
        asks = _CHALLENGE.search(response.header("www-authenticate") or "") is not None
    else:
        asks = False
    return server_nonce(response) if asks else None


def _imported(key: Secret) -> ECKey:
    from joserfc.jwk import ECKey

    return ECKey.import_key(msgspec.json.decode(key.reveal(), type=dict[str, str | list[str]]))
