"""Reading connections: one, or pages of them."""

from __future__ import annotations

import msgspec
from returns.result import Failure

from igniter_connectors import (
    MemoryStore,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.problem import (
    DecryptFailed,
    NotConnected,
)
from igniter_connectors.flows.connections.read_connection import (
    count_connections,
    explain_connection,
    get_connection,
    list_connections,
)
from igniter_connectors.problems import DatabaseFailed
from tests.flows.forge import KEY, away, forge
from tests.sample import (
    CANARY,
    Organization,
    Say,
    System,
    bot,
    config,
    running_bot,
    say,
)

ACME = Organization("acme")


async def test_what_was_connected_is_read_back_opened() -> None:
    """The config comes back as it was given; the first version is 1."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        connected = value_or_raise(await at.connect(config()))
        assert connected == value_or_raise(await at.get())
        assert (connected.config, connected.version) == (config(), 1)
        assert (connected.enabled, connected.health) == (True, "ok")


async def test_tenants_and_accounts_are_apart() -> None:
    """Neither another tenant, nor another kind of one, nor another account sees it."""
    async with running_bot() as connectors:
        value_or_raise(await connectors.scope(ACME).at(bot, account="work").connect(config()))
        for at in (
            connectors.scope(ACME).at(bot),
            connectors.scope(Organization("acme2")).at(bot, account="work"),
            connectors.scope(System("acme")).at(bot, account="work"),
        ):
            assert isinstance(problem_of(await at.get()), NotConnected)
        assert value_or_raise(await connectors.scope(ACME).count()) == 1
        assert value_or_raise(await connectors.scope(System()).count()) == 0


async def test_a_row_moved_to_another_tenant_does_not_open() -> None:
    """Whoever can write to the database still cannot read another tenant's secrets."""
    store = MemoryStore()
    async with running_bot(store) as connectors:
        value_or_raise(await connectors.scope(ACME).at(bot).connect(config()))
        (row,) = await store.list("organization", "acme", after=None, limit=9)
        moved = msgspec.structs.replace(
            row, key=msgspec.structs.replace(row.key, identity="mallory")
        )
        assert await store.insert(moved)
        mallory = connectors.scope(Organization("mallory")).at(bot)
        assert await mallory.get() == Failure(DecryptFailed("bot"))
        assert await mallory.action(say).call(Say("hi")) == Failure(DecryptFailed("bot"))
        assert value_or_raise(await mallory.explain()).state == "broken"


async def test_one_broken_row_leaves_the_others_listed() -> None:
    """It is listed too, as broken, without its config."""
    store = MemoryStore()
    async with running_bot(store) as connectors:
        acme = connectors.scope(ACME)
        for i in range(5):
            value_or_raise(await acme.at(bot, account=f"a{i}").connect(config()))
        rows = await store.list("organization", "acme", after=None, limit=9)
        await store.disconnect(rows[2].key, revocation=None, now=rows[2].updated_at)
        await store.insert(msgspec.structs.replace(rows[2], sealed_config=b"\x01garbage"))
        page = value_or_raise(await acme.list())
        assert [one.health for one in page.items] == ["ok", "ok", "broken", "ok", "ok"]
        assert [one.config for one in page.items][2] == {}
        assert page.items[0].config == {"chat": "42", "token": "••••••••"}
        assert CANARY not in repr(page)


async def test_pages_follow_one_another() -> None:
    """Each connection once, and no cursor after the last."""
    async with running_bot() as connectors:
        acme = connectors.scope(ACME)
        for i in range(7):
            value_or_raise(await acme.at(bot, account=f"a{i}").connect(config()))
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = value_or_raise(await acme.list(limit=3, after=cursor))
            seen += [one.account for one in page.items]
            if (cursor := page.next) is None:
                break
        assert seen == [f"a{i}" for i in range(7)]
        assert value_or_raise(await acme.list(after="no cursor")).items[0].account == "a0"


async def test_an_authorized_connection_shows_its_account_and_scopes() -> None:
    """But no token."""
    made = forge()
    assert await get_connection(made.engine, made.connector, KEY) == Failure(NotConnected("forge"))
    await made.connect()
    connection = value_or_raise(await get_connection(made.engine, made.connector, KEY))
    authorization = connection.authorization
    assert authorization is not None
    assert (authorization.oauth_scopes, authorization.generation) == (("read",), 1)
    assert authorization.account == UpstreamAccount("u1", "Ada")
    assert "access-1" not in repr(connection)


async def test_a_connection_is_explained_without_a_request() -> None:
    """Also one that does not exist."""
    made = forge()
    explained = await explain_connection(made.engine, made.connector, KEY)
    assert value_or_raise(explained).state == "not_connected"
    await made.connect()
    sent = len(made.http.requests)
    explained = await explain_connection(made.engine, made.connector, KEY)
    assert (value_or_raise(explained).state, len(made.http.requests)) == ("working", sent)


async def test_a_database_that_is_away_is_a_problem() -> None:
    """For every way of reading."""
    made = forge()
    for name in ("find", "list", "count"):
        setattr(made.store, name, away)
    away_now = Failure(DatabaseFailed())
    assert await get_connection(made.engine, made.connector, KEY) == away_now
    assert await explain_connection(made.engine, made.connector, KEY) == away_now
    assert await list_connections(made.engine, ACME, limit=9, after=None) == away_now
    assert await count_connections(made.engine, ACME) == away_now
