"""Refresh leases: one holder at a time, and writes that are fenced."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.oauth.refresh_lease import Lease
from igniter_connectors.ports import ConfigChange, Store
from igniter_connectors.testing.contract_records import (
    LATER,
    grant_of,
    inserted,
    key_of,
    record_of,
    take_lease,
)


async def renewed_tokens_land_on_their_generation(store: Store) -> None:
    """A write with another generation or row changes nothing; of concurrent writes one succeeds."""
    record = await inserted(
        store,
        replace(
            record_of(), grant=grant_of(1), failures=2, next_attempt_at=LATER, status="needs_reauth"
        ),
    )
    assert not await store.save_renewed(record.key, row="other", generation=1, grant=grant_of(2))
    assert not await store.save_renewed(record.key, row=record.id, generation=2, grant=grant_of(3))
    grants = [grant_of(2) for _ in range(5)]
    written = await asyncio.gather(
        *(
            store.save_renewed(record.key, row=record.id, generation=1, grant=grant)
            for grant in grants
        )
    )
    assert sum(written) == 1
    stored = await store.find(record.key)
    renewed = grants[written.index(True)]
    assert stored == replace(record, grant=renewed, status="ok", failures=0, next_attempt_at=None)


async def renewing_leaves_config_and_switch_alone(store: Store) -> None:
    """Changes that another process made meanwhile stay."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    assert await store.set_enabled(record.key, enabled=False, now=LATER)
    assert await store.replace_config(
        record.key, ConfigChange(record.id, 2, b'{"b":2}', b"c", LATER)
    )
    assert await store.save_renewed(record.key, row=record.id, generation=1, grant=grant_of(2))
    stored = await store.find(record.key)
    assert stored is not None
    assert (stored.enabled, stored.public_config, stored.sealed_config, stored.version) == (
        False,
        b'{"b":2}',
        b"c",
        3,
    )


async def renewing_leaves_a_changed_config_s_status(store: Store) -> None:
    """A running refresh does not set the status of a changed config to ok."""
    record = await inserted(
        store, replace(record_of(), grant=grant_of(1), status="config_changed", failures=1)
    )
    assert await store.save_renewed(record.key, row=record.id, generation=1, grant=grant_of(2))
    stored = await store.find(record.key)
    assert stored is not None
    assert (stored.status, stored.failures) == ("config_changed", 0)


async def one_of_many_takes_the_lease(store: Store) -> None:
    """One caller gets the stored tokens and the old mark; all others get None."""
    record = await inserted(store, replace(record_of(), grant=grant_of(3), failures=2))
    taken = await asyncio.gather(*(take_lease(store, record) for _ in range(10)))
    (lease,) = [one for one in taken if one is not None]
    assert record.grant is not None
    assert (lease.row, lease.sealed_tokens) == (record.id, record.grant.sealed_tokens)
    assert (lease.generation, lease.failures, lease.unresolved_before) == (3, 2, False)
    stored = await store.find(record.key)
    assert stored == replace(record, lease_owner=lease.owner, unresolved=True)


async def a_lease_needs_its_generation_and_a_living_grant(store: Store) -> None:
    """There is no lease for another generation, a dead grant, no grant, or no row."""
    record = await inserted(store, replace(record_of(), grant=grant_of(3)))
    for generation in (2, 4):
        assert not await store.take_lease(
            record.key, generation=generation, owner="o", duration=timedelta(seconds=60)
        )
    dead = await inserted(
        store, replace(record_of(key_of("b")), grant=grant_of(3), status="needs_reauth")
    )
    assert not await take_lease(store, dead)
    plain = await inserted(store, record_of(key_of("c")))
    assert not await store.take_lease(
        plain.key, generation=0, owner="o", duration=timedelta(seconds=60)
    )
    assert not await store.take_lease(
        key_of("nobody"), generation=1, owner="o", duration=timedelta(seconds=60)
    )


async def a_lease_that_ended_is_taken_over_with_its_mark(store: Store) -> None:
    """The next holder learns that the earlier outcome is unknown."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    first = await take_lease(store, record, seconds=0)
    second = await take_lease(store, record, seconds=0)
    third = await take_lease(store, record)
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.unresolved_before, second.unresolved_before) == (False, True)
    assert third.unresolved_before
    assert len({first.owner, second.owner, third.owner}) == 3


async def a_lease_is_returned_again_to_its_owner(store: Store) -> None:
    """With the mark as it was before the first time; to no other owner."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))

    async def take(owner: str) -> Lease | None:
        return await store.take_lease(
            record.key, generation=1, owner=owner, duration=timedelta(seconds=60)
        )

    first = await take("mine")
    assert first is not None
    assert not first.unresolved_before
    assert await take("other") is None
    assert await take("mine") == first
    assert await store.put_back_lease(record.key, first, failures=0, retry_in=timedelta(0))
    stored = await store.find(record.key)
    assert stored is not None
    assert not stored.unresolved
    assert await take("other") is not None


