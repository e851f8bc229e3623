"""Keys: derived, distinct by secret, purpose and tenant; weak secrets refuse to start."""

from __future__ import annotations

import hashlib
import hmac
import re
from itertools import product

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.problem import EncryptionSecretRequired, WrongWiring
from igniter_connectors.core.sealing.keyring import (
    KEY_ID_LENGTH,
    SECRET_LENGTH,
    Key,
    Keyring,
)
from igniter_connectors.core.secret import Secret

from .places import NONCE, OTHER_SECRET, PURPOSES, SECRET


def fingerprint(cipher: AESGCM) -> bytes:
    """Equal for two ciphers exactly when their keys are."""
    return cipher.encrypt(NONCE, bytes(32), None)


def hkdf(secret: str, info: bytes, length: int) -> bytes:
    """RFC 5869 in four lines of HMAC, beside the library that the keyring uses."""
    root = hmac.digest(b"igniter-connectors v1", secret.encode(), hashlib.sha256)
    block = hmac.digest(root, info + b"\x01", hashlib.sha256)
    assert length <= len(block)
    return block[:length]


def test_keys_are_hkdf_sha256() -> None:
    """The id and a tenant's cipher are what RFC 5869 gives for the labels written down."""
    key = Key(Secret(SECRET))
    assert key.id == hkdf(SECRET, b"key id", 8)
    info = b"cipher\x00\x00\x00\x06tokens\x00\x00\x00\x03org\x00\x00\x00\x04acme"
    derived = AESGCM(hkdf(SECRET, info, 32))
    assert fingerprint(key.cipher("tokens", "org", "acme")) == fingerprint(derived)


def test_every_purpose_and_tenant_has_a_key_of_its_own() -> None:
    """A key that leaks opens one tenant's values of one purpose, and nothing else."""
    tenants = [("org", "acme"), ("org", "acm"), ("orga", "cme"), ("system", ""), ("", "system")]
    prints = {
        fingerprint(Key(Secret(secret)).cipher(purpose, scope, identity))
        for secret, purpose, (scope, identity) in product((SECRET, OTHER_SECRET), PURPOSES, tenants)
    }
    assert len(prints) == 2 * len(PURPOSES) * len(tenants)


def test_long_secrets_that_begin_alike_make_different_keys() -> None:
    """Nothing is cut off: the last of many characters counts."""
    one, other = Key(Secret(SECRET * 10 + "a")), Key(Secret(SECRET * 10 + "b"))
    assert one.id != other.id
    assert fingerprint(one.cipher("config", "o", "a")) != fingerprint(
        other.cipher("config", "o", "a")
    )


def test_a_key_id_tells_nothing_of_the_key() -> None:
    """It is 8 bytes derived under a label of its own, stable from one process to the next."""
    assert len(Key(Secret(SECRET)).id) == KEY_ID_LENGTH
    assert Key(Secret(SECRET)).id == Key(Secret(SECRET)).id
    assert SECRET not in repr(Key(Secret(SECRET)))


# --- which secrets are taken ----------------------------------------------------------------


def distinct(count: int, length: int = SECRET_LENGTH) -> str:
    """A text of this length with this many different characters."""
    return "".join(chr(ord("a") + index % count) for index in range(length))


@pytest.mark.parametrize("secret", [None, "", Secret("")])
def test_a_missing_secret_refuses_to_start(secret: str | Secret | None) -> None:
    """In one line that says how to make one."""
    with pytest.raises(WrongWiring, match="there is no secret") as caught:
        Keyring.from_secret(secret)
    assert isinstance(caught.value.problem, EncryptionSecretRequired)
    assert re.search(r"makes? one", str(caught.value))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("length", [1, 31])
def test_a_short_secret_refuses_to_start(length: int) -> None:
    """31 characters are one too few; the line tells the number and not the secret."""
    secret = distinct(20, length)
    with pytest.raises(WrongWiring, match=f"has {length} characters; 32 are the least") as caught:
        Keyring.from_secret(secret)
    assert length == 1 or secret not in str(caught.value)


@pytest.mark.parametrize("length", [32, 33])
def test_a_secret_of_32_characters_is_taken(length: int) -> None:
    """The least length that is long enough."""
    assert len(Keyring.from_secret(distinct(20, length)).sealing_key.id) == KEY_ID_LENGTH


@pytest.mark.parametrize("count", [1, 7])
def test_a_secret_that_is_plainly_not_random_refuses_to_start(count: int) -> None:
    """Padding a word to the length needed does not help: 7 different characters are too few."""
    with pytest.raises(WrongWiring, match="not random"):
        Keyring.from_secret(distinct(count, 64))


@pytest.mark.parametrize("count", [8, 9])
def test_eight_different_characters_are_taken(count: int) -> None:
    """Hex digits and the like are not refused."""
    Keyring.from_secret(distinct(count))


@pytest.mark.parametrize("weak", ["", "short", "x" * 64])
def test_earlier_secrets_are_judged_alike(weak: str) -> None:
    """A weak key does not come in by the back door of rotation."""
    with pytest.raises(WrongWiring):
        Keyring.from_secret(SECRET, [weak])


def test_a_secret_that_is_not_unicode_refuses_to_start() -> None:
    """An environment variable that is not UTF-8 is told in one line, not by a traceback."""
    with pytest.raises(WrongWiring):
        Keyring.from_secret(distinct(20) + "\udcff")


@given(st.text(max_size=27) | st.sampled_from("zq").map(lambda character: character * 60))
def test_a_refusal_never_quotes_the_secret(text: str) -> None:
    """Whatever was configured by mistake does not end in a log."""
    with pytest.raises(WrongWiring) as caught:
        Keyring.from_secret("zqzq" + text)
    assert "zqzq" not in f"{caught.value} {caught.value.problem!r}"


# --- keyrings -------------------------------------------------------------------------------


def test_the_first_key_seals_and_all_open() -> None:
    """Rotation: the new key seals, the old ones are found by their id, others are not."""
    ring = Keyring.from_secret(SECRET, [Secret(OTHER_SECRET)])
    old, new = Key(Secret(OTHER_SECRET)), Key(Secret(SECRET))
    assert ring.sealing_key.id == new.id
    for key in (old, new):
        found = ring.find(key.id)
        assert found is not None
        assert found.id == key.id
    assert ring.find(Key(Secret(distinct(20))).id) is None
    assert ring.find(b"") is None
    assert ring.find(new.id[:-1]) is None


def test_a_keyring_does_not_show_its_secrets() -> None:
    """It tells how many keys it has and the id of the one that seals."""
    ring = Keyring.from_secret(SECRET, [OTHER_SECRET])
    assert repr(ring) == f"Keyring(2 keys, seals with {ring.sealing_key.id.hex()})"


def test_generated_secrets_are_new_and_taken() -> None:
    """43 characters, different each time, and good enough for the keyring itself."""
    secrets = {Keyring.generate() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        assert len(secret.reveal()) == 43
        Keyring.from_secret(secret)
