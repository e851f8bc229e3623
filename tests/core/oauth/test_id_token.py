"""Who signed in, signed by the provider. OpenID Connect Core section 3.1.3.7."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey
from returns.pipeline import is_successful
from returns.result import Result

from igniter_connectors.core.http.base64url import encode_base64url
from igniter_connectors.core.oauth.id_token import (
    MAX_TOKEN_CHARS,
    UNKNOWN_KEY,
    IdTokenClaims,
    id_token_of,
    judge_id_token,
    nonce_of,
)
from igniter_connectors.core.oauth.jwks import KeySet
from igniter_connectors.core.oauth.provider import is_openid
from igniter_connectors.core.problem import IdTokenInvalid
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW

from .keys import ALGORITHMS, EC, OTHER_RSA, RSA, AnyKey, key_for, public, signed
from .providers import PROVIDER, answer, provider

ISSUER = "https://provider.example"
OPENID = provider(issuer=ISSUER, jwks_url=f"{ISSUER}/jwks", oauth_scopes=("openid", "email"))
ACCESS = Secret("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
NONCE = nonce_of("v" * 43)
AT = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "sub": "24400320", "aud": "client", "exp": AT + 600, "iat": AT, "nonce": NONCE,
}  # fmt: skip
KEYS = KeySet((public(RSA, kid="one"),))


def token(key: AnyKey = RSA, /, header: dict[str, Any] | None = None, **changes: Any) -> Secret:
    """A signed ID token. A claim that is None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    members = {"alg": "RS256", "kid": "one", **(header or {})}
    named = {name: value for name, value in members.items() if value is not None}
    return Secret(signed(named, msgspec.json.encode(claims), key))


def judge(
    judged: Secret, keys: KeySet = KEYS, **changes: Any
) -> Result[IdTokenClaims, IdTokenInvalid]:
    known: dict[str, Any] = {"now": NOW, "nonce": NONCE, "access_token": ACCESS, **changes}
    return judge_id_token(judged, keys, OPENID, connector="telegram", **known)


def reason(judged: Secret, keys: KeySet = KEYS, **changes: Any) -> str:
    """Why a token is refused."""
    problem = judge(judged, keys, **changes).failure()
    assert problem.connector == "telegram"
    return problem.reason


# --- what is taken ----------------------------------------------------------------------------


