"""What any store must do: a list of checks, each an async function of an open, empty store.

```python
@pytest.mark.parametrize("check", STORE_CONTRACT, ids=lambda check: check.__name__)
async def test_my_store(check):
    store = MyStore()
    await store.open()
    await check(store)
    await store.close()
```
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from igniter_connectors.core.connection import ConnectionKey, ConnectionRecord, Grant
from igniter_connectors.core.oauth.lease import Lease
from igniter_connectors.core.oauth.revocation import Handover, PendingRevocation
from igniter_connectors.core.oauth.state import PendingAuthorization
from igniter_connectors.core.webhook.endpoint import EndpointRecord
from igniter_connectors.ports import Store
from igniter_connectors.testing.inbox_contract import INBOX_CONTRACT

_NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
_LATER = _NOW + timedelta(seconds=5)


def _key(
    identity: str = "acme", connector: str = "mail", account: str = "default"
) -> ConnectionKey:
    return ConnectionKey("organization", identity, connector, account)


def _record(key: ConnectionKey | None = None) -> ConnectionRecord:
    return ConnectionRecord(
        key=key or _key(),
        id=secrets.token_hex(16),
        public_config=b'{"a":1}',
        sealed_config=secrets.token_bytes(40),
        enabled=True,
        version=1,
        created_at=_NOW,
        updated_at=_NOW,
    )


def _grant(generation: int = 1, grant_id: str = "grant-1") -> Grant:
    return Grant(
        sealed_tokens=secrets.token_bytes(60),
        generation=generation,
        grant_id=grant_id,
        oauth_scopes=("read", "wri te"),
        refreshable=True,
        refreshed_at=_NOW,
        expires_at=_LATER,
        subject="subject-1",
        profile=b'{"subject":"subject-1"}',
        client_id="client-1",
        token_url="https://p.example/token",  # noqa: S106  # an address, not a token
        refresh_expires_at=datetime(2999, 1, 1, tzinfo=UTC),
    )


async def _insert(store: Store, record: ConnectionRecord) -> ConnectionRecord:
    assert await store.insert(record)
    return record


async def _disconnect(
    store: Store, key: ConnectionKey, handover: Handover | None = None
) -> ConnectionRecord | None:
    return await store.disconnect(key, handover=handover, now=_LATER)


async def a_row_comes_back_as_it_was(store: Store) -> None:
    """Every column survives, instants to the microsecond, bytes to the bit."""
    plain = await _insert(store, _record())
    granted = await _insert(
        store,
        replace(
            _record(_key("ümläut ☃", "o-auth", "second 'account' -- %_")),
            grant=_grant(),
            status="needs_reauth",
            failures=3,
            next_attempt_at=_LATER,
            enabled=False,
        ),
    )
    assert await store.find(plain.key) == plain
    assert await store.find(granted.key) == granted


async def what_was_never_stored_is_none(store: Store) -> None:
    """Finding, switching, deleting and writing what is not there says so."""
    assert await store.find(_key()) is None
    assert await _disconnect(store, _key()) is None
    assert not await store.set_enabled(_key(), enabled=True, now=_NOW)
    assert not await store.save_renewed(_key(), row="x", generation=1, grant=_grant(2))


async def tenants_do_not_see_one_another(store: Store) -> None:
    """Keys that would be the same when joined with any separator are different."""
    keys = [
        ConnectionKey("a", "b:c", "d", "e"),
        ConnectionKey("a:b", "c", "d", "e"),
        ConnectionKey("a", "b", "c:d", "e"),
        ConnectionKey("a", "b/c", "d", "e"),
        ConnectionKey("A", "b:c", "d", "e"),
        ConnectionKey("a", "b:c", "d", "e "),
    ]
    records = [await _insert(store, _record(key)) for key in keys]
    for key, record in zip(keys, records, strict=True):
        assert await store.find(key) == record
    assert await store.count("a", "b:c") == 2
    assert [one.key for one in await store.list("a:b", "c", after=None, limit=9)] == [keys[1]]


async def one_insert_wins(store: Store) -> None:
    """Of many inserts under one key at once, one happens and the others say no."""
    records = [_record() for _ in range(10)]
    outcomes = await asyncio.gather(*(store.insert(record) for record in records))
    assert sum(outcomes) == 1
    assert await store.find(_key()) == records[outcomes.index(True)]


async def a_config_is_replaced_on_its_version_alone(store: Store) -> None:
    """A stale version, or another row's id, changes nothing."""
    record = await _insert(store, replace(_record(), grant=_grant()))

    async def write(row: str, version: int) -> bool:
        return await store.replace_config(
            record.key,
            row=row,
            version=version,
            public_config=b"{}",
            sealed_config=b"new",
            now=_LATER,
        )

    assert not await write(record.id, 2)
    assert not await write("another row", 1)
    assert await store.find(record.key) == record
    assert await write(record.id, 1)
    assert not await write(record.id, 1)
    expected = replace(
        record, public_config=b"{}", sealed_config=b"new", version=2, updated_at=_LATER
    )
    assert await store.find(record.key) == expected


