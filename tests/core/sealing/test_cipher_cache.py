"""The cipher cache is bounded and short-lived, and never changes what opens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from igniter_connectors.core.sealing.associated_data import Binding
from igniter_connectors.core.sealing.cipher_cache import CACHE_SECONDS, CACHE_SIZE, Ciphers
from igniter_connectors.core.sealing.key_rotation import Keyring

from .bindings import BINDING, NONCE, OTHER_SECRET, SECRET, SWAPPED

RING = Keyring.from_secret(SECRET, [OTHER_SECRET])
OLD_RING = Keyring.from_secret(OTHER_SECRET)
ALL_BINDINGS = [BINDING, *SWAPPED.values()]


def tenant(number: int) -> Binding:
    return replace(BINDING, identity=f"tenant-{number}")


def cached_count(ciphers: Ciphers) -> tuple[int, int]:
    """How many bound ciphers and tenant ciphers are cached. There is no public way to ask."""
    return len(ciphers._bound), len(ciphers._tenants)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ALL_BINDINGS),
            st.sampled_from(ALL_BINDINGS),
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
    """The state of the cache changes neither what `seal` returns nor what `open` opens."""
    cached, now = Ciphers(RING, size=size), 0.0
    for seal_at, open_at, ring, pause in steps:
        now += pause
        sealed = Ciphers(ring).seal(b"canary", seal_at, nonce=NONCE, now=0.0)
        expected = b"canary" if seal_at == open_at else None
        assert cached.open(sealed, open_at, now=now) == expected
        own = cached.seal(b"canary", seal_at, nonce=NONCE, now=now)
        assert Ciphers(RING).open(own, open_at, now=0.0) == expected


def test_no_binding_is_sealed_with_the_key_of_another() -> None:
    """A binding gets the same key, whichever binding was used first."""
    for first in ALL_BINDINGS:
        for second in ALL_BINDINGS:
            cached = Ciphers(RING)
            cached.seal(b"", first, nonce=NONCE, now=0.0)
            sealed = cached.seal(b"canary", second, nonce=NONCE, now=0.0)
            assert sealed == Ciphers(RING).seal(b"canary", second, nonce=NONCE, now=0.0)


def test_the_first_key_seals_whatever_was_opened_before() -> None:
    """After an old envelope was opened, the binding is still sealed with the new key."""
    ciphers = Ciphers(RING)
    old = Ciphers(OLD_RING).seal(b"canary", BINDING, nonce=NONCE, now=0.0)
    for now in (0.0, 1.0):
        assert ciphers.open(old, BINDING, now=now) == b"canary"
        sealed = ciphers.seal(b"canary", BINDING, nonce=NONCE, now=now)
        assert sealed[1:9] == RING.sealing_key.id
        assert ciphers.open(sealed, BINDING, now=now) == b"canary"


def test_a_key_that_was_taken_out_opens_nothing() -> None:
    """An envelope of an unknown key is refused before anything is derived."""
    ciphers = Ciphers(Keyring.from_secret(SECRET))
    sealed = Ciphers(OLD_RING).seal(b"canary", BINDING, nonce=NONCE, now=0.0)
    assert ciphers.open(sealed, BINDING, now=0.0) is None
    assert ciphers.open(b"", BINDING, now=0.0) is None
    assert cached_count(ciphers) == (0, 0)


@pytest.mark.parametrize(
    ("pause", "left"), [(0.0, 2), (CACHE_SECONDS - 0.001, 2), (CACHE_SECONDS, 1), (1e6, 1)]
)
def test_no_key_is_kept_longer_than_five_minutes(pause: float, left: int) -> None:
    """At 300 seconds the earlier key is gone; just before, it is still cached."""
    for start in (0.0, 12_345.0):
        ciphers = Ciphers(RING)
        ciphers.seal(b"", tenant(1), nonce=NONCE, now=start)
        ciphers.seal(b"", tenant(2), nonce=NONCE, now=start + pause)
        assert cached_count(ciphers) == (left, left)


def test_using_a_key_does_not_prolong_its_stay() -> None:
    """The key of a busy tenant is derived again after five minutes too."""
    for is_sealing in (True, False):
        ciphers = Ciphers(RING)
        sealed = ciphers.seal(b"", tenant(1), nonce=NONCE, now=0.0)
        ciphers.seal(b"", tenant(2), nonce=NONCE, now=0.0)
        ciphers.open(sealed, tenant(1), now=CACHE_SECONDS - 1)
        ciphers.seal(b"", tenant(1), nonce=NONCE, now=CACHE_SECONDS - 1)
        assert cached_count(ciphers) == (2, 2)
        if is_sealing:
            ciphers.seal(b"", tenant(1), nonce=NONCE, now=CACHE_SECONDS)
        else:
            ciphers.open(sealed, tenant(1), now=CACHE_SECONDS)
        assert cached_count(ciphers) == (1, 1)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_cache_is_bounded(size: int) -> None:
    """Sealing and opening for many tenants never caches more than the given size."""
    ciphers = Ciphers(RING, size=size)
    for number in range(4 * size + 1):
        sealed = ciphers.seal(b"", tenant(number), nonce=NONCE, now=0.0)
        assert max(cached_count(ciphers)) <= size
        assert ciphers.open(sealed, tenant(number), now=0.0) == b""
        assert max(cached_count(ciphers)) <= size


def test_the_cache_is_bounded_while_keys_rotate() -> None:
    """Opening envelopes of an earlier key, for many tenants, is bounded too."""
    ciphers = Ciphers(RING, size=5)
    for number in range(50):
        old = Ciphers(OLD_RING).seal(b"", tenant(number), nonce=NONCE, now=0.0)
        assert ciphers.open(old, tenant(number), now=0.0) == b""
        assert max(cached_count(ciphers)) <= 5


def test_bindings_of_one_tenant_share_a_cipher() -> None:
    """A second connection of a tenant needs no second derivation."""
    ciphers = Ciphers(RING)
    ciphers.seal(b"", BINDING, nonce=NONCE, now=0.0)
    ciphers.seal(b"", replace(BINDING, account="work"), nonce=NONCE, now=0.0)
    assert cached_count(ciphers) == (2, 1)
    assert CACHE_SIZE == 4096


def test_a_named_value_opens_only_under_its_name_and_binding() -> None:
    """Not under another name, not without a name, not elsewhere, and not with another keyring."""
    old, new = Keyring.from_secret(SECRET), Keyring.from_secret(OTHER_SECRET, previous=(SECRET,))
    ciphers = Ciphers(old)
    sealed = ciphers.seal_named(b"text", BINDING, "one", nonce=NONCE, now=0)
    assert sealed == Ciphers(old).seal_named(b"text", BINDING, "one", nonce=NONCE, now=0)
    for opener in (ciphers, Ciphers(old), Ciphers(new)):
        assert opener.open_named(sealed, BINDING, "one", now=1) == b"text"
        assert opener.open_named(sealed, BINDING, "two", now=1) is None
        assert opener.open_named(sealed, BINDING, "", now=1) is None
        assert opener.open(sealed, BINDING, now=1) is None
        for binding in SWAPPED.values():
            assert opener.open_named(sealed, binding, "one", now=1) is None
    assert (
        Ciphers(Keyring.from_secret(OTHER_SECRET)).open_named(sealed, BINDING, "one", now=0) is None
    )


def test_named_values_of_one_binding_share_one_cache_entry() -> None:
    """Many events of one connection do not push other ciphers out of the cache."""
    ciphers = Ciphers(Keyring.from_secret(SECRET))
    for number in range(50):
        sealed = ciphers.seal_named(b"text", BINDING, str(number), nonce=NONCE, now=0)
        assert ciphers.open_named(sealed, BINDING, str(number), now=0) == b"text"
    assert cached_count(ciphers) == (1, 1)
    _ = ciphers.seal_named(b"text", BINDING, "late", nonce=NONCE, now=CACHE_SECONDS)
    assert cached_count(ciphers) == (1, 1)