def test_the_claims_of_a_valid_token() -> None:
    """The claims that a client needs; others are ignored."""
    claims = judge(token(email="a@b.example", name="A", picture="p", acr="x")).unwrap()
    assert claims == IdTokenClaims(
        ISSUER, "24400320", "client", AT + 600, AT, nonce=NONCE, email="a@b.example", name="A",
        picture="p",
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:EdDSA")  # the test's own signing; the library's is silent
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_accepted_algorithm_is_verified(algorithm: str) -> None:
    """With its own kind of key, and `at_hash` with its own digest (section 3.1.3.6)."""
    digest = "sha512" if algorithm in ("Ed25519", "EdDSA") else f"sha{algorithm[2:]}"
    whole = hashlib.new(digest, ACCESS.reveal().encode()).digest()
    at_hash = encode_base64url(whole[: len(whole) // 2])
    key = key_for(algorithm)
    keys = KeySet((public(key, kid="one", alg=algorithm, use="sig"),))
    sound = token(key, {"alg": algorithm}, at_hash=at_hash)
    assert judge(sound, keys).unwrap().at_hash == at_hash
    assert reason(sound, keys, access_token=Secret("other")) == "is for another access token"


def test_the_published_example_of_at_hash() -> None:
    """Access token and hash of OpenID Connect Core, appendix A.3."""
    assert is_successful(judge(token(at_hash="77QmUPtjPfzWtF2AnpK9RQ")))


def test_a_token_without_an_at_hash_is_accepted() -> None:
    """It is optional in the code flow (section 3.1.3.6)."""
    assert judge(token()).unwrap().at_hash is None


def test_a_nonce_after_a_refresh_is_ignored() -> None:
    """Section 12.2 says that it should be absent."""
    assert is_successful(judge(token(nonce=None), nonce=None))
    assert is_successful(judge(token(nonce="other"), nonce=None))


# --- signatures -------------------------------------------------------------------------------


def unsigned(header: dict[str, Any], signature: str = "") -> Secret:
    parts = (msgspec.json.encode(header), msgspec.json.encode(CLAIMS))
    return Secret(".".join((*map(encode_base64url, parts), signature)))


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS1", "rs256",
                  "ES256K", "RSA-OAEP", "dir"]
)  # fmt: skip
def test_other_algorithms_are_refused(algorithm: str) -> None:
    """`none` proves nothing, and a shared secret could be our own public key (RFC 8725)."""
    refused = "is signed with an algorithm that is not accepted"
    assert reason(unsigned({"alg": algorithm, "kid": "one"})) == refused
    assert (
        reason(unsigned({"alg": algorithm, "kid": "one"}, encode_base64url(b"x" * 64))) == refused
    )


def test_a_public_key_is_not_used_as_a_shared_secret() -> None:
    """HS256 with the provider's PEM or JWK as its key: the known confusion of algorithms."""
    for secret in (RSA.as_pem(private=False), msgspec.json.encode(public(RSA))):
        forged = signed(
            {"alg": "HS256", "kid": "one"},
            msgspec.json.encode(CLAIMS),
            OctKey.import_key(encode_base64url(secret)),
        )
        assert reason(Secret(forged)) == "is signed with an algorithm that is not accepted"


def test_a_critical_extension_is_refused() -> None:
    """RFC 7515 section 4.1.11: it must be understood."""
    told = reason(unsigned({"alg": "RS256", "crit": ["b64"], "b64": True}))
    assert told == "is signed with an algorithm that is not accepted"


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "x", "x.y.z", "a.b", "!!.e30.e30", "e30.e30.e30", "bnVsbA.e30.x", "W10.e30.x",
     "\ud800.e30.e30", "é.e30.e30"],
)  # fmt: skip
def test_text_that_is_not_a_signed_token_is_refused(text: str) -> None:
    """Also an encrypted token, which has five parts."""
    assert reason(Secret(text)) == "is not a signed token"


def test_a_token_has_three_parts() -> None:
    """With one more or fewer it is another format."""
    sound = token().reveal()
    for text in (f"{sound}.x", sound.rpartition(".")[0], f"{sound}."):
        assert reason(Secret(text)) == "is not a signed token"


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_token_has_at_most_64_kib(more: int, taken: bool) -> None:
    """Longer ones are not parsed."""
    assert MAX_TOKEN_CHARS == 65_536
    bare = len(token(pad="").reveal())
    # Three octets of a claim are four characters.
    pad = "x" * ((MAX_TOKEN_CHARS - bare) // 4 * 3)
    sound = token(pad=pad)
    while len(sound.reveal()) < MAX_TOKEN_CHARS + more:
        pad += "x"
        sound = token(pad=pad)
    if more == 0 and len(sound.reveal()) > MAX_TOKEN_CHARS:
        sound = token(pad=pad[:-1])
    assert is_successful(judge(sound)) is taken


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_any_flipped_bit_is_refused(place: int, bit: int) -> None:
    """In header, payload or signature."""
    text = token().reveal()
    place %= len(text)
    changed = text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]
    judged = judge(Secret(changed))
    if is_successful(judged):
        # base64url's last character has bits that no octet is made of.
        assert judged.unwrap() == judge(token()).unwrap()
        assert place == len(text) - 1 or text[place + 1] == "."


def test_another_key_is_refused() -> None:
    """A key that the provider does not publish, whatever its name."""
    told = reason(token(OTHER_RSA))
    assert told == "has an invalid signature"


