"""A database on several hosts, the first of which accepts connections and never answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import cast

import psycopg
import pytest

from igniter_connectors.adapters.postgres import PostgresStore
from igniter_connectors.adapters.postgres.hosts import Hosts
from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.ports import StoreUnavailable
from tests.postgres.databases import name_in
from tests.postgres.server import Server

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ConnectionKey("organization", "acme", "mail")


@contextmanager
def silent_host() -> Generator[int, None, None]:
    """The port of a host that accepts every connection and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def two_hosts(port: int, folder: Path, url: str, more: str = "") -> str:
    """The silent host first, then the server's socket."""
    return f"host=127.0.0.1,{folder} port={port},5432 user=postgres dbname={name_in(url)} {more}"


@pytest.mark.parametrize("more", ["", "target_session_attrs=read-write"])
async def test_a_store_opens_migrates_and_listens_behind_a_silent_host(
    more: str, own_server: Server, own_database_url: str
) -> None:
    """Its first calls succeed too, because the host that responded is now tried first."""
    woken = asyncio.Event()
    with silent_host() as port:
        store = PostgresStore(two_hosts(port, own_server.folder, own_database_url, more))
        assert await store.plan() == []
        assert await store.migrate() == []
        await store.open()
        try:
            found = await asyncio.gather(*(store.find(KEY) for _ in range(50)))
            assert set(found) == {None}
            listening = asyncio.create_task(store.inbox.listen(woken.set))
            async with asyncio.timeout(20):
                await woken.wait()
                woken.clear()
                with psycopg.connect(own_database_url, autocommit=True) as other:
                    other.execute("NOTIFY igniter_webhooks")
                await woken.wait()
            listening.cancel()
        finally:
            await store.close()


async def test_new_connections_go_to_the_host_that_answers(
    own_server: Server, own_database_url: str
) -> None:
    """After all connections broke, no call waits for the silent host."""
    with silent_host() as port:
        store = PostgresStore(two_hosts(port, own_server.folder, own_database_url))
        await store.open()
        try:
            for _ in range(3):
                assert await store.find(KEY) is None
                with psycopg.connect(own_database_url, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
        finally:
            await store.close()


@pytest.mark.parametrize("in_url", [True, False])
async def test_the_users_own_connect_timeout_is_used(
    in_url: bool, own_server: Server, own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the URL or `PGCONNECT_TIMEOUT`, and not the deadline of a call."""
    if not in_url:
        monkeypatch.setenv("PGCONNECT_TIMEOUT", "3")
    with silent_host() as port:
        more = "connect_timeout=3" if in_url else ""
        url = f"host=127.0.0.1 port={port} user=postgres {more}"
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            await PostgresStore(url).open()
        assert monotonic() - began >= 2.9


async def test_a_read_only_server_is_left(own_server: Server, own_database_url: str) -> None:
    """A connection that reports "read-only" is closed: the next one may reach the new primary."""
    store = PostgresStore(own_database_url, min_size=1, max_size=1)
    await store.open()
    try:
        with psycopg.connect(own_database_url, autocommit=True) as owner:
            name = name_in(own_database_url)
            owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            with pytest.raises(StoreUnavailable, match="read-only"):
                await store.disconnect(KEY, revocation=None, now=_NOW)
            owner.execute("SET default_transaction_read_only = off")
            owner.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
        # The pool may have replaced the connection before the change.
        with suppress(StoreUnavailable):
            _ = await store.disconnect(KEY, revocation=None, now=_NOW)
        assert await store.disconnect(KEY, revocation=None, now=_NOW) is None
    finally:
        await store.close()


# --- the order, without a server ----------------------------------------------------------------


class Made:
    """As much of a connection as says where it was made to."""

    def __init__(self, host: str, hostaddr: str, port: int) -> None:
        self.info = self
        self.host, self.hostaddr, self.port = host, hostaddr, port


def answered(hosts: Hosts, host: str, port: int, hostaddr: str = "") -> None:
    made = Made(host, hostaddr, port)
    hosts.answered(cast("psycopg.AsyncConnection[tuple[object, ...]]", made))  # all it reads


def test_the_host_that_responded_is_first_for_half_a_minute() -> None:
    """Then the order of the URL counts again, however often the other has responded since."""
    now = [100.0]
    url = "host=a,b,c port=1,2,3 dbname=x"
    hosts = Hosts(url, lambda: now[0])
    answered(hosts, "a", 1)
    assert hosts.url() == url
    answered(hosts, "b", 2)
    assert "host=b,a,c" in hosts.url()
    assert "port=2,1,3" in hosts.url()
    now[0] += 29
    answered(hosts, "b", 2)
    assert "host=b,a,c" in hosts.url()
    now[0] += 1
    assert hosts.url() == url
    answered(hosts, "c", 3)
    assert "host=c,a,b" in hosts.url()


def test_hosts_may_differ_only_by_port_or_address() -> None:
    """One port for all; one host on several ports; addresses without names."""
    hosts = Hosts("postgresql://u:p@a,b/x", lambda: 0.0)
    answered(hosts, "b", 5432)
    assert "host=b,a" in hosts.url()
    hosts = Hosts("host=a,a port=1,2", lambda: 0.0)
    answered(hosts, "a", 2)
    assert "port=2,1" in hosts.url()
    hosts = Hosts("hostaddr=127.0.0.1,127.0.0.2", lambda: 0.0)
    answered(hosts, "", 5432, "127.0.0.2")
    assert "hostaddr=127.0.0.2,127.0.0.1" in hosts.url()


def test_one_host_is_always_first() -> None:
    """The URL is unchanged."""
    hosts = Hosts("postgresql://u:p@a/x", lambda: 0.0)
    answered(hosts, "a", 5432)
    assert hosts.url() == "postgresql://u:p@a/x"


def test_the_connect_timeout_is_two_seconds_a_host() -> None:
    """Unless the user sets another."""
    assert Hosts("host=a,b", lambda: 0.0).connect_seconds == 2
    assert Hosts("host=a,b connect_timeout=9", lambda: 0.0).connect_seconds == 9
    assert Hosts("host=a,b", lambda: 0.0).all_seconds >= 4
    assert "canary" not in repr(Hosts("postgresql://u:canary@a/x", lambda: 0.0))
