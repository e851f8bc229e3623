"""Tokens bound to a key: each request proves that its sender holds it. RFC 9449."""

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
from igniter_connectors.core.oauth.provider_response import decode_response
from igniter_connectors.core.secret import Secret

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

KEY_OCTETS: Final = 40
"""The entropy of a key: 64 bits more than the curve's order, so that reducing it favours no
key (FIPS 186-5, appendix A.2.1)."""

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NONCE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,512}")
_CHALLENGE: Final = re.compile(r'\bDPoP\b.*\berror="use_dpop_nonce"', re.IGNORECASE)


def new_dpop_key(entropy: bytes) -> Secret:
    """A private key on P-256 as a JWK, from 40 fresh octets; one for each connection.

    Raises:
        ValueError: fewer or more octets.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from joserfc.jwk import ECKey

    if len(entropy) != KEY_OCTETS:
        raise ValueError(f"a key is made of {KEY_OCTETS} octets")
    number = int.from_bytes(entropy, "big") % (_ORDER - 1) + 1
    key = ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))
    return Secret(msgspec.json.encode(key.as_dict(private=True)).decode())


def thumbprint_of(key: Secret) -> str:
    """What tokens bound to a key name it by: `jkt` and `dpop_jkt` (section 6.1, RFC 7638)."""
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
        key: Of `new_dpop_key`.
        method: As sent.
        url: As sent; its query and fragment are left out.
        signing: `iat` and, from the entropy, `jti`.
        access_token: What the request carries; its hash is in the proof. None at the token
            endpoint.
        nonce: What the server last asked for; None before it did.
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
    """A request with its proof; an earlier one is taken out, for each is used once."""
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
    """`ath`: the hash of the token's ASCII, as it is sent (section 4.2)."""
    return encode_base64url(hashlib.sha256(access_token.reveal().encode("ascii")).digest())


def server_nonce(response: HttpResponse) -> str | None:
    """The nonce to put into the next proof for this server; None where the last one stays.

    Any answer may bring one (section 8.2).
    """
    nonce = response.header("dpop-nonce")
    return nonce if nonce is not None and _NONCE.fullmatch(nonce) else None


def required_nonce(response: HttpResponse) -> str | None:
    """The nonce with which the same request, under a new proof, is to be sent once more.

    The request was refused for the want of it and did nothing: a 400 from the
    authorization server (section 8), a 401 from a resource (section 9). None where the
    answer says anything else, or names no nonce.
    """
    if response.status == 400:
        asks = (decode_response(response) or {}).get("error") == "use_dpop_nonce"
    elif response.status == 401:
        asks = _CHALLENGE.search(response.header("www-authenticate") or "") is not None
    else:
        asks = False
    return server_nonce(response) if asks else None


def _imported(key: Secret) -> ECKey:
    from joserfc.jwk import ECKey

    return ECKey.import_key(msgspec.json.decode(key.reveal(), type=dict[str, str | list[str]]))