def test_the_header_names_the_key() -> None:
    """An unknown name means that the keys are fetched again.

    Without a name, all that match are tried.
    """
    both = KeySet((public(OTHER_RSA, kid="other"), public(RSA, kid="one")))
    assert is_successful(judge(token(), both))
    assert reason(token(header={"kid": "third"}), both) == UNKNOWN_KEY
    assert reason(token(header={"kid": "other"}), both) == ("has an invalid signature")
    nameless = token(header={"kid": None})
    assert is_successful(judge(nameless, both))
    assert is_successful(judge(nameless, KeySet((public(RSA),))))
    assert reason(token(), KeySet((public(RSA),))) == UNKNOWN_KEY
    assert reason(token(), KeySet(())) == UNKNOWN_KEY


@pytest.mark.parametrize(
    ("members", "fits"),
    [
        ({"use": "sig"}, True),
        ({"use": "enc"}, False),
        ({"use": 5}, False),
        ({"alg": "RS256"}, True),
        ({"alg": "RS512"}, False),
        ({"kty": "EC"}, False),
        ({"x5c": ["x"], "key_ops": ["verify"]}, True),
    ],
)
def test_a_key_has_to_match_the_signature(members: dict[str, Any], fits: bool) -> None:
    """By use, algorithm and kind (RFC 7517 section 4)."""
    keys = KeySet((public(RSA, kid="one", **members),))
    assert is_successful(judge(token(), keys)) is fits
    assert fits or reason(token(), keys) == UNKNOWN_KEY


@pytest.mark.parametrize(
    "members",
    [{"n": None}, {"n": 5}, {"n": "!"}, {"n": ""}, {"e": None}, {"e": "AA"}, {"n": "AQAB"}],
)
def test_a_broken_key_verifies_nothing(members: dict[str, Any]) -> None:
    """It does not keep another key from being tried."""
    broken = public(RSA, kid="one", **members)
    told = "has an invalid signature"
    assert reason(token(), KeySet((broken,))) == told
    assert is_successful(judge(token(), KeySet((broken, public(RSA, kid="one")))))


def test_a_short_rsa_key_verifies_nothing() -> None:
    """A key of fewer than 2,048 bits is too weak (RFC 7518 section 3.3)."""
    with pytest.warns(UserWarning, match="2048"):
        short = RSAKey.generate_key(1024)
    keys = KeySet((public(short, kid="one"),))
    assert reason(token(short), keys) == "has an invalid signature"


def test_a_key_on_another_curve_verifies_nothing() -> None:
    """ES256 is only P-256 (RFC 7518 section 3.4)."""
    key = EC["ES256"]
    keys = KeySet((public(EC["ES384"], kid="one"),))
    told = reason(token(key, {"alg": "ES256"}), keys)
    assert told == "has an invalid signature"


# --- claims -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"iss": f"{ISSUER}/"}, "comes from another issuer"),
        ({"iss": ISSUER.upper()}, "comes from another issuer"),
        ({"iss": "https://evil.example"}, "comes from another issuer"),
        ({"aud": "other"}, "is for another client"),
        ({"aud": []}, "is for another client"),
        ({"aud": ["other"]}, "is for another client"),
        ({"aud": "client2"}, "is for another client"),
        ({"aud": ["client", "other"]},
         "is for several clients and does not say which one requested it"),
        ({"aud": ["client", "other"], "azp": "other"}, "was made for another client"),
        ({"azp": "other"}, "was made for another client"),
        ({"azp": ""}, "was made for another client"),
        ({"sub": ""}, "has no usable subject"),
        ({"sub": "x" * 256}, "has no usable subject"),
        ({"sub": "x\ny"}, "has no usable subject"),
        ({"nonce": None}, "belongs to another authorization"),
        ({"nonce": "other"}, "belongs to another authorization"),
        ({"nonce": ""}, "belongs to another authorization"),
        ({"at_hash": "other"}, "is for another access token"),
        ({"at_hash": ""}, "is for another access token"),
    ],
)  # fmt: skip
def test_a_wrong_claim_is_refused(changes: dict[str, Any], told: str) -> None:
    """Issuer, audience, subject, nonce and access token, each by its own rule."""
    assert reason(token(**changes)) == told


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["client"]},
        {"aud": ["other", "client"], "azp": "client"},
        {"azp": "client"},
        {"sub": "x" * 255},
        {"nbf": AT},
    ],
)
def test_equivalent_forms_are_accepted(changes: dict[str, Any]) -> None:
    """An audience may be a list (section 2)."""
    assert is_successful(judge(token(**changes)))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
