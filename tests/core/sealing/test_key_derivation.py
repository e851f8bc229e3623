"""Key derivation: keys differ by secret, purpose and tenant, and weak secrets are refused."""

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
from igniter_connectors.core.sealing.key_derivation import KEY_ID_LENGTH, MIN_SECRET_LENGTH, Key
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.secret import Secret

from .bindings import NONCE, OTHER_SECRET, PURPOSES, SECRET


def fingerprint(cipher: AESGCM) -> bytes:
    """Two ciphers have the same fingerprint only if they have the same key."""
    return cipher.encrypt(NONCE, bytes(32), None)


def hkdf(secret: str, info: bytes, length: int) -> bytes:
    """RFC 5869 in four lines of HMAC, independent of the library that `Key` uses."""
    root = hmac.digest(b"igniter-connectors v1", secret.encode(), hashlib.sha256)
    block = hmac.digest(root, info + b"\x01", hashlib.sha256)
    assert length <= len(block)
    return block[:length]


def test_keys_are_hkdf_sha256() -> None:
    """The id and a tenant's cipher are what RFC 5869 gives for the documented labels."""
    key = Key(Secret(SECRET))
    assert key.id == hkdf(SECRET, b"key id", 8)
    info = b"cipher\x00\x00\x00\x06tokens\x00\x00\x00\x03org\x00\x00\x00\x04acme"
    derived = AESGCM(hkdf(SECRET, info, 32))
    assert fingerprint(key.cipher("tokens", "org", "acme")) == fingerprint(derived)


def test_every_purpose_and_tenant_has_a_key_of_its_own() -> None:
    """A leaked key opens one tenant's values of one purpose, and nothing else."""
    tenants = [("org", "acme"), ("org", "acm"), ("orga", "cme"), ("system", ""), ("", "system")]
    prints = {
        fingerprint(Key(Secret(secret)).cipher(purpose, scope, identity))
        for secret, purpose, (scope, identity) in product((SECRET, OTHER_SECRET), PURPOSES, tenants)
    }
    assert len(prints) == 2 * len(PURPOSES) * len(tenants)


def test_long_secrets_that_begin_alike_make_different_keys() -> None:
    """Long secrets are not truncated: the last character counts."""
    one, other = Key(Secret(SECRET * 10 + "a")), Key(Secret(SECRET * 10 + "b"))
    assert one.id != other.id
    assert fingerprint(one.cipher("config", "o", "a")) != fingerprint(
        other.cipher("config", "o", "a")
    )


def test_a_key_id_tells_nothing_of_the_key() -> None:
    """8 bytes derived with a separate label, the same in every process."""
    assert len(Key(Secret(SECRET)).id) == KEY_ID_LENGTH
    assert Key(Secret(SECRET)).id == Key(Secret(SECRET)).id
    assert SECRET not in repr(Key(Secret(SECRET)))


# --- which secrets are accepted -------------------------------------------------------------


def distinct(count: int, length: int = MIN_SECRET_LENGTH) -> str:
    """A text of the given length with `count` different characters."""
    return "".join(chr(ord("a") + index % count) for index in range(length))


@pytest.mark.parametrize("secret", [None, "", Secret("")])
def test_a_missing_secret_refuses_to_start(secret: str | Secret | None) -> None:
    """The message is one line and says how to make a secret."""
    with pytest.raises(WrongWiring, match="there is no secret") as caught:
        Keyring.from_secret(secret)
    assert isinstance(caught.value.problem, EncryptionSecretRequired)
    assert re.search(r"makes? one", str(caught.value))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("length", [1, 31])
def test_a_short_secret_refuses_to_start(length: int) -> None:
    """31 characters are too few. The message has the length and not the secret."""
    secret = distinct(20, length)
    with pytest.raises(
        WrongWiring, match=f"has {length} characters; at least 32 are needed"
    ) as caught:
        Keyring.from_secret(secret)
    assert length == 1 or secret not in str(caught.value)


@pytest.mark.parametrize("length", [32, 33])
def test_a_secret_of_32_characters_is_accepted(length: int) -> None:
    """The shortest length that is accepted."""
    assert len(Keyring.from_secret(distinct(20, length)).sealing_key.id) == KEY_ID_LENGTH


@pytest.mark.parametrize("count", [1, 7])
def test_a_secret_that_is_clearly_not_random_refuses_to_start(count: int) -> None:
    """A padded word is not enough: 7 different characters are too few."""
    with pytest.raises(WrongWiring, match="not random"):
        Keyring.from_secret(distinct(count, 64))


@pytest.mark.parametrize("count", [8, 9])
def test_eight_different_characters_are_accepted(count: int) -> None:
    """Hex digits, for example, are accepted."""
    Keyring.from_secret(distinct(count))


@pytest.mark.parametrize("weak", ["", "short", "x" * 64])
def test_previous_secrets_follow_the_same_rules(weak: str) -> None:
    """A weak secret is refused among the previous ones too."""
    with pytest.raises(WrongWiring):
        Keyring.from_secret(SECRET, [weak])


def test_a_secret_that_is_not_unicode_refuses_to_start() -> None:
    """An environment variable that is not UTF-8 gives a one-line message, not a traceback."""
    with pytest.raises(WrongWiring):
        Keyring.from_secret(distinct(20) + "\udcff")


@given(st.text(max_size=27) | st.sampled_from("zq").map(lambda character: character * 60))
def test_a_refusal_never_quotes_the_secret(text: str) -> None:
    """A secret that was configured by mistake does not end in a log."""
    with pytest.raises(WrongWiring) as caught:
        Keyring.from_secret("zqzq" + text)
    assert "zqzq" not in f"{caught.value} {caught.value.problem!r}"