async def switching_twice_counts_once(store: Store) -> None:
    """The version goes up when something changed, and only then."""
    record = await _insert(store, _record())
    assert await store.set_enabled(record.key, enabled=False, now=_LATER)
    off = replace(record, enabled=False, version=2, updated_at=_LATER)
    assert await store.find(record.key) == off
    assert await store.set_enabled(record.key, enabled=False, now=_LATER + timedelta(hours=1))
    assert await store.find(record.key) == off


async def a_deleted_row_is_gone_once(store: Store) -> None:
    """Of many deletes at once one gets the row; a row made later is another."""
    record = await _insert(store, _record())
    gone = await asyncio.gather(*(_disconnect(store, record.key) for _ in range(5)))
    assert [one for one in gone if one is not None] == [record]
    again = await _insert(store, _record())
    assert await store.find(record.key) == again


async def renewed_tokens_land_on_their_generation(store: Store) -> None:
    """A write on an old generation or another row changes nothing; of many, one lands."""
    record = await _insert(
        store,
        replace(
            _record(), grant=_grant(1), failures=2, next_attempt_at=_LATER, status="needs_reauth"
        ),
    )
    assert not await store.save_renewed(record.key, row="other", generation=1, grant=_grant(2))
    assert not await store.save_renewed(record.key, row=record.id, generation=2, grant=_grant(3))
    grants = [_grant(2) for _ in range(5)]
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
    """What somebody else changed meanwhile is not put back."""
    record = await _insert(store, replace(_record(), grant=_grant(1)))
    assert await store.set_enabled(record.key, enabled=False, now=_LATER)
    assert await store.replace_config(
        record.key,
        row=record.id,
        version=2,
        public_config=b'{"b":2}',
        sealed_config=b"c",
        now=_LATER,
    )
    assert await store.save_renewed(record.key, row=record.id, generation=1, grant=_grant(2))
    stored = await store.find(record.key)
    assert stored is not None
    assert (stored.enabled, stored.public_config, stored.sealed_config, stored.version) == (
        False,
        b'{"b":2}',
        b"c",
        3,
    )


async def _lease(store: Store, record: ConnectionRecord, seconds: float = 60) -> Lease | None:
    assert record.grant is not None
    return await store.take_lease(
        record.key,
        generation=record.grant.generation,
        owner=secrets.token_hex(16),
        duration=timedelta(seconds=seconds),
    )


async def renewing_leaves_a_changed_config_s_status(store: Store) -> None:
    """A refresh that was under way does not declare a changed config authorized."""
    record = await _insert(
        store, replace(_record(), grant=_grant(1), status="config_changed", failures=1)
    )
    assert await store.save_renewed(record.key, row=record.id, generation=1, grant=_grant(2))
    stored = await store.find(record.key)
    assert stored is not None
    assert (stored.status, stored.failures) == ("config_changed", 0)


async def one_of_many_takes_the_lease(store: Store) -> None:
    """It returns the stored tokens and the mark as it stood; nobody else gets one."""
    record = await _insert(store, replace(_record(), grant=_grant(3), failures=2))
    taken = await asyncio.gather(*(_lease(store, record) for _ in range(10)))
    (lease,) = [one for one in taken if one is not None]
    assert record.grant is not None
    assert (lease.row, lease.sealed_tokens) == (record.id, record.grant.sealed_tokens)
    assert (lease.generation, lease.failures, lease.unresolved_before) == (3, 2, False)
    stored = await store.find(record.key)
    assert stored == replace(record, lease_owner=lease.owner, unresolved=True)


async def a_lease_needs_its_generation_and_a_living_grant(store: Store) -> None:
    """An older or newer generation, a dead grant, no grant, no row: no lease."""
    record = await _insert(store, replace(_record(), grant=_grant(3)))
    for generation in (2, 4):
        assert not await store.take_lease(
            record.key, generation=generation, owner="o", duration=timedelta(seconds=60)
        )
    dead = await _insert(store, replace(_record(_key("b")), grant=_grant(3), status="needs_reauth"))
    assert not await _lease(store, dead)
    plain = await _insert(store, _record(_key("c")))
    assert not await store.take_lease(
        plain.key, generation=0, owner="o", duration=timedelta(seconds=60)
    )
    assert not await store.take_lease(
        _key("nobody"), generation=1, owner="o", duration=timedelta(seconds=60)
    )


