"""A client that signs: `private_key_jwt`. RFC 7523."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey
from msgspec.structs import replace

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.client_assertion import (
    ASSERTION_LIFE,
    SigningContext,
    assertion_fields,
    assertion_key_fault,
)
from igniter_connectors.core.oauth.client_authentication import token_request
from igniter_connectors.core.oauth.provider import AssertionAlgorithm, OAuthProvider
from igniter_connectors.core.oauth.provider_validation import provider_fault
from igniter_connectors.core.oauth.pushed_authorization import push_request
from igniter_connectors.core.oauth.revocation import revoke_request
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW
from tests.core.vector_files import vectors

from .keys import ALGORITHMS, EC, OKP, RSA, key_for, pem
from .providers import provider

SIGNING = SigningContext(NOW, b"e" * 16)


class Assertion(msgspec.Struct):
    algorithm: AssertionAlgorithm
    key_id: str
    assertion_type: str
    assertion_begins: str


def signing(algorithm: Any = "RS256", **changes: Any) -> OAuthProvider:
    """A provider whose client signs."""
    return provider(
        client_secret=None,
        client_authentication="private_key_jwt",
        client_assertion_key=pem(key_for(algorithm)),
        client_assertion_algorithm=algorithm,
        **changes,
    )


def test_the_example_of_the_rfc() -> None:
    """Type, header and first claims of the assertion are those of section 2.2."""
    vector = vectors("rfc7523_client_assertion.json", Assertion)
    fields = assertion_fields(
        signing(vector.algorithm, client_assertion_key_id=vector.key_id),
        SIGNING,
        endpoint="https://p.example",
    )
    assert fields["client_assertion_type"] == vector.assertion_type
    assert fields["client_assertion"].startswith(vector.assertion_begins)


@pytest.mark.filterwarnings("ignore:EdDSA")  # the test's own reading; the library's is silent
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_assertion_is_signed_with_the_declared_algorithm(algorithm: str) -> None:
    """The public key verifies it. The claims are those of section 3 and no more."""
    judged = signing(algorithm)
    assert provider_fault(judged) is None
    fields = assertion_fields(judged, SIGNING, endpoint=judged.token_url)
    token = jwt.decode(fields["client_assertion"], key_for(algorithm), [algorithm])
    assert token.header == {"alg": algorithm}
    at = int(NOW.timestamp())
    assert token.claims == {
        "iss": "client",
        "sub": "client",
        "aud": judged.token_url,
        "jti": encode_base64url(b"e" * 16),
        "iat": at,
        "exp": at + 60,
    }
    assert fields["client_id"] == "client"
    assert set(fields) == {"client_id", "client_assertion", "client_assertion_type"}


def test_an_assertion_lives_for_a_minute() -> None:
    """Long enough for a request and for clocks that differ."""
    assert timedelta(minutes=1) == ASSERTION_LIFE


def test_the_key_may_be_a_jwk_or_pem() -> None:
    """The header has the declared `kid`, not the one of the JWK."""
    as_json = Secret(" " + msgspec.json.encode(RSA.as_dict(private=True, kid="own")).decode())
    judged = signing(client_assertion_key_id="declared")
    judged = replace(judged, client_assertion_key=as_json)
    assert provider_fault(judged) is None
    token = jwt.decode(
        assertion_fields(judged, SIGNING, endpoint=judged.token_url)["client_assertion"],
        RSA,
        ["RS256"],
    )
    assert token.header == {"alg": "RS256", "kid": "declared"}


def test_the_audience_may_be_declared() -> None:
    """Some servers accept only their issuer."""
    judged = signing(client_assertion_audience="https://issuer.example")
    token = jwt.decode(
        assertion_fields(judged, SIGNING, endpoint=judged.token_url)["client_assertion"],
        RSA,
        ["RS256"],
    )
    assert token.claims["aud"] == "https://issuer.example"


@given(st.binary(min_size=16, max_size=32), st.binary(min_size=16, max_size=32))
def test_each_assertion_has_its_own_id(one: bytes, other: bytes) -> None:
    """Servers refuse an assertion that they have seen before (section 3, `jti`)."""
    ids = [
        jwt.decode(
            assertion_fields(
                signing("Ed25519"), SigningContext(NOW, entropy), endpoint="https://p.example"
            )["client_assertion"],
            OKP,
            ["Ed25519"],
        ).claims["jti"]
        for entropy in (one, other)
    ]
    assert (ids[0] == ids[1]) == (one == other)


def test_a_request_carries_the_assertion_and_no_secret() -> None:
    """One method for each request: no header and no `client_secret`."""
    request = token_request(signing(), {"grant_type": "x"}, signing=SIGNING)
    form = dict(parse_qsl(request.body.decode()))
    assert set(form) == {
        "grant_type",
        "client_id",
        "client_assertion",
        "client_assertion_type",
    }
    assert request.header("authorization") is None


def test_signing_without_a_signing_context_is_an_exception() -> None:
    """Nothing is sent unsigned."""
    with pytest.raises(ValueError, match="needs a signing context"):
        token_request(signing(), {})


def test_a_signing_context_does_not_show_its_entropy() -> None:
    """It is in the request, and in no log."""
    assert repr(SIGNING) == f"SigningContext({NOW.isoformat()}, …)"


# --- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "PS512", "ES256", "Ed25519"])
@pytest.mark.parametrize(
    "text", ["x", "{", "{}", '{"kty":"RSA"}', '{"kty":"oct","k":"AAAA"}', "[]", "\ud800"]
)
def test_text_that_is_not_a_key_is_a_fault(algorithm: AssertionAlgorithm, text: str) -> None:
    """Reported when the connector is built, without any of the text."""
    fault = assertion_key_fault(Secret(text), algorithm)
    assert fault == f"client_assertion_key is not a PEM or JWK key for {algorithm}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("other", ["RS256", "ES256", "ES384", "ES512", "Ed25519"])
def test_a_key_has_to_match_its_algorithm(algorithm: AssertionAlgorithm, other: str) -> None:
    """Both kind and curve."""
    fits = key_for(algorithm) is key_for(other)
    fault = assertion_key_fault(pem(key_for(other)), algorithm)
    assert (fault is None) is fits


def test_a_wrong_curve_is_named() -> None:
    """A P-384 key signs only with ES384."""
    fault = assertion_key_fault(pem(EC["ES384"]), "ES256")
    assert fault == "client_assertion_key is not on the curve of ES256"


def test_a_public_key_is_a_fault() -> None:
    """It cannot sign. The mistake is found at the start."""
    public_pem = Secret(RSA.as_pem(private=False).decode())
    assert assertion_key_fault(public_pem, "RS256") == "client_assertion_key is a public key"


def test_a_short_rsa_key_is_a_fault() -> None:
    """Fewer than 2,048 bits (RFC 7518 section 3.3)."""
    with pytest.warns(UserWarning, match="2048"):
        short = RSAKey.generate_key(1024)
    assert assertion_key_fault(pem(short), "RS256") is not None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_assertion_key": None}, "client_assertion_key do not match"),
        ({"client_authentication": None}, "client_assertion_key do not match"),
        ({"client_authentication": "none"}, "client_assertion_key do not match"),
        ({"client_secret": Secret("x")}, "client_secret do not match"),
        ({"client_assertion_key": Secret("")}, "client_assertion_key is empty"),
        ({"client_assertion_key": Secret("x")}, "not a PEM or JWK"),
    ],
)
def test_key_and_method_are_declared_together(changes: dict[str, Any], told: str) -> None:
    """A key that signs nothing, or a method without a key, is a mistake."""
    assert told in str(provider_fault(replace(signing(), **changes)))


def certificate() -> str:
    """A certificate of `RSA`, signed by itself."""
    own = load_pem_private_key(pem(RSA).reveal().encode(), None)
    assert isinstance(own, RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    builder = x509.CertificateBuilder(name, name, own.public_key(), 1, NOW, NOW + timedelta(days=1))
    return builder.sign(own, SHA256()).public_bytes(Encoding.PEM).decode()


def test_the_header_carries_the_thumbprints_of_a_certificate() -> None:
    """Microsoft Entra finds the key by them (RFC 7515 sections 4.1.7 and 4.1.8)."""
    made = certificate()
    der = x509.load_pem_x509_certificate(made.encode()).public_bytes(Encoding.DER)
    judged = signing(client_assertion_certificate=made)
    assert provider_fault(judged) is None
    fields = assertion_fields(judged, SIGNING, endpoint=judged.token_url)
    header = jwt.decode(fields["client_assertion"], RSA, ["RS256"]).header
    assert header["x5t"] == encode_base64url(sha1(der, usedforsecurity=False).digest())
    assert header["x5t#S256"] == encode_base64url(sha256(der).digest())


def test_a_certificate_belongs_to_the_key() -> None:
    """The certificate of another key is refused, and what is not a certificate, or has no key."""
    made = certificate()
    assert provider_fault(signing("ES256", client_assertion_certificate=made)) is not None
    assert provider_fault(signing(client_assertion_certificate="zqCanary")) is not None
    assert provider_fault(provider(client_assertion_certificate=made)) is not None


def test_an_assertion_may_come_from_elsewhere() -> None:
    """Federated credentials: the source gets the audience, and replaces the key."""
    federated = replace(
        signing(),
        client_assertion_key=None,
        client_assertion_source=lambda audience: Secret(f"for {audience}"),
    )
    assert provider_fault(federated) is None
    fields = assertion_fields(federated, SIGNING, endpoint="https://p.example/revoke")
    assert fields["client_assertion"] == f"for {federated.token_url}"
    assert provider_fault(signing(client_assertion_source=Secret)) is not None


@pytest.mark.parametrize("endpoint", ["token_url", "revocation_url", "pushed_authorization_url"])
def test_the_audience_may_be_the_endpoint_that_is_called(endpoint: str) -> None:
    """Of each request."""
    judged = signing(
        client_assertion_names_endpoint=True,
        revocation_url="https://p.example/revoke",
        pushed_authorization_url="https://p.example/par",
    )
    requests = (
        token_request(judged, {}, signing=SIGNING),
        revoke_request(judged, Secret("t"), kind="access_token", signing=SIGNING),
        push_request(
            judged, redirect_uri="https://o", state="s", verifier="v" * 43, signing=SIGNING
        ),
    )
    url = getattr(judged, endpoint)
    (sent,) = (request for request in requests if request is not None and request.url == url)
    assertion = dict(parse_qsl(sent.body.decode()))["client_assertion"]
    assert jwt.decode(assertion, RSA, ["RS256"]).claims["aud"] == url
