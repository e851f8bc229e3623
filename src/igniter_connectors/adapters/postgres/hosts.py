"""The hosts of a database's URL: how long each may take to accept, and which is tried first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from igniter_connectors.ports import StoreUnavailable

_PORT: Final = "5432"

# The shortest time-out for connecting in libpq and psycopg.
_CONNECT_SECONDS: Final = 2

# How long another host than the URL's first is tried first, after the first did not accept.
_PREFER_SECONDS: Final = 30.0

# A name may have several addresses, and its server may take long to name them.
_MORE_ADDRESSES: Final = 3


@final
class Hosts:
    """The URL for the next connection, with the host first that answered last.

    A host that is frozen accepts a connection and then says nothing. Without this order each new
    connection would wait for it first. The URL's own order counts again after half a minute.

    Attributes:
        options: What the URL says of `options`.
        connect_seconds: How long one host may take: `connect_timeout` in the URL or in
            `PGCONNECT_TIMEOUT`, or else 2.
    """

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error:  # its message quotes the URL
            raise StoreUnavailable("PostgreSQL: the database's URL cannot be read") from None
        known = {**_defaults(), **{name: str(value) for name, value in given.items()}}
        self._url = url
        self._now = now
        self.options: str = known.get("options", "")
        self.connect_seconds: int = int(known.get("connect_timeout") or _CONNECT_SECONDS)
        self._hosts = _listed(known, "host")
        self._addresses = _listed(known, "hostaddr")
        self._ports = _listed(known, "port")
        self._count = max(len(self._hosts), len(self._addresses), 1)
        self._preferred = 0
        self._preferred_until = 0.0

    @property
    def all_seconds(self) -> float:
        """How long connecting may take in all: each host has its time."""
        return self.connect_seconds * (self._count + _MORE_ADDRESSES)

    def url(self) -> str:
        """The URL, as it is while the host that it names first answers."""
        first = self._first()
        if first == 0:
            return self._url
        order = [first, *(place for place in range(self._count) if place != first)]
        lists = {"host": self._hosts, "hostaddr": self._addresses, "port": self._ports}
        changed = {
            name: ",".join(values[place] for place in order)
            for name, values in lists.items()
            if len(values) == self._count
        }
        return make_conninfo(self._url, **changed)

    def answered(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        """Remembers which host a connection was made to."""
        place = self._place_of(connection.info)
        if self._count > 1 and place != self._first():
            self._preferred = place
            self._preferred_until = self._now() + _PREFER_SECONDS

    def _first(self) -> int:
        return self._preferred if self._now() < self._preferred_until else 0

    def _place_of(self, info: psycopg.ConnectionInfo) -> int:
        names, name = (self._hosts, info.host) if self._hosts else (self._addresses, info.hostaddr)
        for place in range(self._count):
            # A URL may give a port to some of its hosts.
            port = self._ports[place] or _PORT if len(self._ports) > 1 else str(info.port)
            if (names[place : place + 1], port) == ([name], str(info.port)):
                return place
        return 0


def _defaults() -> dict[str, str]:
    """What libpq takes from the environment, and its own defaults."""
    return {
        option.keyword.decode(): option.val.decode()
        for option in pq.Conninfo.get_defaults()
        if option.val
    }


def _listed(known: Mapping[str, str], name: str) -> list[str]:
    return known[name].split(",") if known.get(name) else []