async def a_lease_that_ended_is_taken_over_with_its_mark(store: Store) -> None:
    """Whoever takes over learns that the earlier outcome is unknown."""
    record = await _insert(store, replace(_record(), grant=_grant(1)))
    first = await _lease(store, record, seconds=0)
    second = await _lease(store, record, seconds=0)
    third = await _lease(store, record)
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.unresolved_before, second.unresolved_before) == (False, True)
    assert third.unresolved_before
    assert len({first.owner, second.owner, third.owner}) == 3


async def a_lease_put_back_restores_the_mark(store: Store) -> None:
    """A definite failure neither wipes an older mark nor leaves one of its own."""
    clean = await _insert(store, replace(_record(), grant=_grant(1)))
    marked = await _insert(store, replace(_record(_key("b")), grant=_grant(1), unresolved=True))
    for record in (clean, marked):
        lease = await _lease(store, record)
        assert lease is not None
        assert await store.put_back_lease(
            record.key, lease, failures=4, retry_in=timedelta(hours=1)
        )
        stored = await store.find(record.key)
        assert stored is not None
        assert (stored.lease_owner, stored.unresolved) == (None, record.unresolved)
        assert stored.failures == 4
        assert stored.next_attempt_at is not None
        assert not await _lease(store, stored)
    now = await _insert(store, replace(_record(_key("c")), grant=_grant(1)))
    lease = await _lease(store, now)
    assert lease is not None
    assert await store.put_back_lease(now.key, lease, failures=1, retry_in=timedelta(0))
    assert await _lease(store, now)


async def a_verdict_is_fenced_by_row_generation_and_owner(store: Store) -> None:
    """Who overstayed its lease condemns nobody."""
    record = await _insert(store, replace(_record(), grant=_grant(1)))
    lease = await _lease(store, record, seconds=0)
    assert lease is not None
    for other in (
        replace(lease, row="other"),
        replace(lease, generation=2),
        replace(lease, owner="other"),
    ):
        assert not await store.save_verdict(record.key, other, "needs_reauth")
        assert not await store.put_back_lease(record.key, other, failures=1, retry_in=timedelta(0))
    successor = await _lease(store, record)
    assert successor is not None
    assert not await store.save_verdict(record.key, lease, "needs_reauth")
    assert await store.save_verdict(record.key, successor, "lost_rotation")
    stored = await store.find(record.key)
    assert stored == replace(record, status="lost_rotation")


async def a_late_commit_lands_unless_another_came_first(store: Store) -> None:
    """On row and generation alone: without a lease, under another's, after a verdict."""
    for number, disturb in enumerate(("nothing", "taken over", "condemned")):
        record = await _insert(store, replace(_record(_key(f"t{number}")), grant=_grant(1)))
        lease = await _lease(store, record, seconds=0)
        assert lease is not None
        if disturb != "nothing":
            successor = await _lease(store, record)
            assert successor is not None
            if disturb == "condemned":
                assert await store.save_verdict(record.key, successor, "lost_rotation")
        assert await store.save_renewed(record.key, row=record.id, generation=1, grant=_grant(2))
        stored = await store.find(record.key)
        assert stored is not None
        assert stored.grant is not None
        assert (stored.status, stored.lease_owner, stored.unresolved) == ("ok", None, False)
        assert stored.grant.generation == 2
        assert not await store.save_renewed(
            record.key, row=record.id, generation=1, grant=_grant(2)
        )


async def a_reauthorization_clears_lease_and_mark(store: Store) -> None:
    """And raises the generation, so that a refresh under way cannot overwrite it."""
    record = await _insert(store, replace(_record(), grant=_grant(1, "old"), failures=3))
    lease = await _lease(store, record)
    assert lease is not None
    fresh = replace(record, grant=_grant(2, "new"), failures=0)
    assert await store.save_authorized(fresh, expected_grant="old")
    assert not await store.save_renewed(record.key, row=record.id, generation=1, grant=_grant(2))
    assert not await store.save_verdict(record.key, lease, "needs_reauth")
    stored = await store.find(record.key)
    assert stored is not None
    assert (stored.lease_owner, stored.unresolved, stored.failures) == (None, False, 0)


