"""Tokens bound to a key. RFC 9449."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from igniter_connectors.core.http.base64url import decode_base64url, encode_base64url
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.oauth.client_assertion import SigningContext
from igniter_connectors.core.oauth.dpop import (
    access_token_hash,
    new_dpop_key,
    proof,
    required_nonce,
    server_nonce,
    thumbprint_of,
    with_proof,
)
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW
from tests.core.vector_files import vectors

from .providers import answer

SIGNING = SigningContext(NOW, b"e" * 16)
OCTETS = st.binary(min_size=40, max_size=40)
KEY = new_dpop_key(bytes(range(40)))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Dpop(msgspec.Struct):
    key: dict[str, str]
    thumbprint: str
    access_token: str
    access_token_hash: str
    token_proof: str
    resource_proof: str


VECTOR = vectors("rfc9449_dpop.json", Dpop)


def read(made: str, key: Secret = KEY) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims of a proof, after its own key verified the signature."""
    signer = ECKey.import_key(msgspec.json.decode(key.reveal()))
    token = jwt.decode(made, signer, ["ES256"])
    return dict(token.header), dict(token.claims)


# --- the proof --------------------------------------------------------------------------------


def test_the_hashes_of_the_rfc() -> None:
    """`jkt` of figure 9 and `ath` of section 7.1."""
    key = Secret(msgspec.json.encode(VECTOR.key).decode())
    assert thumbprint_of(key) == VECTOR.thumbprint
    assert access_token_hash(Secret(VECTOR.access_token)) == VECTOR.access_token_hash


def test_a_proof_for_the_token_endpoint_is_like_figure_2() -> None:
    """The same header members and claims. Only key, time and id differ."""
    key = Secret(msgspec.json.encode(VECTOR.key).decode())
    header, claims = read(VECTOR.token_proof, key)
    made = proof(KEY, method="POST", url=str(claims["htu"]), signing=SIGNING)
    own_header, own_claims = read(made)
    assert {**own_header, "jwk": 0} == {**header, "jwk": 0}
    jwk, theirs = own_header["jwk"], header["jwk"]
    assert isinstance(jwk, dict)
    assert isinstance(theirs, dict)
    assert set(jwk) == set(theirs)
    assert {**own_claims, "jti": 0, "iat": 0} == {**claims, "jti": 0, "iat": 0}


def test_a_proof_for_a_resource_is_like_figure_12() -> None:
    """With the hash of the access token."""
    key = Secret(msgspec.json.encode(VECTOR.key).decode())
    header, claims = read(VECTOR.resource_proof, key)
    made = proof(
        KEY,
        method="GET",
        url=f"{claims['htu']}?page=2#part",
        signing=SIGNING,
        access_token=Secret(VECTOR.access_token),
    )
    own_header, own_claims = read(made)
    assert {**own_header, "jwk": 0} == {**header, "jwk": 0}
    assert {**own_claims, "jti": 0, "iat": 0} == {**claims, "jti": 0, "iat": 0}


def test_a_proof_has_time_id_and_nonce() -> None:
    """`iat` is the time in seconds, `jti` the entropy. The nonce is there if one was given."""
    _, claims = read(proof(KEY, method="GET", url="https://a.example/x", signing=SIGNING))
    assert claims == {
        "jti": encode_base64url(b"e" * 16),
        "htm": "GET",
        "htu": "https://a.example/x",
        "iat": int(NOW.timestamp()),
    }
    _, claims = read(proof(KEY, method="GET", url="https://a", signing=SIGNING, nonce="n.1"))
    assert claims["nonce"] == "n.1"


def test_a_proof_shows_only_the_public_key() -> None:
    """The header's key has no `d`, and has the thumbprint of the private key."""
    header, _ = read(proof(KEY, method="GET", url="https://a.example", signing=SIGNING))
    jwk = header["jwk"]
    assert isinstance(jwk, dict)
    assert set(jwk) == {"kty", "crv", "x", "y"}
    assert ECKey.import_key(jwk).thumbprint() == thumbprint_of(KEY)


def test_a_request_carries_one_proof() -> None:
    """It replaces an earlier one, whatever the case of its header. Nothing else changes."""
    request = HttpRequest("POST", "https://a.example/token?x=1", (("dpop", "old"), ("A", "b")))
    proved = with_proof(request, KEY, signing=SIGNING, access_token=Secret("t"), nonce="n")
    assert [name for name, _ in proved.headers] == ["A", "DPoP"]
    _, claims = read(proved.header("dpop") or "")
    assert (claims["htm"], claims["htu"]) == ("POST", "https://a.example/token")
    assert (claims["nonce"], claims["ath"]) == ("n", access_token_hash(Secret("t")))
    assert (proved.method, proved.url, proved.body) == (request.method, request.url, request.body)


