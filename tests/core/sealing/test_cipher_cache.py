"""The cipher cache: bounded, short-lived, and never a difference in what opens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import CACHE_SECONDS, CACHE_SIZE, Ciphers
from igniter_connectors.core.sealing.keyring import Keyring

from .places import NONCE, OTHER_SECRET, PLACE, SECRET, SWAPPED

RING = Keyring.from_secret(SECRET, [OTHER_SECRET])
OLD_RING = Keyring.from_secret(OTHER_SECRET)
PLACES = [PLACE, *SWAPPED.values()]


def tenant(number: int) -> Binding:
    return replace(PLACE, identity=f"tenant-{number}")


def kept(ciphers: Ciphers) -> tuple[int, int]:
    """How many places and tenants' ciphers lie in memory; nothing public tells it."""
    return len(ciphers._places), len(ciphers._tenants)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(PLACES),
            st.sampled_from(PLACES),
            st.sampled_from([RING, OLD_RING]),
            st.sampled_from([0.0, 1.0, CACHE_SECONDS - 0.001, CACHE_SECONDS, 1e6]),
        ),
        max_size=30,
    ),
    st.integers(min_value=1, max_value=4),
)
def test_a_cached_cipher_opens_what_a_fresh_one_opens(
    steps: list[tuple[Binding, Binding, Keyring, float]], size: int
) -> None:
    """However full or old the cache, whatever was used before: sealing and opening are the same."""
    cached, now = Ciphers(RING, size=size), 0.0
    for seal_at, open_at, ring, pause in steps:
        now += pause
        sealed = Ciphers(ring).seal(b"canary", seal_at, nonce=NONCE, now=0.0)
        expected = b"canary" if seal_at == open_at else None
        assert cached.open(sealed, open_at, now=now) == expected
        own = cached.seal(b"canary", seal_at, nonce=NONCE, now=now)
        assert Ciphers(RING).open(own, open_at, now=0.0) == expected


def test_no_place_is_sealed_with_the_key_of_another() -> None:
    """Whichever place came first, the cache gives the second the key that it would have alone."""
    for first in PLACES:
        for second in PLACES:
            cached = Ciphers(RING)
            cached.seal(b"", first, nonce=NONCE, now=0.0)
            sealed = cached.seal(b"canary", second, nonce=NONCE, now=0.0)
            assert sealed == Ciphers(RING).seal(b"canary", second, nonce=NONCE, now=0.0)


def test_the_first_key_seals_whatever_was_opened_before() -> None:
    """After opening an old envelope the place is still sealed with the new key."""
    ciphers = Ciphers(RING)
    old = Ciphers(OLD_RING).seal(b"canary", PLACE, nonce=NONCE, now=0.0)
    for now in (0.0, 1.0):
        assert ciphers.open(old, PLACE, now=now) == b"canary"
        sealed = ciphers.seal(b"canary", PLACE, nonce=NONCE, now=now)
        assert sealed[1:9] == RING.sealing_key.id
        assert ciphers.open(sealed, PLACE, now=now) == b"canary"


def test_a_key_that_was_taken_out_opens_nothing() -> None:
    """An envelope whose key is not held is refused before anything is derived."""
    ciphers = Ciphers(Keyring.from_secret(SECRET))
    sealed = Ciphers(OLD_RING).seal(b"canary", PLACE, nonce=NONCE, now=0.0)
    assert ciphers.open(sealed, PLACE, now=0.0) is None
    assert ciphers.open(b"", PLACE, now=0.0) is None
    assert kept(ciphers) == (0, 0)


@pytest.mark.parametrize(
    ("pause", "left"), [(0.0, 2), (CACHE_SECONDS - 0.001, 2), (CACHE_SECONDS, 1), (1e6, 1)]
)
def test_no_key_is_kept_longer_than_five_minutes(pause: float, left: int) -> None:
    """At 300 seconds the earlier key is gone; a moment before it is still there."""
    for start in (0.0, 12_345.0):
        ciphers = Ciphers(RING)
        ciphers.seal(b"", tenant(1), nonce=NONCE, now=start)
        ciphers.seal(b"", tenant(2), nonce=NONCE, now=start + pause)
        assert kept(ciphers) == (left, left)