async def an_authorization_lands_on_the_grant_it_began_with(store: Store) -> None:
    """It adds where nothing stood, replaces its own grant, and overwrites no other."""
    first = replace(_record(), grant=_grant(1, "grant-1"))
    assert await store.save_authorized(first, expected_grant=None)
    assert not await store.save_authorized(
        replace(_record(), grant=_grant(1, "grant-x")), expected_grant=None
    )
    assert await store.set_enabled(first.key, enabled=False, now=_LATER)
    second = replace(first, grant=_grant(2, "grant-2"), updated_at=_LATER, public_config=b"{}")
    assert not await store.save_authorized(second, expected_grant="grant-other")
    assert not await store.save_authorized(replace(second, id="other"), expected_grant="grant-1")
    stale = replace(second, grant=_grant(5, "grant-2"))
    assert not await store.save_authorized(stale, expected_grant="grant-1")
    assert await store.save_authorized(second, expected_grant="grant-1")
    assert await store.find(first.key) == replace(second, enabled=False, version=3)
    assert await _disconnect(store, first.key)
    assert not await store.save_authorized(
        replace(second, grant=_grant(3, "grant-3")), expected_grant="grant-2"
    )


async def pages_follow_one_another(store: Store) -> None:
    """Every row of the tenant once, in order, whatever the page's size."""
    wanted = sorted((f"c{i % 4}", f"a{i:02}") for i in range(12))
    for connector, account in reversed(wanted):
        _ = await _insert(store, _record(_key("acme", connector, account)))
    _ = await _insert(store, _record(_key("other")))
    for limit in (1, 5, 12, 50):
        seen: list[tuple[str, str]] = []
        while rows := await store.list(
            "organization", "acme", after=seen[-1] if seen else None, limit=limit
        ):
            assert len(rows) <= limit
            seen += [(row.key.connector, row.key.account) for row in rows]
        assert seen == wanted
    assert await store.count("organization", "acme") == 12
    assert await store.count("organization", "nobody") == 0
    assert dict(await store.count_by_connector()) == {"c0": 3, "c1": 3, "c2": 3, "c3": 3, "mail": 1}


def _pending(handle: bytes = b"handle", binding: bytes = b"browser") -> PendingAuthorization:
    return PendingAuthorization(handle, binding, "id", _key(), b"sealed")


async def an_authorization_is_taken_once(store: Store) -> None:
    """Of many takers at once one gets it."""
    await store.add_authorization(_pending(), lifetime=timedelta(minutes=10))
    taken = await asyncio.gather(
        *(store.take_authorization(b"handle", b"browser") for _ in range(10))
    )
    assert [one for one in taken if one is not None] == [_pending()]


async def a_stranger_does_not_burn_an_authorization(store: Store) -> None:
    """Another browser's try changes nothing."""
    await store.add_authorization(_pending(), lifetime=timedelta(minutes=10))
    assert await store.take_authorization(b"handle", b"other browser") is None
    assert await store.take_authorization(b"other handle", b"browser") is None
    assert await store.take_authorization(b"handle", b"browser") == _pending()


async def an_authorization_ends(store: Store) -> None:
    """After its time it is not taken, and adding another clears it away."""
    await store.add_authorization(_pending(), lifetime=timedelta(0))
    assert await store.take_authorization(b"handle", b"browser") is None
    await store.add_authorization(_pending(), lifetime=timedelta(minutes=1))
    assert await store.take_authorization(b"handle", b"browser") == _pending()


def _endpoint(record: ConnectionRecord, token: bytes, **changes: datetime) -> EndpointRecord:
    endpoint = EndpointRecord(token, token.hex(), record.key, record.id, b"sealed", _NOW)
    return replace(endpoint, **changes)


async def an_endpoint_is_found_with_its_connection(store: Store) -> None:
    """By its hash alone, among several of one connection."""
    record = await _insert(store, _record())
    one, two = _endpoint(record, b"1" * 32), _endpoint(record, b"2" * 32)
    await store.add_endpoint(one)
    await store.add_endpoint(two)
    assert await store.find_endpoint(b"1" * 32) == (one, record)
    assert await store.find_endpoint(b"3" * 32) is None
    assert list(await store.list_endpoints(record.key)) == [one, two]
    assert list(await store.list_endpoints(_key("other"))) == []


async def an_endpoint_goes_with_its_connection(store: Store) -> None:
    """Neither deleting nor connecting anew leaves an old address open."""
    record = await _insert(store, _record())
    await store.add_endpoint(_endpoint(record, b"1" * 32))
    assert await _disconnect(store, record.key)
    assert await store.find_endpoint(b"1" * 32) is None
    again = await _insert(store, _record())
    assert await store.find_endpoint(b"1" * 32) is None
    assert list(await store.list_endpoints(again.key)) == []


async def an_endpoint_ends(store: Store) -> None:
    """After `valid_until` it is not found."""
    record = await _insert(store, _record())
    soon = datetime(2999, 1, 1, tzinfo=UTC)
    await store.add_endpoint(_endpoint(record, b"1" * 32, valid_until=_NOW - timedelta(days=9999)))
    await store.add_endpoint(_endpoint(record, b"2" * 32, valid_until=soon))
    assert await store.find_endpoint(b"1" * 32) is None
    assert await store.find_endpoint(b"2" * 32) is not None


