"""Sealing a value and opening it again, as for the secrets of every connection.

One operation is a round trip: a new nonce, AES-256-GCM with associated data, and back to the
plaintext. The floor does exactly that: a reused cipher object, constant associated data, and the
nonce as a prefix. The library must also find the tenant's cipher and build the binding each time;
the bar limits that cost.

Each peer's primitive, key and column type are created once outside the timing, in the fastest
documented form. Fernet and sqlalchemy-utils have no associated data. Peers that store text are
compared with a round trip of ours that also encodes and decodes text.
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from time import monotonic
from typing import TypeAlias

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Unicode
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy_utils import StringEncryptedType  # type: ignore[import-untyped] # nor does this
from sqlalchemy_utils.types.encrypted.encrypted_type import (  # type: ignore[import-untyped] # same
    AesGcmEngine,
)

from benchmarks.measure import AtMost, Benchmark, Sides, repeat
from benchmarks.original import node_batch
from igniter_connectors import Keyring
from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import Ciphers

RoundTrip: TypeAlias = Callable[[bytes], bytes]
TextRoundTrip: TypeAlias = Callable[[str], str]

ASSOCIATED_DATA = (
    b"\x01key-2026\x00config\x00organization\x00acme\x00telegram\x00default\x00"
    b"0190f3a1-7c54-7c7e-9d3b-4f2f1f6a0b11"
)


def ours_round_trip() -> RoundTrip:
    """Seals and opens with the library: one tenant, one connection, one purpose, a warm cache."""
    ciphers = Ciphers(Keyring.from_secret(Keyring.generate()))
    place = Binding("config", "organization", "acme", "telegram", "default", "0190f3a17c547c7e")

    def round_trip(plaintext: bytes) -> bytes:
        sealed = ciphers.seal(plaintext, place, nonce=os.urandom(12), now=monotonic())
        opened = ciphers.open(sealed, place, now=monotonic())
        assert opened is not None
        return opened

    return round_trip


def hand_written() -> RoundTrip:
    """The floor: a reused cipher, constant associated data, `nonce + ciphertext` as the layout."""
    cipher = AESGCM(AESGCM.generate_key(256))
    encrypt, decrypt, random_bytes = cipher.encrypt, cipher.decrypt, os.urandom
    associated_data = ASSOCIATED_DATA

    def round_trip(plaintext: bytes) -> bytes:
        nonce = random_bytes(12)
        sealed = nonce + encrypt(nonce, plaintext, associated_data)
        return decrypt(sealed[:12], sealed[12:], associated_data)

    return round_trip


def with_tink() -> RoundTrip:
    """tink-py's AES256-GCM primitive with the same associated data."""
    # It has no wheel for the newest Python.
    import tink
    from tink import aead

    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    primitive = handle.primitive(aead.Aead)
    encrypt, decrypt, associated_data = primitive.encrypt, primitive.decrypt, ASSOCIATED_DATA

    def round_trip(plaintext: bytes) -> bytes:
        opened: bytes = decrypt(encrypt(plaintext, associated_data), associated_data)
        return opened

    return round_trip


def with_fernet() -> RoundTrip:
    """cryptography's Fernet: AES-128-CBC and HMAC-SHA256 in base64."""
    fernet = Fernet(Fernet.generate_key())
    encrypt, decrypt = fernet.encrypt, fernet.decrypt

    def round_trip(plaintext: bytes) -> bytes:
        return decrypt(encrypt(plaintext))

    return round_trip


def with_sqlalchemy_utils() -> TextRoundTrip:
    """The two methods that a `StringEncryptedType` column calls for each value."""
    column_type = StringEncryptedType(Unicode(), "a key of at least 32 characters.", AesGcmEngine)
    bind, load = column_type.process_bind_param, column_type.process_result_value
    dialect = SQLiteDialect()

    def round_trip(text: str) -> str:
        loaded: str = load(bind(text, dialect), dialect)
        return loaded

    return round_trip


def of_text(round_trip: RoundTrip) -> TextRoundTrip:
    """The same round trip for text."""

    def round_trip_of_text(text: str) -> str:
        return round_trip(text.encode()).decode()

    return round_trip_of_text


def bytes_row(
    peer: Callable[[], RoundTrip], *, size: int
) -> Callable[[], AbstractAsyncContextManager[Sides]]:
    """Both sides over the same random bytes."""

    @asynccontextmanager
    async def open_sides() -> AsyncGenerator[Sides, None]:
        plaintext = os.urandom(size)
        yield Sides(
            ours=repeat(ours_round_trip(), plaintext, plaintext),
            against=repeat(peer(), plaintext, plaintext),
        )

    return open_sides


@asynccontextmanager
async def against_sqlalchemy_utils() -> AsyncGenerator[Sides, None]:
    """Both sides over the same 256 characters."""
    text = os.urandom(128).hex()
    yield Sides(
        ours=repeat(of_text(ours_round_trip()), text, text),
        against=repeat(with_sqlalchemy_utils(), text, text),
    )


@asynccontextmanager
async def against_the_original() -> AsyncGenerator[Sides, None]:
    """The original's `encrypt` and `decrypt` of 256 characters in a warm Node process."""
    text = os.urandom(128).hex()
    with node_batch("seal-open-256") as original:
        yield Sides(ours=repeat(of_text(ours_round_trip()), text, text), against=original)


ROWS = (
    Benchmark(
        name="seal-open-256",
        against="a reused AESGCM",
        bar=AtMost(1.5),
        open_sides=bytes_row(hand_written, size=256),
    ),
    Benchmark(
        name="seal-open-64k",
        against="a reused AESGCM",
        bar=AtMost(1.4),
        open_sides=bytes_row(hand_written, size=64 * 1024),
    ),
    *(
        [
            Benchmark(
                name="seal-open-256-tink",
                against="tink-py",
                bar=AtMost(1.1),
                open_sides=bytes_row(with_tink, size=256),
            )
        ]
        if find_spec("tink")
        else []
    ),
    Benchmark(
        name="seal-open-256-fernet",
        against="Fernet",
        bar=AtMost(0.17),
        open_sides=bytes_row(with_fernet, size=256),
    ),
    Benchmark(
        name="seal-open-256-sqlalchemy-utils",
        against="StringEncryptedType",
        bar=AtMost(0.17),
        open_sides=against_sqlalchemy_utils,
    ),
    Benchmark(
        name="seal-open-256-original",
        against="the original on Node",
        bar=AtMost(0.2),
        open_sides=against_the_original,
    ),
)
