"""The keyring: every key opens, the first one seals."""

from __future__ import annotations

from igniter_connectors.core.sealing.key_derivation import Key
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.secret import Secret

from .bindings import OTHER_SECRET, SECRET
from .test_key_derivation import distinct


def test_the_first_key_seals_and_all_open() -> None:
    """The new key seals, the old ones are found by their id, and unknown ids are not found."""
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
    """Its repr has the number of keys and the id of the key that seals."""
    ring = Keyring.from_secret(SECRET, [OTHER_SECRET])
    assert repr(ring) == f"Keyring(2 keys, seals with {ring.sealing_key.id.hex()})"


def test_generated_secrets_are_new_and_accepted() -> None:
    """43 characters, different each time, and strong enough for the keyring."""
    secrets = {Keyring.generate() for _ in range(50)}
    assert len(secrets) == 50
    for secret in secrets:
        assert len(secret.reveal()) == 43
        Keyring.from_secret(secret)