async def an_endpoints_secret_is_replaced_by_its_owner(store: Store) -> None:
    """Another tenant's key does not reach it."""
    record = await _insert(store, _record())
    endpoint = _endpoint(record, b"1" * 32)
    await store.add_endpoint(endpoint)
    assert not await store.save_endpoint_secret(
        _key("other"), endpoint=endpoint.id, sealed_secret=b"evil"
    )
    assert await store.save_endpoint_secret(record.key, endpoint=endpoint.id, sealed_secret=b"new")
    found = await store.find_endpoint(b"1" * 32)
    assert found is not None
    assert found[0].sealed_secret == b"new"


async def _claim(store: Store, seconds: float = 60) -> list[PendingRevocation]:
    duration = timedelta(seconds=seconds)
    return list(await store.revocations.claim(limit=10, duration=duration))


def _handover(id: str = "revocation-1", seconds: float = 0) -> Handover:
    return Handover(id, timedelta(seconds=seconds))


async def a_disconnected_grant_leaves_a_tombstone(store: Store) -> None:
    """Nobody finds, lists, counts, switches or renews it; it names the grant by another id."""
    record = await _insert(store, replace(_record(), grant=_grant(1, "grant-1")))
    assert await _disconnect(store, record.key) == record
    assert await _disconnect(store, record.key) is None
    assert await store.find(record.key) is None
    assert await store.last_grant(record.key) == "grant-1-ended"
    assert list(await store.list("organization", "acme", after=None, limit=9)) == []
    assert await store.count("organization", "acme") == 0
    assert dict(await store.count_by_connector()) == {}
    assert not await store.set_enabled(record.key, enabled=False, now=_LATER)
    assert not await store.replace_config(
        record.key, row=record.id, version=1, public_config=b"", sealed_config=b"", now=_LATER
    )
    for generation in (1, 2):
        assert not await store.save_renewed(
            record.key, row=record.id, generation=generation, grant=_grant(generation + 1)
        )
        assert not await store.take_lease(
            record.key, generation=generation, owner="o", duration=timedelta(seconds=60)
        )
    again = await _insert(store, replace(_record(), grant=_grant(1, "grant-2")))
    assert await store.find(again.key) == again
    assert await store.last_grant(again.key) == "grant-2"


async def a_config_leaves_no_tombstone(store: Store) -> None:
    """Where there was no grant there is none that anybody could resurrect."""
    record = await _insert(store, _record())
    assert await store.last_grant(record.key) is None
    assert await _disconnect(store, record.key, _handover()) == record
    assert await store.last_grant(record.key) is None
    assert await store.save_authorized(replace(_record(), grant=_grant(1)), expected_grant=None)
    assert await _claim(store) == []


async def an_authorization_does_not_resurrect(store: Store) -> None:
    """One that began before a connection came and went is refused; one that began after is not."""
    first = await _insert(store, replace(_record(), grant=_grant(3, "grant-1")))
    assert await store.set_enabled(first.key, enabled=False, now=_LATER)
    assert await _disconnect(store, first.key)
    late = replace(_record(), grant=_grant(1, "grant-2"))
    assert not await store.save_authorized(late, expected_grant=None)
    assert not await store.save_authorized(late, expected_grant="grant-1")
    assert await store.find(first.key) is None
    ended = await store.last_grant(first.key)
    assert await store.save_authorized(late, expected_grant=ended, handover=_handover())
    assert await store.find(first.key) == late
    assert await _claim(store) == []


async def a_tombstone_is_purged_when_nobody_may_meet_it(store: Store) -> None:
    """Not while an authorization is pending at the connector, nor before its time."""
    record = await _insert(store, replace(_record(), grant=_grant(1)))
    _ = await _disconnect(store, record.key)
    await store.add_authorization(_pending(), lifetime=timedelta(minutes=10))
    assert await store.purge_tombstones(older_than=timedelta(0)) == 0
    assert await store.take_authorization(b"handle", b"browser")
    assert await store.purge_tombstones(older_than=timedelta(days=99_999)) == 0
    assert await store.last_grant(record.key) == "grant-1-ended"
    assert await store.purge_tombstones(older_than=timedelta(0)) == 1
    assert await store.last_grant(record.key) is None


