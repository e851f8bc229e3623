"""Authorizations and tombstones: which grant an authorization may replace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.ports import ConfigChange, Store
from igniter_connectors.testing.contract_records import (
    LATER,
    claim,
    disconnect,
    grant_of,
    inserted,
    pending_authorization,
    record_of,
    revocation_request,
    take_lease,
)


async def an_authorization_is_taken_once(store: Store) -> None:
    """Of many concurrent callers one gets the authorization."""
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    taken = await asyncio.gather(
        *(store.take_authorization(b"handle", b"browser") for _ in range(10))
    )
    assert [one for one in taken if one is not None] == [pending_authorization()]


async def a_stranger_does_not_burn_an_authorization(store: Store) -> None:
    """An attempt with another browser's hash changes nothing."""
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    assert await store.take_authorization(b"handle", b"other browser") is None
    assert await store.take_authorization(b"other handle", b"browser") is None
    assert await store.take_authorization(b"handle", b"browser") == pending_authorization()


async def an_authorization_ends(store: Store) -> None:
    """An expired authorization cannot be taken, and adding another one deletes it."""
    await store.add_authorization(pending_authorization(), lifetime=timedelta(0))
    assert await store.take_authorization(b"handle", b"browser") is None
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=1))
    assert await store.take_authorization(b"handle", b"browser") == pending_authorization()


async def a_reauthorization_clears_lease_and_mark(store: Store) -> None:
    """The generation is incremented, so a running refresh cannot overwrite the new grant."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "old"), failures=3))
    lease = await take_lease(store, record)
    assert lease is not None
    fresh = replace(record, grant=grant_of(2, "new"), failures=0)
    assert await store.save_authorized(fresh, expected_grant="old")
    assert not await store.save_renewed(record.key, row=record.id, generation=1, grant=grant_of(2))
    assert not await store.save_grant_status(record.key, lease, "needs_reauth")
    stored = await store.find(record.key)
    assert stored is not None
    assert (stored.lease_owner, stored.unresolved, stored.failures) == (None, False, 0)


async def an_authorization_lands_on_the_grant_it_began_with(store: Store) -> None:
    """It adds a first grant or replaces the expected one, and overwrites no other."""
    first = replace(record_of(), grant=grant_of(1, "grant-1"))
    assert await store.save_authorized(first, expected_grant=None)
    assert not await store.save_authorized(
        replace(record_of(), grant=grant_of(1, "grant-x")), expected_grant=None
    )
    assert await store.set_enabled(first.key, enabled=False, now=LATER)
    second = replace(first, grant=grant_of(2, "grant-2"), updated_at=LATER, public_config=b"{}")
    assert not await store.save_authorized(second, expected_grant="grant-other")
    assert not await store.save_authorized(replace(second, id="other"), expected_grant="grant-1")
    stale = replace(second, grant=grant_of(5, "grant-2"))
    assert not await store.save_authorized(stale, expected_grant="grant-1")
    assert await store.save_authorized(second, expected_grant="grant-1")
    assert await store.find(first.key) == replace(second, enabled=False, version=3)
    assert await disconnect(store, first.key)
    assert not await store.save_authorized(
        replace(second, grant=grant_of(3, "grant-3")), expected_grant="grant-2"
    )


async def a_disconnected_grant_leaves_a_tombstone(store: Store) -> None:
    """A tombstone cannot be found, listed, counted, switched or renewed; its grant has a new id."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "grant-1")))
    assert await disconnect(store, record.key) == record
    assert await disconnect(store, record.key) is None
    assert await store.find(record.key) is None
    assert await store.last_grant(record.key) == "grant-1-ended"
    assert list(await store.list("organization", "acme", after=None, limit=9)) == []
    assert await store.count("organization", "acme") == 0
    assert dict(await store.count_by_connector()) == {}
    assert not await store.set_enabled(record.key, enabled=False, now=LATER)
    assert not await store.replace_config(record.key, ConfigChange(record.id, 1, b"", b"", LATER))
    for generation in (1, 2):
        assert not await store.save_renewed(
            record.key, row=record.id, generation=generation, grant=grant_of(generation + 1)
        )
        assert not await store.take_lease(
            record.key, generation=generation, owner="o", duration=timedelta(seconds=60)
        )
    again = await inserted(store, replace(record_of(), grant=grant_of(1, "grant-2")))
    assert await store.find(again.key) == again
    assert await store.last_grant(again.key) == "grant-2"


