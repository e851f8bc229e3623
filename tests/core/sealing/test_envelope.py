"""The bytes of an envelope, and that nothing but a whole envelope opens."""

from __future__ import annotations

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.sealing.associated_data import Binding, Purpose, associated_data
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.core.sealing.envelope import (
    KEY_ID_AT,
    NONCE_AT,
    NONCE_LENGTH,
    TEXT_AT,
    VERSION,
    BoundCipher,
    key_id_of,
    open_envelope,
    seal_envelope,
)
from igniter_connectors.core.sealing.key_derivation import Key
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.secret import Secret
from tests.core.vector_files import vectors

from .bindings import BINDING, NONCE, OTHER_SECRET, SECRET

KEY = Key(Secret(SECRET))
TAG_LENGTH = 16


def cipher_of(key: Key, version: bytes = VERSION) -> BoundCipher:
    """A key's cipher for `BINDING`."""
    header = version + key.id
    cipher = key.cipher(BINDING.purpose, BINDING.scope, BINDING.identity)
    return BoundCipher(header, cipher, header + associated_data(BINDING))


PLAINTEXTS = st.binary(max_size=200)
NONCES = st.binary(min_size=12, max_size=12)
HERE = cipher_of(KEY)
SEALED = seal_envelope(b"canary", HERE, NONCE)


@given(PLAINTEXTS, NONCES)
def test_what_was_sealed_opens(plaintext: bytes, nonce: bytes) -> None:
    """Opening is the inverse of sealing, also for an empty plaintext."""
    assert open_envelope(seal_envelope(plaintext, HERE, nonce), HERE) == plaintext


@given(PLAINTEXTS, NONCES)
def test_the_layout_is_what_the_docstring_says(plaintext: bytes, nonce: bytes) -> None:
    """Version, key id, nonce, ciphertext and tag are at their documented offsets."""
    sealed = seal_envelope(plaintext, HERE, nonce)
    assert (KEY_ID_AT, NONCE_AT, TEXT_AT, NONCE_LENGTH) == (1, 9, 21, 12)
    assert sealed[0] == 1
    assert sealed[1:9] == KEY.id
    assert sealed[9:21] == nonce
    cipher = KEY.cipher(BINDING.purpose, BINDING.scope, BINDING.identity)
    assert sealed[21:] == cipher.encrypt(nonce, plaintext, sealed[:9] + associated_data(BINDING))
    assert len(sealed) == 21 + len(plaintext) + TAG_LENGTH


@given(PLAINTEXTS, st.data())
def test_any_flipped_bit_is_refused(plaintext: bytes, data: st.DataObject) -> None:
    """One flipped bit is enough: in version, key id, nonce, ciphertext or tag."""
    sealed = bytearray(seal_envelope(plaintext, HERE, NONCE))
    bit = data.draw(st.integers(min_value=0, max_value=8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    assert open_envelope(bytes(sealed), HERE) is None


def test_every_single_flipped_bit_is_refused() -> None:
    """Every bit of one envelope."""
    for bit in range(8 * len(SEALED)):
        changed = bytearray(SEALED)
        changed[bit // 8] ^= 1 << bit % 8
        assert open_envelope(bytes(changed), HERE) is None, bit


@pytest.mark.parametrize("length", range(TAG_LENGTH))
def test_a_tag_of_fewer_bytes_is_refused(length: int) -> None:
    """A tag of 0 to 15 bytes, after a ciphertext of any length."""
    for plaintext in (b"", b"canary"):
        sealed = seal_envelope(plaintext, HERE, NONCE)
        assert open_envelope(sealed[: 21 + len(plaintext) + length], HERE) is None


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_a_cut_envelope_is_refused(length: int) -> None:
    """Cut in the key id, the nonce, the ciphertext or the tag."""
    assert open_envelope(SEALED[:length], HERE) is None


@given(st.binary(min_size=1, max_size=40))
def test_an_envelope_with_more_behind_is_refused(more: bytes) -> None:
    """Extra bytes after the tag are not ignored."""
    assert open_envelope(SEALED + more, HERE) is None


@given(st.binary(max_size=100))
def test_any_other_bytes_are_refused(junk: bytes) -> None:
    """Random bytes do not open and raise nothing, also after a valid header."""
    assert open_envelope(junk, HERE) is None
    assert open_envelope(VERSION + KEY.id + junk, HERE) is None


def test_another_key_does_not_open() -> None:
    """Neither with the other key's header nor with the header exchanged."""
    other = Key(Secret(OTHER_SECRET))
    assert open_envelope(SEALED, cipher_of(other)) is None
    assert open_envelope(VERSION + other.id + SEALED[9:], cipher_of(other)) is None


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_format_version_is_refused(version: int) -> None:
    """Only version 1 opens, and the version byte is authenticated."""
    assert open_envelope(bytes([version]) + SEALED[1:], HERE) is None
    reader = cipher_of(KEY, bytes([version]))
    assert open_envelope(reader.header + SEALED[9:], reader) is None


def test_the_key_id_is_read_without_opening() -> None:
    """Rows can be counted by key without the key itself."""
    assert key_id_of(SEALED) == KEY.id.hex()
    assert key_id_of(b"") == ""


# --- envelopes of version 1 -------------------------------------------------------------------


class Kept(msgspec.Struct):
    purpose: Purpose
    scope: str
    identity: str
    connector: str
    account: str
    row: str
    generation: int
    plaintext: str
    nonce: str
    sealed: str

    def binding(self) -> Binding:
        parts = (self.scope, self.identity, self.connector, self.account, self.row)
        return Binding(self.purpose, *parts, self.generation)


class KeptEnvelopes(msgspec.Struct):
    secret: str
    key_id: str
    envelopes: list[Kept]


KEPT = vectors("envelopes_v1.json", KeptEnvelopes)


@pytest.mark.parametrize("kept", KEPT.envelopes, ids=lambda kept: kept.purpose)
def test_envelopes_of_version_1_stay_readable(kept: Kept) -> None:
    """Envelopes stored in databases still open, and sealing gives the same bytes."""
    ciphers = Ciphers(Keyring.from_secret(KEPT.secret))
    sealed, plaintext = bytes.fromhex(kept.sealed), kept.plaintext.encode()
    assert key_id_of(sealed) == KEPT.key_id
    assert ciphers.open(sealed, kept.binding(), now=0.0) == plaintext
    nonce = bytes.fromhex(kept.nonce)
    assert ciphers.seal(plaintext, kept.binding(), nonce=nonce, now=0.0) == sealed


def test_envelopes_of_version_1_can_be_made_without_this_library() -> None:
    """The vectors agree with HKDF and AES-GCM combined by hand from the documented layout."""
    from .test_key_derivation import hkdf

    for kept in KEPT.envelopes:
        sealed = bytes.fromhex(kept.sealed)
        tenant = b"".join(
            len(part.encode()).to_bytes(4, "big") + part.encode()
            for part in (kept.purpose, kept.scope, kept.identity)
        )
        rest = b"".join(
            len(part.encode()).to_bytes(4, "big") + part.encode()
            for part in (kept.connector, kept.account, kept.row)
        )
        cipher = AESGCM(hkdf(KEPT.secret, b"cipher" + tenant, 32))
        associated = sealed[:9] + tenant + rest + kept.generation.to_bytes(8, "big")
        assert sealed[:9] == b"\x01" + hkdf(KEPT.secret, b"key id", 8)
        opened = cipher.decrypt(bytes.fromhex(kept.nonce), sealed[21:], associated)
        assert opened == kept.plaintext.encode()