async def a_lease_put_back_restores_the_mark(store: Store) -> None:
    """A definite failure leaves the mark as it was before the lease."""
    clean = await inserted(store, replace(record_of(), grant=grant_of(1)))
    marked = await inserted(
        store, replace(record_of(key_of("b")), grant=grant_of(1), unresolved=True)
    )
    for record in (clean, marked):
        lease = await take_lease(store, record)
        assert lease is not None
        assert await store.put_back_lease(
            record.key, lease, failures=4, retry_in=timedelta(hours=1)
        )
        stored = await store.find(record.key)
        assert stored is not None
        assert (stored.lease_owner, stored.unresolved) == (None, record.unresolved)
        assert stored.failures == 4
        assert stored.next_attempt_at is not None
        assert not await take_lease(store, stored)
    now = await inserted(store, replace(record_of(key_of("c")), grant=grant_of(1)))
    lease = await take_lease(store, now)
    assert lease is not None
    assert await store.put_back_lease(now.key, lease, failures=1, retry_in=timedelta(0))
    assert await take_lease(store, now)


async def a_dead_grant_is_fenced_by_row_generation_and_owner(store: Store) -> None:
    """A holder whose lease was taken over cannot mark the grant dead."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    lease = await take_lease(store, record, seconds=0)
    assert lease is not None
    for other in (
        replace(lease, row="other"),
        replace(lease, generation=2),
        replace(lease, owner="other"),
    ):
        assert not await store.save_grant_status(record.key, other, "needs_reauth")
        assert not await store.put_back_lease(record.key, other, failures=1, retry_in=timedelta(0))
    successor = await take_lease(store, record)
    assert successor is not None
    assert not await store.save_grant_status(record.key, lease, "needs_reauth")
    assert await store.save_grant_status(record.key, successor, "lost_rotation")
    stored = await store.find(record.key)
    assert stored == replace(record, status="lost_rotation")


async def a_late_commit_lands_unless_another_came_first(store: Store) -> None:
    """Renewed tokens are written if row and generation match, whoever holds the lease."""
    for number, disturb in enumerate(("nothing", "taken over", "marked dead")):
        record = await inserted(store, replace(record_of(key_of(f"t{number}")), grant=grant_of(1)))
        lease = await take_lease(store, record, seconds=0)
        assert lease is not None
        if disturb != "nothing":
            successor = await take_lease(store, record)
            assert successor is not None
            if disturb == "marked dead":
                assert await store.save_grant_status(record.key, successor, "lost_rotation")
        assert await store.save_renewed(record.key, row=record.id, generation=1, grant=grant_of(2))
        stored = await store.find(record.key)
        assert stored is not None
        assert stored.grant is not None
        assert (stored.status, stored.lease_owner, stored.unresolved) == ("ok", None, False)
        assert stored.grant.generation == 2
        assert not await store.save_renewed(
            record.key, row=record.id, generation=1, grant=grant_of(2)
        )


async def a_lease_released_keeps_its_mark(store: Store) -> None:
    """The next holder may begin at once, and learns that the outcome is unknown."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    lease = await take_lease(store, record)
    assert lease is not None
    assert not await store.release_lease(record.key, replace(lease, owner="other"))
    assert await store.release_lease(record.key, lease)
    assert await store.find(record.key) == replace(record, unresolved=True)
    successor = await take_lease(store, record)
    assert successor is not None
    assert successor.unresolved_before


async def what_expires_soon_is_listed_for_renewal(store: Store) -> None:
    """The soonest comes first, and rows that must not be refreshed now are left out."""
    far = datetime.now(UTC) + timedelta(days=10)
    near, nearer = far - timedelta(days=8), far - timedelta(days=9)

    def lapsing(identity: str, at: datetime | None) -> ConnectionRecord:
        grant = replace(grant_of(1), refresh_expires_at=at)
        return replace(record_of(key_of(identity)), grant=grant)

    one = await inserted(store, lapsing("near", near))
    two = await inserted(store, lapsing("nearer", nearer))
    _ = await inserted(store, lapsing("far", far))
    _ = await inserted(store, lapsing("unknown", None))
    _ = await inserted(store, replace(lapsing("dead", near), status="needs_reauth"))
    _ = await inserted(store, replace(lapsing("off", near), enabled=False))
    late = datetime(2999, 1, 1, tzinfo=UTC)
    _ = await inserted(store, replace(lapsing("failing", near), next_attempt_at=late))
    young = lapsing("young", near)
    assert young.grant is not None
    fresh = replace(young.grant, refreshed_at=datetime.now(UTC))
    _ = await inserted(store, replace(young, grant=fresh))
    held = await inserted(store, lapsing("held", near))
    assert await take_lease(store, held)
    fixed = lapsing("fixed", near)
    assert fixed.grant is not None
    _ = await inserted(store, replace(fixed, grant=replace(fixed.grant, refreshable=False)))
    soon = timedelta(days=5)
    assert list(await store.list_expiring(within=soon, limit=9)) == [two, one]
    assert list(await store.list_expiring(within=soon, limit=1)) == [two]


LEASES_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    renewed_tokens_land_on_their_generation,
    renewing_leaves_config_and_switch_alone,
    renewing_leaves_a_changed_config_s_status,
    one_of_many_takes_the_lease,
    a_lease_needs_its_generation_and_a_living_grant,
    a_lease_that_ended_is_taken_over_with_its_mark,
    a_lease_is_returned_again_to_its_owner,
    a_lease_put_back_restores_the_mark,
    a_dead_grant_is_fenced_by_row_generation_and_owner,
    a_late_commit_lands_unless_another_came_first,
    a_lease_released_keeps_its_mark,
    what_expires_soon_is_listed_for_renewal,
)
