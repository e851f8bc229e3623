"""Envelopes with a flipped bit, a cut tag, another binding or an old generation: none opens."""

import os

from msgspec.structs import replace

from benchmarks.reliability.figure import Figure
from igniter_connectors import Keyring
from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import Ciphers

PLACE = Binding("tokens", "organization", "acme", "github", "default", "row-1", 7)
PLAINTEXT = b'{"access_token":"a","refresh_token":"b"}'


async def envelope() -> Figure:
    """Counts corrupted envelopes that open."""
    secret = Keyring.generate()
    ciphers = Ciphers(Keyring.from_secret(secret))
    sealed = ciphers.seal(PLAINTEXT, PLACE, nonce=os.urandom(12), now=0.0)
    assert ciphers.open(sealed, PLACE, now=0.0) == PLAINTEXT
    corrupted = [
        *(flipped(sealed, bit) for bit in range(len(sealed) * 8)),
        *(sealed[:length] for length in range(len(sealed))),
        *(sealed + bytes(length) for length in (1, 16)),
    ]
    opened = sum(ciphers.open(one, PLACE, now=0.0) is not None for one in corrupted)
    places = [
        *(replace(PLACE, purpose=one) for one in ("config", "authorization", "webhook", "export")),
        *(replace(PLACE, generation=one) for one in (0, 6, 8)),
        replace(PLACE, scope="user"),
        replace(PLACE, identity="rival"),
        replace(PLACE, connector="gitlab"),
        replace(PLACE, account="work"),
        replace(PLACE, row="row-2"),
        replace(PLACE, scope="organizationacme", identity=""),
        replace(PLACE, connector="githubdefault", account=""),
    ]
    opened += sum(ciphers.open(sealed, place, now=0.0) is not None for place in places)
    strangers = Ciphers(Keyring.from_secret(Keyring.generate()))
    opened += strangers.open(sealed, PLACE, now=0.0) is not None
    count = len(corrupted) + len(places) + 1
    return Figure("envelope", f"{opened} of {count} corrupted envelopes opened", "0", opened == 0)


def flipped(sealed: bytes, bit: int) -> bytes:
    """The bytes with one bit flipped."""
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
