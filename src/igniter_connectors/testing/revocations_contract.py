"""Tokens of a grant that ends: queued for revocation in the same step."""

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


async def disconnecting_queues_the_tokens_for_revocation(store: Store) -> None:
    """The tokens are queued with their config, once even if many disconnect concurrently."""
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
    """Another application uses them too."""
    grant = replace(grant_of(1), is_shared=True)
    record = await inserted(store, replace(record_of(), grant=grant))
    assert await store.find(record.key) == record
    assert await disconnect(store, record.key, revocation_request()) == record
    assert await claim(store) == []


async def a_revocation_waits_for_the_lease(store: Store) -> None:
    """A revocation is due after a running lease; without one, after the given time."""
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
    """The step that writes the new tokens queues the old ones; if it fails, it queues nothing."""
    record = await inserted(store, replace(record_of(), grant=grant_of(1, "old")))
    fresh = replace(record, grant=grant_of(2, "new"), public_config=b"{}")
    assert not await store.save_authorized(
        fresh, expected_grant="other", revocation=revocation_request()
    )
    assert await claim(store) == []
    assert await store.save_authorized(fresh, expected_grant="old", revocation=revocation_request())
    (pending,) = await claim(store)
    assert (pending.grant, pending.public_config) == (record.grant, record.public_config)


async def a_config_that_ends_the_grant_queues_its_tokens(store: Store) -> None:
    """The tokens are queued with the old config, and the row waits for another authorization."""
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
    """A postponed revocation waits and counts its attempts; an ended one is deleted."""
    record = replace(record_of(), grant=grant_of(1))
    assert record.grant is not None
    pending = PendingRevocation("id", record.key, record.id, b"{}", b"sealed", record.grant)
    await store.revocations.add(pending, due_in=timedelta(0))
    await store.revocations.add(replace(pending, id="later"), due_in=timedelta(hours=1))
    claimed = await asyncio.gather(*(claim(store) for _ in range(5)))
    assert [one for some in claimed for one in some] == [pending]
    await store.revocations.add(pending, due_in=timedelta(0))  # the first answer was lost
    assert await claim(store) == []
    await store.revocations.postpone("id", attempts=3, retry_in=timedelta(0))
    assert await claim(store, seconds=0) == [replace(pending, attempts=3)]
    assert await claim(store, seconds=0) == [replace(pending, attempts=3)]
    await store.revocations.postpone("id", attempts=4, retry_in=timedelta(hours=1))
    assert await claim(store) == []
    await store.revocations.postpone("id", attempts=4, retry_in=timedelta(0))
    await store.revocations.end("id")
    assert await claim(store) == []


async def a_pending_authorization_is_the_tenant_s_at_the_connector(store: Store) -> None:
    """It concerns every account at the connector, until it is taken or expires."""
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
    """Grants of all tenants count, and unknown subjects count as the same one."""
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


REVOCATIONS_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    disconnecting_queues_the_tokens_for_revocation,
    shared_tokens_are_not_queued,
    a_revocation_waits_for_the_lease,
    an_authorization_queues_what_it_replaces,
    a_config_that_ends_the_grant_queues_its_tokens,
    a_revocation_is_one_claimer_s_until_its_time_is_over,
    a_pending_authorization_is_the_tenant_s_at_the_connector,
    a_grant_is_shared_by_client_and_subject,
)