# --- the key ----------------------------------------------------------------------------------


@given(OCTETS)
def test_a_key_is_derived_from_entropy_only(entropy: bytes) -> None:
    """The same octets give the same key, and it signs."""
    key = new_dpop_key(entropy)
    assert key == new_dpop_key(entropy)
    number = msgspec.json.decode(key.reveal())["d"]
    value = int.from_bytes(decode_base64url(number) or b"", "big")
    assert value == int.from_bytes(entropy, "big") % (ORDER - 1) + 1
    read(proof(key, method="GET", url="https://a.example", signing=SIGNING), key)


@given(OCTETS, OCTETS)
def test_two_connections_share_no_key(one: bytes, other: bytes) -> None:
    """No entropy is lost."""
    assert (new_dpop_key(one) == new_dpop_key(other)) == (one == other)


@pytest.mark.parametrize("number", [0, ORDER - 2, ORDER - 1, ORDER, 2**320 - 1])
def test_any_entropy_gives_a_valid_private_key(number: int) -> None:
    """From 1 to the order less one, at both ends too."""
    key = new_dpop_key(number.to_bytes(40, "big"))
    assert set(msgspec.json.decode(key.reveal())) >= {"kty", "crv", "x", "y", "d"}


@pytest.mark.parametrize("size", [0, 32, 39, 41])
def test_a_key_takes_40_octets(size: int) -> None:
    """With fewer, some keys would be more likely."""
    with pytest.raises(ValueError, match="40 octets"):
        new_dpop_key(bytes(size))


# --- nonces -----------------------------------------------------------------------------------


NONCE = (("DPoP-Nonce", "eyJ7S_zG.eyJH0-Z.HX4w-7v"),)
ASKS = b'{"error":"use_dpop_nonce","error_description":"Authorization server requires nonce"}'
CHALLENGE = 'DPoP error="use_dpop_nonce", error_description="Resource server requires nonce"'


def test_the_authorization_server_asks_for_a_nonce() -> None:
    """The example of section 8."""
    assert required_nonce(HttpResponse(400, NONCE, ASKS)) == NONCE[0][1]


@pytest.mark.parametrize(
    "challenge",
    [
        CHALLENGE,
        'Bearer realm="x", DPoP algs="ES256", error="use_dpop_nonce"',
        'dpop ERROR="use_dpop_nonce"',
    ],
)
def test_a_resource_asks_for_a_nonce(challenge: str) -> None:
    """The example of section 9, and the challenge beside another."""
    answered = HttpResponse(401, (*NONCE, ("WWW-Authenticate", challenge)))
    assert required_nonce(answered) == NONCE[0][1]


@pytest.mark.parametrize(
    "answered",
    [
        HttpResponse(400, (), ASKS),
        HttpResponse(400, NONCE, b'{"error":"invalid_grant"}'),
        HttpResponse(400, NONCE, b""),
        HttpResponse(400, (*NONCE, ("WWW-Authenticate", CHALLENGE)), b""),
        HttpResponse(401, NONCE, ASKS),
        HttpResponse(401, (("WWW-Authenticate", CHALLENGE),)),
        HttpResponse(401, (*NONCE, ("WWW-Authenticate", 'DPoP error="invalid_token"'))),
        HttpResponse(401, (*NONCE, ("WWW-Authenticate", 'Bearer error="use_dpop_nonce"'))),
        HttpResponse(200, NONCE, ASKS),
        HttpResponse(403, (*NONCE, ("WWW-Authenticate", CHALLENGE)), ASKS),
        HttpResponse(400, (*NONCE, *NONCE), ASKS),
    ],
)
def test_any_other_response_asks_for_no_nonce(answered: HttpResponse) -> None:
    """So no request is repeated for another reason."""
    assert required_nonce(answered) is None


def test_any_response_may_have_the_next_nonce() -> None:
    """Section 8.2."""
    assert server_nonce(HttpResponse(200, NONCE)) == NONCE[0][1]
    assert server_nonce(answer({})) is None


@pytest.mark.parametrize(
    ("nonce", "taken"),
    [
        ("a", True),
        ("!#[]~", True),
        ("n" * 512, True),
        ("n" * 513, False),
        ("", False),
        ('a"b', False),
        ("a\\b", False),
        ("a b", False),
        ("é", False),
        ("a\n", False),
    ],
)
def test_a_nonce_has_the_characters_of_the_rfc(nonce: str, taken: bool) -> None:
    """NQCHAR of RFC 6749 (section 8.1), at most 512."""
    assert (server_nonce(HttpResponse(200, (("dpop-nonce", nonce),))) == nonce) is taken