def test_using_a_key_does_not_prolong_its_stay() -> None:
    """A busy tenant's key is derived anew after five minutes too."""
    for is_sealing in (True, False):
        ciphers = Ciphers(RING)
        sealed = ciphers.seal(b"", tenant(1), nonce=NONCE, now=0.0)
        ciphers.seal(b"", tenant(2), nonce=NONCE, now=0.0)
        ciphers.open(sealed, tenant(1), now=CACHE_SECONDS - 1)
        ciphers.seal(b"", tenant(1), nonce=NONCE, now=CACHE_SECONDS - 1)
        assert kept(ciphers) == (2, 2)
        if is_sealing:
            ciphers.seal(b"", tenant(1), nonce=NONCE, now=CACHE_SECONDS)
        else:
            ciphers.open(sealed, tenant(1), now=CACHE_SECONDS)
        assert kept(ciphers) == (1, 1)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_cache_is_bounded(size: int) -> None:
    """Sealing and opening for many tenants keeps no more than the size asked for."""
    ciphers = Ciphers(RING, size=size)
    for number in range(4 * size + 1):
        sealed = ciphers.seal(b"", tenant(number), nonce=NONCE, now=0.0)
        assert max(kept(ciphers)) <= size
        assert ciphers.open(sealed, tenant(number), now=0.0) == b""
        assert max(kept(ciphers)) <= size


def test_the_cache_is_bounded_while_keys_rotate() -> None:
    """Opening what an earlier key sealed, for many tenants, is bounded as well."""
    ciphers = Ciphers(RING, size=5)
    for number in range(50):
        old = Ciphers(OLD_RING).seal(b"", tenant(number), nonce=NONCE, now=0.0)
        assert ciphers.open(old, tenant(number), now=0.0) == b""
        assert max(kept(ciphers)) <= 5


def test_one_tenants_places_share_a_cipher() -> None:
    """A second connection of a tenant costs no second derivation."""
    ciphers = Ciphers(RING)
    ciphers.seal(b"", PLACE, nonce=NONCE, now=0.0)
    ciphers.seal(b"", replace(PLACE, account="work"), nonce=NONCE, now=0.0)
    assert kept(ciphers) == (2, 1)
    assert CACHE_SIZE == 4096


def test_one_of_many_opens_under_its_own_name_in_its_own_place() -> None:
    """No other's of the same place, no place's own value, with a key held alone."""
    old, new = Keyring.from_secret(SECRET), Keyring.from_secret(OTHER_SECRET, previous=(SECRET,))
    ciphers = Ciphers(old)
    sealed = ciphers.seal_one_of(b"text", PLACE, "one", nonce=NONCE, now=0)
    assert sealed == Ciphers(old).seal_one_of(b"text", PLACE, "one", nonce=NONCE, now=0)
    for opener in (ciphers, Ciphers(old), Ciphers(new)):
        assert opener.open_one_of(sealed, PLACE, "one", now=1) == b"text"
        assert opener.open_one_of(sealed, PLACE, "two", now=1) is None
        assert opener.open_one_of(sealed, PLACE, "", now=1) is None
        assert opener.open(sealed, PLACE, now=1) is None
        for place in SWAPPED.values():
            assert opener.open_one_of(sealed, place, "one", now=1) is None
    assert (
        Ciphers(Keyring.from_secret(OTHER_SECRET)).open_one_of(sealed, PLACE, "one", now=0) is None
    )


def test_many_of_one_place_take_one_place_in_the_cache() -> None:
    """However many events a connection gets, no other's cipher is pushed out."""
    ciphers = Ciphers(Keyring.from_secret(SECRET))
    for number in range(50):
        sealed = ciphers.seal_one_of(b"text", PLACE, str(number), nonce=NONCE, now=0)
        assert ciphers.open_one_of(sealed, PLACE, str(number), now=0) == b"text"
    assert kept(ciphers) == (1, 1)
    _ = ciphers.seal_one_of(b"text", PLACE, "late", nonce=NONCE, now=CACHE_SECONDS)
    assert kept(ciphers) == (1, 1)