async def a_config_leaves_no_tombstone(store: Store) -> None:
    """A row without a grant is deleted whole."""
    record = await inserted(store, record_of())
    assert await store.last_grant(record.key) is None
    assert await disconnect(store, record.key, revocation_request()) == record
    assert await store.last_grant(record.key) is None
    assert await store.save_authorized(replace(record_of(), grant=grant_of(1)), expected_grant=None)
    assert await claim(store) == []


async def an_authorization_does_not_resurrect(store: Store) -> None:
    """An authorization from before the connection was deleted fails; a later one succeeds."""
    first = await inserted(store, replace(record_of(), grant=grant_of(3, "grant-1")))
    assert await store.set_enabled(first.key, enabled=False, now=LATER)
    assert await disconnect(store, first.key)
    late = replace(record_of(), grant=grant_of(1, "grant-2"))
    assert not await store.save_authorized(late, expected_grant=None)
    assert not await store.save_authorized(late, expected_grant="grant-1")
    assert await store.find(first.key) is None
    ended = await store.last_grant(first.key)
    assert await store.save_authorized(late, expected_grant=ended, revocation=revocation_request())
    assert await store.find(first.key) == late
    assert await claim(store) == []


async def a_tombstone_is_purged_when_nobody_may_meet_it(store: Store) -> None:
    """It is kept while an authorization is pending at the connector, and until it is old enough."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    _ = await disconnect(store, record.key)
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    assert await store.purge_tombstones(older_than=timedelta(0)) == 0
    assert await store.take_authorization(b"handle", b"browser")
    assert await store.purge_tombstones(older_than=timedelta(days=99_999)) == 0
    assert await store.last_grant(record.key) == "grant-1-ended"
    assert await store.purge_tombstones(older_than=timedelta(0)) == 1
    assert await store.last_grant(record.key) is None


async def authorizing_again_keeps_a_config_that_changed_meanwhile(store: Store) -> None:
    """`keep_config` keeps the row's config; else the authorization's is written."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "grant-1")))
    assert await store.replace_config(
        record.key, ConfigChange(record.id, 1, b'{"b":2}', b"c", LATER)
    )
    second = replace(record, grant=grant_of(2, "grant-2"))
    assert await store.save_authorized(second, expected_grant="grant-1", keep_config=True)
    stored = await store.find(record.key)
    assert stored == replace(second, public_config=b'{"b":2}', sealed_config=b"c", version=3)
    third = replace(record, grant=grant_of(3, "grant-3"))
    assert await store.save_authorized(third, expected_grant="grant-2")
    assert await store.find(record.key) == replace(third, version=4)


async def an_authorization_is_saved_for_the_version_that_was_read(store: Store) -> None:
    """After an update in between nothing is written, nor queued for revocation."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "grant-1")))
    change = ConfigChange(record.id, 1, b'{"b":2}', b"c", LATER)
    assert await store.replace_config(record.key, change)
    updated = await store.find(record.key)
    second = replace(record, grant=grant_of(2, "grant-2"))

    async def save(version: int | None) -> bool:
        return await store.save_authorized(
            second, expected_grant="grant-1", revocation=revocation_request(), version=version
        )

    assert not await save(1)
    assert not await save(3)
    assert await store.find(record.key) == updated
    assert await claim(store) == []
    assert await save(2)
    assert await store.find(record.key) == replace(second, version=3)
    assert len(await claim(store)) == 1


GRANTS_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    an_authorization_is_taken_once,
    a_stranger_does_not_burn_an_authorization,
    an_authorization_ends,
    a_reauthorization_clears_lease_and_mark,
    an_authorization_lands_on_the_grant_it_began_with,
    a_disconnected_grant_leaves_a_tombstone,
    a_config_leaves_no_tombstone,
    an_authorization_does_not_resurrect,
    a_tombstone_is_purged_when_nobody_may_meet_it,
    authorizing_again_keeps_a_config_that_changed_meanwhile,
    an_authorization_is_saved_for_the_version_that_was_read,
)
