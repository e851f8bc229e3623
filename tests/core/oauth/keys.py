"""Key pairs with which the tests sign requests and ID tokens."""

from __future__ import annotations

from typing import Any, Final

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from igniter_connectors.core.secret import Secret

RSA: Final = RSAKey.generate_key(2048)
OTHER_RSA: Final = RSAKey.generate_key(2048)
EC: Final = {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
}
OKP: Final = OKPKey.generate_key("Ed25519")
ALGORITHMS: Final = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
    "EdDSA",
]  # fmt: skip

AnyKey = RSAKey | ECKey | OKPKey


def key_for(algorithm: str) -> AnyKey:
    """A key pair for an algorithm."""
    if algorithm in EC:
        return EC[algorithm]
    return OKP if algorithm in ("Ed25519", "EdDSA") else RSA


def pem(key: AnyKey) -> Secret:
    """The private key as PEM."""
    return Secret(key.as_pem(private=True).decode())


# Any: what a JWK's members are depends on its kind.
def public(key: AnyKey, **members: Any) -> dict[str, Any]:
    """The public key as a JWK, with additional members."""
    return {**key.as_dict(private=False), **members}


def signed(header: dict[str, Any], payload: bytes, key: AnyKey | OctKey) -> str:
    """A compact JWS with this header."""
    algorithm = str(header["alg"])
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jws.serialize_compact(header, payload, key, [algorithm], registry)