async def disconnecting_hands_the_tokens_over(store: Store) -> None:
    """With the config that they were minted under; once, also where many disconnect."""
    record = await _insert(store, replace(_record(), grant=_grant(4)))
    _ = await asyncio.gather(
        *(_disconnect(store, record.key, _handover(f"r{number}")) for number in range(5))
    )
    (pending,) = await _claim(store)
    grant = record.grant
    assert grant is not None
    assert pending == PendingRevocation(
        pending.id, record.key, record.id, record.public_config, record.sealed_config, grant
    )


async def shared_tokens_are_not_handed_over(store: Store) -> None:
    """Somebody else uses them."""
    grant = replace(_grant(1), is_shared=True)
    record = await _insert(store, replace(_record(), grant=grant))
    assert await store.find(record.key) == record
    assert await _disconnect(store, record.key, _handover()) == record
    assert await _claim(store) == []


async def a_handover_waits_for_the_lease(store: Store) -> None:
    """Whoever refreshes is not overtaken; without a lease the time given counts."""
    held = await _insert(store, replace(_record(_key("a")), grant=_grant(1)))
    assert await _lease(store, held, seconds=60)
    assert await _disconnect(store, held.key, _handover("held"))
    ended = await _insert(store, replace(_record(_key("b")), grant=_grant(1)))
    assert await _lease(store, ended, seconds=0)
    assert await _disconnect(store, ended.key, _handover("ended"))
    later = await _insert(store, replace(_record(_key("c")), grant=_grant(1)))
    assert await _disconnect(store, later.key, _handover("later", seconds=60))
    assert [one.id for one in await _claim(store)] == ["ended"]


async def an_authorization_hands_over_what_it_replaces(store: Store) -> None:
    """The old tokens, in the step that writes the new ones; nothing where it does not land."""
    record = await _insert(store, replace(_record(), grant=_grant(1, "old")))
    fresh = replace(record, grant=_grant(2, "new"), public_config=b"{}")
    assert not await store.save_authorized(fresh, expected_grant="other", handover=_handover())
    assert await _claim(store) == []
    assert await store.save_authorized(fresh, expected_grant="old", handover=_handover())
    (pending,) = await _claim(store)
    assert (pending.grant, pending.public_config) == (record.grant, record.public_config)


async def authorizing_again_keeps_a_config_that_changed_meanwhile(store: Store) -> None:
    """Where it was asked to; else the config of the authorization is written."""
    record = await _insert(store, replace(_record(), grant=_grant(1, "grant-1")))
    assert await store.replace_config(
        record.key,
        row=record.id,
        version=1,
        public_config=b'{"b":2}',
        sealed_config=b"c",
        now=_LATER,
    )
    second = replace(record, grant=_grant(2, "grant-2"))
    assert await store.save_authorized(second, expected_grant="grant-1", keep_config=True)
    stored = await store.find(record.key)
    assert stored == replace(second, public_config=b'{"b":2}', sealed_config=b"c", version=3)
    third = replace(record, grant=_grant(3, "grant-3"))
    assert await store.save_authorized(third, expected_grant="grant-2")
    assert await store.find(record.key) == replace(third, version=4)


