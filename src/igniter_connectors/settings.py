"""What the environment says, decoded once. Read here, when asked, and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

import msgspec
from returns.pipeline import is_successful

from igniter_connectors.core.http.base_url import BaseUrl, parse_base_url
from igniter_connectors.core.problem import SettingInvalid, WrongWiring
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.secret import Secret
from igniter_connectors.ports import Store

_GAP: Final = re.compile(r"[\s,]+")


class Settings(msgspec.Struct, frozen=True):
    """The configuration.

    Attributes:
        secret: `IGNITER_SECRET`, what is sealed with; at least 32 random characters.
        previous_secrets: `IGNITER_SECRET_PREVIOUS`, older ones, commas or spaces between.
        database_url: `DATABASE_URL`: `sqlite:///file`, `sqlite:////absolute/file` or
            `postgresql://…`, as libpq reads it. It may hold a password, so it is a secret.
        base_url: `IGNITER_BASE_URL` with `IGNITER_BASE_PATH` behind it; None where the
            first is absent.
    """

    secret: Secret | None = None
    previous_secrets: tuple[Secret, ...] = ()
    database_url: Secret | None = None
    base_url: BaseUrl | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Reads the environment, or the mapping given in its place.

        Raises:
            WrongWiring: a value that cannot be used, in one line that does not repeat it.
        """
        given = os.environ if environment is None else environment
        secret, database_url = given.get("IGNITER_SECRET"), given.get("DATABASE_URL")
        previous = _GAP.split(given.get("IGNITER_SECRET_PREVIOUS", "").strip())
        return Settings(
            Secret(secret) if secret else None,
            tuple(Secret(one) for one in previous if one),
            Secret(database_url) if database_url else None,
            _base_url(given.get("IGNITER_BASE_URL", ""), given.get("IGNITER_BASE_PATH", "")),
        )

    def keyring(self) -> Keyring:
        """The keyring of the secrets.

        Raises:
            WrongWiring: the secret is missing or short.
        """
        return Keyring.from_secret(self.secret, self.previous_secrets)

    def store(self) -> Store:
        """The store that `DATABASE_URL` names.

        Raises:
            WrongWiring: it is missing, or names no database that there is a store for.
        """
        if self.database_url is None:
            raise _wrong("DATABASE_URL", "is not set: sqlite:///connectors.db, for one")
        return _store(self.database_url.reveal())


def _base_url(url: str, path: str) -> BaseUrl | None:
    if not url:
        return None
    base = parse_base_url(url.rstrip("/") + "/" + path.strip("/"))
    if not is_successful(base):
        raise _wrong("IGNITER_BASE_URL", base.failure().reason)
    return base.unwrap()


def _store(url: str) -> Store:
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        # As elsewhere: three slashes before a relative path, four before an absolute one.
        path = rest.removeprefix("/")
        if not rest.startswith("/") or not path:
            raise _wrong(
                "DATABASE_URL", "for SQLite is sqlite:///file, or sqlite:////absolute/file"
            )
        from igniter_connectors.adapters.sqlite import SQLiteStore

        return SQLiteStore(path)
    if scheme in ("postgresql", "postgres"):
        from igniter_connectors.adapters.postgres import PostgresStore

        return PostgresStore(url)
    raise _wrong("DATABASE_URL", "is sqlite:///file or postgresql://…")


def _wrong(setting: str, reason: str) -> WrongWiring:
    return WrongWiring(SettingInvalid(setting, reason))
