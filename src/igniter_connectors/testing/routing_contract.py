"""Accounts at providers: which connections belong to one. A part of `STORE_CONTRACT`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionRecord, Grant
from igniter_connectors.ports import Store
from igniter_connectors.testing.contract_events import (
    KEY,
    NOW,
)


async def connections_are_found_by_their_account(store: Store) -> None:
    """Connections of any tenant are found, if their row was added to the account."""
    records = []
    for number in range(3):
        key = replace(KEY, identity=f"tenant-{number}")
        record = ConnectionRecord(key, f"row-{number}", b"{}", b"s", True, 1, NOW, NOW)
        await store.routing.add_account(key, row=record.id, account="team")
        assert await store.insert(record)
        records.append(record)
    other_row = replace(KEY, identity="tenant-0")
    await store.routing.add_account(other_row, row="gone", account="another team")

    async def found(account: str, connector: str = "mail") -> list[str]:
        return sorted(one.id for one in await store.routing.find_by_account(connector, account))

    assert await found("team") == ["row-0", "row-1", "row-2"]
    assert await found("team", "shop") == []
    assert await found("another team") == []
    first = records[0]
    assert await store.routing.find_by_account("mail", "team") != []
    await store.routing.add_account(first.key, row=first.id, account="new team")
    await store.routing.add_account(first.key, row=first.id, account="new team")
    assert (await found("team"), await found("new team")) == (
        ["row-0", "row-1", "row-2"],
        ["row-0"],
    )
    await store.routing.keep_account(first.key, row=first.id, account="new team")
    assert (await found("team"), await found("new team")) == (["row-1", "row-2"], ["row-0"])
    await store.routing.forget_accounts(first.key)
    assert await found("new team") == []
    assert await store.disconnect(records[1].key, revocation=None, now=NOW) is not None
    assert await found("team") == ["row-2"]


async def connections_are_found_by_who_authorized_them(store: Store) -> None:
    """Connections of any tenant are found, only at the given connector."""
    grant = Grant(b"sealed", 1, "grant", (), True, NOW, subject="subject-1")
    for number, connector in enumerate(("mail", "mail", "shop")):
        key = replace(KEY, identity=f"tenant-{number}", connector=connector)
        record = ConnectionRecord(key, f"row-{number}", b"{}", b"s", True, 1, NOW, NOW, grant=grant)
        assert await store.insert(record)
    plain = ConnectionRecord(KEY, "row-9", b"{}", b"s", True, 1, NOW, NOW)
    assert await store.insert(plain)
    found = await store.routing.find_by_subject("mail", "subject-1")
    assert sorted(one.id for one in found) == ["row-0", "row-1"]
    assert await store.routing.find_by_subject("mail", "subject-2") == []


ROUTING_CONTRACT: tuple[Callable[[Store], Awaitable[None]], ...] = (
    connections_are_found_by_their_account,
    connections_are_found_by_who_authorized_them,
)
