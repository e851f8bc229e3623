"""Authorizations, and what becomes of a grant that ends: tombstones and tokens to be revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.core.oauth.revocation import PendingRevocation
from igniter_connectors.ports import ConfigChange, Store
from igniter_connectors.testing.contract_records import (
    LATER,
    claim,
    disconnect,
    grant_of,
    inserted,
    key_of,
    pending_authorization,
    record_of,
    revocation_request,
    take_lease,
)


async def an_authorization_is_taken_once(store: Store) -> None:
    """Of many takers at once one gets it."""
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    taken = await asyncio.gather(
        *(store.take_authorization(b"handle", b"browser") for _ in range(10))
    )
    assert [one for one in taken if one is not None] == [pending_authorization()]


async def a_stranger_does_not_burn_an_authorization(store: Store) -> None:
    """Another browser's try changes nothing."""
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    assert await store.take_authorization(b"handle", b"other browser") is None
    assert await store.take_authorization(b"other handle", b"browser") is None
    assert await store.take_authorization(b"handle", b"browser") == pending_authorization()


async def an_authorization_ends(store: Store) -> None:
    """After its time it is not taken, and adding another clears it away."""
    await store.add_authorization(pending_authorization(), lifetime=timedelta(0))
    assert await store.take_authorization(b"handle", b"browser") is None
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=1))
    assert await store.take_authorization(b"handle", b"browser") == pending_authorization()


async def a_reauthorization_clears_lease_and_mark(store: Store) -> None:
    """And raises the generation, so that a refresh under way cannot overwrite it."""
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
    """It adds where nothing stood, replaces its own grant, and overwrites no other."""
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
    """Nobody finds, lists, counts, switches or renews it; it names the grant by another id."""
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
    """Where there was no grant there is none that anybody could resurrect."""
    record = await inserted(store, record_of())
    assert await store.last_grant(record.key) is None
    assert await disconnect(store, record.key, revocation_request()) == record
    assert await store.last_grant(record.key) is None
    assert await store.save_authorized(replace(record_of(), grant=grant_of(1)), expected_grant=None)
    assert await claim(store) == []


async def an_authorization_does_not_resurrect(store: Store) -> None:
    """One that began before a connection came and went is refused; one that began after is not."""
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
    """Not while an authorization is pending at the connector, nor before its time."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    _ = await disconnect(store, record.key)
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    assert await store.purge_tombstones(older_than=timedelta(0)) == 0
    assert await store.take_authorization(b"handle", b"browser")
    assert await store.purge_tombstones(older_than=timedelta(days=99_999)) == 0
    assert await store.last_grant(record.key) == "grant-1-ended"
    assert await store.purge_tombstones(older_than=timedelta(0)) == 1
    assert await store.last_grant(record.key) is None


async def disconnecting_queues_the_tokens_for_revocation(store: Store) -> None:
    """With the config that they were minted under; once, also where many disconnect."""
    record = await inserted(store, replace(record_of(), grant=grant_of(4)))
    _ = await asyncio.gather(
        *(disconnect(store, record.key, revocation_request(f"r{number}")) for number in range(5))
    )
    (pending,) = await claim(store)
    grant = record.grant
    assert grant is not None
    assert pending == PendingRevocation(
        pending.id, record.key, record.id, record.public_config, record.sealed_config, grant
    )


async def shared_tokens_are_not_queued(store: Store) -> None:
    """Somebody else uses them."""
    grant = replace(grant_of(1), is_shared=True)
    record = await inserted(store, replace(record_of(), grant=grant))
    assert await store.find(record.key) == record
    assert await disconnect(store, record.key, revocation_request()) == record
    assert await claim(store) == []


async def a_revocation_waits_for_the_lease(store: Store) -> None:
    """Whoever refreshes is not overtaken; without a lease the time given counts."""
    held = await inserted(store, replace(record_of(key_of("a")), grant=grant_of(1)))
    assert await take_lease(store, held, seconds=60)
    assert await disconnect(store, held.key, revocation_request("held"))
    ended = await inserted(store, replace(record_of(key_of("b")), grant=grant_of(1)))
    assert await take_lease(store, ended, seconds=0)
    assert await disconnect(store, ended.key, revocation_request("ended"))
    later = await inserted(store, replace(record_of(key_of("c")), grant=grant_of(1)))
    assert await disconnect(store, later.key, revocation_request("later", seconds=60))
    assert [one.id for one in await claim(store)] == ["ended"]


async def an_authorization_queues_what_it_replaces(store: Store) -> None:
    """The old tokens, in the step that writes the new ones; nothing where it does not land."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "old")))
    fresh = replace(record, grant=grant_of(2, "new"), public_config=b"{}")
    assert not await store.save_authorized(
        fresh, expected_grant="other", revocation=revocation_request()
    )
    assert await claim(store) == []
    assert await store.save_authorized(fresh, expected_grant="old", revocation=revocation_request())
    (pending,) = await claim(store)
    assert (pending.grant, pending.public_config) == (record.grant, record.public_config)


