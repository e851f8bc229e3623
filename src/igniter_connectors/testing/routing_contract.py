"""Accounts at providers: which connections belong to one. A part of `STORE_CONTRACT`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.ports import ConfigChange, Store
from igniter_connectors.testing.contract_records import (
    LATER,
    disconnect,
    grant_of,
    inserted,
    key_of,
    record_of,
)


def _change(record: ConnectionRecord, upstream: str | None) -> ConfigChange:
    return ConfigChange(record.id, record.version, b"{}", b"new", LATER, upstream)


async def _found(store: Store, account: str, connector: str = "mail") -> list[str]:
    rows = await store.routing.find_by_account(connector, account)
    return sorted(one.key.identity for one in rows)


async def connections_are_found_by_their_account(store: Store) -> None:
    """Connections of any tenant are found by the account in their row, until it changes."""
    records = [
        await inserted(store, replace(record_of(key_of(tenant)), upstream="team"))
        for tenant in ("a", "b", "c")
    ]
    _ = await inserted(store, record_of(key_of("d")))
    assert await _found(store, "team") == ["a", "b", "c"]
    assert await _found(store, "team", "shop") == []
    (one, *_) = await store.routing.find_by_account("mail", "team")
    assert one.upstream == "team"
    first, second, third = records
    assert await store.replace_config(first.key, _change(first, "new team"))
    assert (await _found(store, "team"), await _found(store, "new team")) == (["b", "c"], ["a"])
    assert await store.replace_config(second.key, _change(second, None))
    assert await _found(store, "team") == ["c"]
    assert await disconnect(store, third.key)
    assert await _found(store, "team") == []
    again = await inserted(store, record_of(third.key))
    assert again.upstream is None
    assert await _found(store, "team") == []


async def a_refused_config_changes_no_route(store: Store) -> None:
    """Of concurrent changes of one version, one is written with its account; the others leave
    nothing."""
    record = await inserted(store, replace(record_of(), upstream="team"))
    assert not await store.insert(replace(record_of(), upstream="taken"))
    written = await asyncio.gather(
        *(store.replace_config(record.key, _change(record, f"team-{n}")) for n in range(8))
    )
    assert sum(written) == 1
    expected = [["acme"] if is_written else [] for is_written in written]
    assert [await _found(store, f"team-{n}") for n in range(8)] == expected
    assert (await _found(store, "team"), await _found(store, "taken")) == ([], [])


async def a_route_ends_with_the_grant_that_is_disconnected(store: Store) -> None:
    """A tombstone has no account, and an authorization in its place brings its own."""
    record = await inserted(store, replace(record_of(), grant=grant_of(), upstream="team"))
    assert await disconnect(store, record.key)
    assert await _found(store, "team") == []
    again = replace(record_of(), grant=grant_of(grant_id="grant-2"), upstream="new team")
    assert await store.save_authorized(again, expected_grant="grant-1-ended")
    assert (await _found(store, "team"), await _found(store, "new team")) == ([], ["acme"])
    for keeps, upstream, expected in (
        (True, "other team", "new team"),
        (False, "other team", "other team"),
    ):
        stored = await store.find(record.key)
        assert stored is not None
        assert stored.grant is not None
        grant = grant_of(stored.grant.generation + 1, f"{stored.grant.grant_id}-next")
        assert await store.save_authorized(
            replace(stored, grant=grant, upstream=upstream),
            expected_grant=stored.grant.grant_id,
            keep_config=keeps,
        )
        saved = await store.find(record.key)
        assert saved is not None
        assert saved.upstream == expected
        assert await _found(store, expected) == ["acme"]


async def connections_are_found_by_who_authorized_them(store: Store) -> None:
    """Connections of any tenant are found, only at the given connector, while the grant is of
    their config."""
    records = [
        await inserted(store, replace(record_of(key_of(tenant, connector)), grant=grant_of()))
        for tenant, connector in (("a", "mail"), ("b", "mail"), ("a", "shop"))
    ]
    _ = await inserted(store, record_of(key_of("c")))

    async def found(subject: str = "subject-1") -> list[str]:
        rows = await store.routing.find_by_subject("mail", subject)
        return sorted(one.key.identity for one in rows)

    assert (await found(), await found("subject-2")) == (["a", "b"], [])
    assert await store.replace_config_ending_grant(
        records[0].key, _change(records[0], None), grant_id="ended", revocation=None
    )
    assert await found() == ["b"]
    assert await disconnect(store, records[1].key)
    assert await found() == []


async def a_connectors_connections_are_listed_in_pages(store: Store) -> None:
    """Of all tenants, each once, without those of other connectors or disconnected ones."""
    names = [("a", "one"), ("a", "two"), ("b", "one"), ("c", "one"), ("d", "one")]
    keys = [key_of(tenant, "mail", account) for tenant, account in names]
    for key in reversed(keys):
        _ = await inserted(store, record_of(key))
    for other in (key_of("a", "alpha"), key_of("b", "shop")):
        _ = await inserted(store, record_of(other))
    gone = await inserted(store, replace(record_of(key_of("e")), grant=grant_of()))
    assert await disconnect(store, gone.key)
    listed, after = list[str](), None
    for _ in range(4):
        page = await store.routing.list_of_connector("mail", after=after, limit=2)
        listed += [f"{one.key.identity} {one.key.account}" for one in page]
        after = page[-1].key if page else after
    assert listed == [f"{tenant} {account}" for tenant, account in names]


async def an_account_is_corrected_for_the_row_that_was_read(store: Store) -> None:
    """Only if the version is the one that was read; the version stays."""
    record = await inserted(store, replace(record_of(), upstream="stale"))

    async def correct(version: int, row: str, account: str | None) -> bool:
        return await store.routing.correct_account(
            record.key, row=row, version=version, account=account
        )

    assert not await correct(2, record.id, "team")
    assert not await correct(1, "another row", "team")
    assert await _found(store, "stale") == ["acme"]
    assert await correct(1, record.id, "team")
    assert (await _found(store, "stale"), await _found(store, "team")) == ([], ["acme"])
    assert await store.find(record.key) == replace(record, upstream="team")
    assert await correct(1, record.id, None)
    assert await _found(store, "team") == []


ROUTING_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    connections_are_found_by_their_account,
    a_refused_config_changes_no_route,
    a_route_ends_with_the_grant_that_is_disconnected,
    connections_are_found_by_who_authorized_them,
    a_connectors_connections_are_listed_in_pages,
    an_account_is_corrected_for_the_row_that_was_read,
)