async def a_config_that_ends_the_grant_hands_it_over(store: Store) -> None:
    """Tokens go with the config that minted them; the row waits for another authorization."""
    record = await _insert(store, replace(_record(), grant=_grant(1, "old"), failures=2))
    lease = await _lease(store, record, seconds=0)
    assert lease is not None

    async def write(row: str, version: int) -> bool:
        return await store.replace_config_ending_grant(
            record.key,
            row=row,
            version=version,
            public_config=b'{"host":"b"}',
            sealed_config=b"new",
            now=_LATER,
            grant_id="new",
            handover=_handover(),
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
        updated_at=_LATER,
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
    assert not await store.save_renewed(record.key, row=record.id, generation=1, grant=_grant(2))
    (pending,) = await _claim(store)
    assert (pending.grant, pending.sealed_config) == (record.grant, record.sealed_config)
    fresh = replace(record, grant=_grant(3, "newer"))
    assert await store.save_authorized(
        fresh, expected_grant="new", handover=_handover("revocation-2")
    )
    assert await _claim(store) == []


async def a_lease_released_keeps_its_mark(store: Store) -> None:
    """The next one may begin at once, and knows that the outcome is not known."""
    record = await _insert(store, replace(_record(), grant=_grant(1)))
    lease = await _lease(store, record)
    assert lease is not None
    assert not await store.release_lease(record.key, replace(lease, owner="other"))
    assert await store.release_lease(record.key, lease)
    assert await store.find(record.key) == replace(record, unresolved=True)
    successor = await _lease(store, record)
    assert successor is not None
    assert successor.unresolved_before


async def a_revocation_is_one_claimer_s_until_its_time_is_over(store: Store) -> None:
    """Postponed, it counts its attempts and waits; ended, it is gone."""
    record = replace(_record(), grant=_grant(1))
    assert record.grant is not None
    pending = PendingRevocation("id", record.key, record.id, b"{}", b"sealed", record.grant)
    await store.revocations.add(pending, due_in=timedelta(0))
    await store.revocations.add(replace(pending, id="later"), due_in=timedelta(hours=1))
    claimed = await asyncio.gather(*(_claim(store) for _ in range(5)))
    assert [one for some in claimed for one in some] == [pending]
    await store.revocations.postpone("id", attempts=3, retry_in=timedelta(0))
    assert await _claim(store, seconds=0) == [replace(pending, attempts=3)]
    assert await _claim(store, seconds=0) == [replace(pending, attempts=3)]
    await store.revocations.postpone("id", attempts=4, retry_in=timedelta(hours=1))
    assert await _claim(store) == []
    await store.revocations.postpone("id", attempts=4, retry_in=timedelta(0))
    await store.revocations.end("id")
    assert await _claim(store) == []


async def a_pending_authorization_is_the_tenant_s_at_the_connector(store: Store) -> None:
    """Of any account of it, and only while it lives."""
    pending = store.revocations.is_authorization_pending
    await store.add_authorization(_pending(), lifetime=timedelta(minutes=10))
    assert await pending(_key())
    assert await pending(_key(account="second"))
    assert not await pending(_key("other"))
    assert not await pending(_key(connector="other"))
    assert await store.take_authorization(b"handle", b"browser")
    assert not await pending(_key())
    await store.add_authorization(_pending(), lifetime=timedelta(0))
    assert not await pending(_key())


async def a_grant_is_shared_by_client_and_subject(store: Store) -> None:
    """Over all tenants; subjects that are not known are taken for one another."""
    shared = store.revocations.is_grant_shared
    record = await _insert(store, replace(_record(), grant=_grant(1)))
    assert await shared("mail", "client-1", "subject-1")
    assert not await shared("mail", "client-2", "subject-1")
    assert not await shared("mail", "client-1", "subject-2")
    assert not await shared("other", "client-1", "subject-1")
    assert not await shared("mail", "client-1", None)
    unknown = replace(_grant(1), subject=None)
    _ = await _insert(store, replace(_record(_key("other")), grant=unknown))
    assert await shared("mail", "client-1", None)
    _ = await _disconnect(store, record.key)
    assert not await shared("mail", "client-1", "subject-1")


async def what_lapses_soon_is_listed_for_renewal(store: Store) -> None:
    """Soonest first; not what may not, or must not, be refreshed now."""
    far = datetime.now(UTC) + timedelta(days=10)
    near, nearer = far - timedelta(days=8), far - timedelta(days=9)

    def lapsing(identity: str, at: datetime | None) -> ConnectionRecord:
        grant = replace(_grant(1), refresh_expires_at=at)
        return replace(_record(_key(identity)), grant=grant)

    one = await _insert(store, lapsing("near", near))
    two = await _insert(store, lapsing("nearer", nearer))
    _ = await _insert(store, lapsing("far", far))
    _ = await _insert(store, lapsing("unknown", None))
    _ = await _insert(store, replace(lapsing("dead", near), status="needs_reauth"))
    _ = await _insert(store, replace(lapsing("off", near), enabled=False))
    late = datetime(2999, 1, 1, tzinfo=UTC)
    _ = await _insert(store, replace(lapsing("failing", near), next_attempt_at=late))
    young = lapsing("young", near)
    assert young.grant is not None
    fresh = replace(young.grant, refreshed_at=datetime.now(UTC))
    _ = await _insert(store, replace(young, grant=fresh))
    held = await _insert(store, lapsing("held", near))
    assert await _lease(store, held)
    fixed = lapsing("fixed", near)
    assert fixed.grant is not None
    _ = await _insert(store, replace(fixed, grant=replace(fixed.grant, refreshable=False)))
    soon = timedelta(days=5)
    assert list(await store.list_lapsing(within=soon, limit=9)) == [two, one]
    assert list(await store.list_lapsing(within=soon, limit=1)) == [two]


async def a_replaced_secret_stays_for_its_overlap(store: Store) -> None:
    """Beside the new one, by the store's own clock; without an overlap it goes at once."""
    record = await _insert(store, _record())
    endpoint = _endpoint(record, b"1" * 32)
    await store.add_endpoint(endpoint)

    async def secrets_now() -> tuple[bytes, bytes | None]:
        found = await store.find_endpoint(b"1" * 32)
        assert found is not None
        return found[0].sealed_secret, found[0].sealed_previous

    async def replace_secret(secret: bytes, overlap: timedelta) -> None:
        assert await store.save_endpoint_secret(
            record.key, endpoint=endpoint.id, sealed_secret=secret, overlap=overlap
        )

    assert await secrets_now() == (endpoint.sealed_secret, None)
    await replace_secret(b"second", timedelta(minutes=1))
    assert await secrets_now() == (b"second", endpoint.sealed_secret)
    await replace_secret(b"third", timedelta(milliseconds=50))
    assert (await secrets_now())[0] == b"third"
    await asyncio.sleep(0.12)
    assert await secrets_now() == (b"third", None)
    await replace_secret(b"fourth", timedelta(minutes=1))
    await replace_secret(b"fifth", timedelta(0))
    assert await secrets_now() == (b"fifth", None)


async def a_retired_endpoint_ends_after_its_overlap(store: Store) -> None:
    """Never later than it was to end before, and at nobody else's word."""
    record = await _insert(store, _record())
    endpoint = _endpoint(record, b"1" * 32)
    await store.add_endpoint(endpoint)

    async def retire(overlap: timedelta) -> bool:
        return await store.retire_endpoint(record.key, endpoint=endpoint.id, overlap=overlap)

    assert not await store.retire_endpoint(
        _key("other"), endpoint=endpoint.id, overlap=timedelta(0)
    )
    assert not await store.retire_endpoint(record.key, endpoint="none", overlap=timedelta(0))
    assert await store.find_endpoint(b"1" * 32) is not None
    assert await retire(timedelta(milliseconds=80))
    assert await retire(timedelta(minutes=1))
    assert await store.find_endpoint(b"1" * 32) is not None
    await asyncio.sleep(0.15)
    assert await store.find_endpoint(b"1" * 32) is None
    (listed,) = await store.list_endpoints(record.key)
    assert listed.valid_until is not None


async def many_look_for_endpoints_at_once(store: Store) -> None:
    """Each gets its own, and who asks for none gets none."""
    record = await _insert(store, _record())
    hashes = [bytes([number]) * 32 for number in range(70)]
    for token_hash in hashes:
        await store.add_endpoint(_endpoint(record, token_hash))
    wanted = [*hashes, *hashes, b"none" * 8]
    found = await asyncio.gather(*(store.find_endpoint(one) for one in wanted))
    assert [one and one[0].token_hash for one in found] == [*hashes, *hashes, None]
    assert all(one is None or one[1] == record for one in found)


STORE_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    a_row_comes_back_as_it_was,
    what_was_never_stored_is_none,
    tenants_do_not_see_one_another,
    one_insert_wins,
    a_config_is_replaced_on_its_version_alone,
    switching_twice_counts_once,
    a_deleted_row_is_gone_once,
    renewed_tokens_land_on_their_generation,
    renewing_leaves_config_and_switch_alone,
    renewing_leaves_a_changed_config_s_status,
    one_of_many_takes_the_lease,
    a_lease_needs_its_generation_and_a_living_grant,
    a_lease_that_ended_is_taken_over_with_its_mark,
    a_lease_put_back_restores_the_mark,
    a_verdict_is_fenced_by_row_generation_and_owner,
    a_late_commit_lands_unless_another_came_first,
    a_reauthorization_clears_lease_and_mark,
    an_authorization_lands_on_the_grant_it_began_with,
    pages_follow_one_another,
    an_authorization_is_taken_once,
    a_stranger_does_not_burn_an_authorization,
    an_authorization_ends,
    an_endpoint_is_found_with_its_connection,
    an_endpoint_goes_with_its_connection,
    an_endpoint_ends,
    an_endpoints_secret_is_replaced_by_its_owner,
    a_disconnected_grant_leaves_a_tombstone,
    a_config_leaves_no_tombstone,
    an_authorization_does_not_resurrect,
    a_tombstone_is_purged_when_nobody_may_meet_it,
    disconnecting_hands_the_tokens_over,
    shared_tokens_are_not_handed_over,
    a_handover_waits_for_the_lease,
    an_authorization_hands_over_what_it_replaces,
    authorizing_again_keeps_a_config_that_changed_meanwhile,
    a_config_that_ends_the_grant_hands_it_over,
    a_lease_released_keeps_its_mark,
    a_revocation_is_one_claimer_s_until_its_time_is_over,
    a_pending_authorization_is_the_tenant_s_at_the_connector,
    a_grant_is_shared_by_client_and_subject,
    what_lapses_soon_is_listed_for_renewal,
    a_replaced_secret_stays_for_its_overlap,
    a_retired_endpoint_ends_after_its_overlap,
    many_look_for_endpoints_at_once,
    *INBOX_CONTRACT,
)
"""Every check. The store given to each is open and empty, and its clock runs."""