async def authorizing_again_keeps_a_config_that_changed_meanwhile(store: Store) -> None:
    """Where it was asked to; else the config of the authorization is written."""
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


async def a_config_that_ends_the_grant_queues_its_tokens(store: Store) -> None:
    """Tokens go with the config that minted them; the row waits for another authorization."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "old"), failures=2))
    lease = await take_lease(store, record, seconds=0)
    assert lease is not None

    async def write(row: str, version: int) -> bool:
        return await store.replace_config_ending_grant(
            record.key,
            ConfigChange(row, version, b'{"host":"b"}', b"new", LATER),
            grant_id="new",
            revocation=revocation_request(),
        )

    assert not await write(record.id, 2)
    assert not await write("other", 1)
    assert await store.find(record.key) == replace(record, lease_owner=lease.owner, unresolved=True)
    assert await write(record.id, 1)
    stored = await store.find(record.key)
    assert record.grant is not None
    assert stored == replace(
        record,
        public_config=b'{"host":"b"}',
        sealed_config=b"new",
        version=2,
        updated_at=LATER,
        status="config_changed",
        failures=0,
        grant=replace(
            record.grant,
            grant_id="new",
            generation=2,
            sealed_tokens=b"",
            refresh_expires_at=None,
        ),
    )
    assert not await store.save_renewed(record.key, row=record.id, generation=1, grant=grant_of(2))
    (pending,) = await claim(store)
    assert (pending.grant, pending.sealed_config) == (record.grant, record.sealed_config)
    fresh = replace(record, grant=grant_of(3, "newer"))
    assert await store.save_authorized(
        fresh, expected_grant="new", revocation=revocation_request("revocation-2")
    )
    assert await claim(store) == []


async def a_revocation_is_one_claimer_s_until_its_time_is_over(store: Store) -> None:
    """Postponed, it counts its attempts and waits; ended, it is gone."""
    record = replace(record_of(), grant=grant_of(1))
    assert record.grant is not None
    pending = PendingRevocation("id", record.key, record.id, b"{}", b"sealed", record.grant)
    await store.revocations.add(pending, due_in=timedelta(0))
    await store.revocations.add(replace(pending, id="later"), due_in=timedelta(hours=1))
    claimed = await asyncio.gather(*(claim(store) for _ in range(5)))
    assert [one for some in claimed for one in some] == [pending]
    await store.revocations.postpone("id", attempts=3, retry_in=timedelta(0))
    assert await claim(store, seconds=0) == [replace(pending, attempts=3)]
    assert await claim(store, seconds=0) == [replace(pending, attempts=3)]
    await store.revocations.postpone("id", attempts=4, retry_in=timedelta(hours=1))
    assert await claim(store) == []
    await store.revocations.postpone("id", attempts=4, retry_in=timedelta(0))
    await store.revocations.end("id")
    assert await claim(store) == []


async def a_pending_authorization_is_the_tenant_s_at_the_connector(store: Store) -> None:
    """Of any account of it, and only while it lives."""
    pending = store.revocations.is_authorization_pending
    await store.add_authorization(pending_authorization(), lifetime=timedelta(minutes=10))
    assert await pending(key_of())
    assert await pending(key_of(account="second"))
    assert not await pending(key_of("other"))
    assert not await pending(key_of(connector="other"))
    assert await store.take_authorization(b"handle", b"browser")
    assert not await pending(key_of())
    await store.add_authorization(pending_authorization(), lifetime=timedelta(0))
    assert not await pending(key_of())


async def a_grant_is_shared_by_client_and_subject(store: Store) -> None:
    """Over all tenants; subjects that are not known are taken for one another."""
    shared = store.revocations.is_grant_shared
    record = await inserted(store, replace(record_of(), grant=grant_of(1)))
    assert await shared("mail", "client-1", "subject-1")
    assert not await shared("mail", "client-2", "subject-1")
    assert not await shared("mail", "client-1", "subject-2")
    assert not await shared("other", "client-1", "subject-1")
    assert not await shared("mail", "client-1", None)
    unknown = replace(grant_of(1), subject=None)
    _ = await inserted(store, replace(record_of(key_of("other")), grant=unknown))
    assert await shared("mail", "client-1", None)
    _ = await disconnect(store, record.key)
    assert not await shared("mail", "client-1", "subject-1")


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
    disconnecting_queues_the_tokens_for_revocation,
    shared_tokens_are_not_queued,
    a_revocation_waits_for_the_lease,
    an_authorization_queues_what_it_replaces,
    authorizing_again_keeps_a_config_that_changed_meanwhile,
    a_config_that_ends_the_grant_queues_its_tokens,
    a_revocation_is_one_claimer_s_until_its_time_is_over,
    a_pending_authorization_is_the_tenant_s_at_the_connector,
    a_grant_is_shared_by_client_and_subject,
)