@pytest.mark.parametrize("value", [None, {}, [5], True])
def test_the_claims_that_section_2_requires(name: str, value: object) -> None:
    """Each of the five, with its own type."""
    changes: dict[str, Any] = {name: value}
    assert reason(token(**changes)) == "lacks a claim, or has a claim of the wrong type"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"exp": AT - 59}, None),
        ({"exp": AT - 60}, "has expired"),
        ({"exp": AT - 59.5}, None),
        ({"exp": 0}, "has expired"),
        ({"exp": -1}, "has expired"),
        ({"iat": AT + 60}, None),
        ({"iat": AT + 61}, "is not valid yet"),
        ({"nbf": AT + 60}, None),
        ({"nbf": AT + 61}, "is not valid yet"),
    ],
)
def test_clocks_may_differ_by_a_minute(changes: dict[str, Any], told: str | None) -> None:
    """At the exact second, and one second beside it."""
    judged = judge(token(**changes))
    assert (judged.failure().reason if not is_successful(judged) else None) == told


@given(st.integers(-(10**6), 10**6))
def test_an_expired_token_stays_expired(seconds: int) -> None:
    """Once expired, it stays so."""
    now = NOW + timedelta(seconds=seconds)
    taken = is_successful(judge(token(iat=AT - 10**6), now=now))
    assert taken is (seconds < 660)


@given(
    st.dictionaries(
        st.sampled_from([*CLAIMS, "azp", "at_hash", "nbf"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_any_claims_are_judged(claims: dict[str, Any]) -> None:
    """Any signed claims give claims or a problem that does not repeat them."""
    marked: dict[str, Any] = {name: f"zqCanary{value}" for name, value in claims.items()}
    assert isinstance(judge(token(**claims)), Result)
    if marked:
        assert "zqCanary" not in repr(judge(token(**marked)))


@given(st.binary())
def test_any_payload_is_judged(payload: bytes) -> None:
    """Signed or not, JSON or not."""
    made = signed({"alg": "RS256", "kid": "one"}, payload, RSA)
    assert reason(Secret(made)) in (
        "lacks a claim, or has a claim of the wrong type", "has an invalid signature"
    )  # fmt: skip


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """In place of a token."""
    assert isinstance(judge(Secret(text)), Result)


# --- around it --------------------------------------------------------------------------------


def test_claims_do_not_show_their_values() -> None:
    """Name and address do not reach a log."""
    assert repr(judge(token(email="zqCanary")).unwrap()) == "IdTokenClaims(…)"


@given(st.text("abc", min_size=1), st.text("abc", min_size=1))
def test_a_nonce_depends_on_the_verifier(one: str, other: str) -> None:
    """Two flows have different ones, and it is not the PKCE challenge."""
    assert (nonce_of(one) == nonce_of(other)) == (one == other)
    assert len(nonce_of(one)) == 43


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"id_token": "a.b.c"}, Secret("a.b.c")),
        ({"id_token": ""}, None),
        ({"id_token": 5}, None),
        ({}, None),
        (b"<html>", None),
        (b"id_token=a.b.c", Secret("a.b.c")),
    ],
)
def test_where_the_id_token_is(body: object, found: Secret | None) -> None:
    """Beside the access token."""
    assert id_token_of(answer(body)) == found


def test_an_openid_provider_declares_scope_issuer_and_keys() -> None:
    """All three, or it is not one."""
    assert is_openid(OPENID)
    assert not is_openid(PROVIDER)
    for lacking in ({"issuer": None}, {"jwks_url": None}, {"oauth_scopes": ("email",)}):
        assert not is_openid(msgspec.structs.replace(OPENID, **lacking))
