"""Settings from environment variables. No other module reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec
from returns.pipeline import is_successful

from igniter_connectors.core.http.base_url import BaseUrl, parse_base_url
from igniter_connectors.core.problem import SettingInvalid, WrongWiring
from igniter_connectors.core.sealing.key_derivation import SEPARATOR
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.secret import Secret
from igniter_connectors.ports import Store


class Settings(msgspec.Struct, frozen=True):
    """The settings of an application.

    Attributes:
        secret: `IGNITER_SECRET`, from which the encryption keys are derived; at least 32 random
            characters, without commas and white space.
        previous_secrets: `IGNITER_SECRET_PREVIOUS`, older secrets, separated by commas or spaces.
        database_url: `DATABASE_URL`: `sqlite:///file`, `sqlite:////absolute/file` or
            `postgresql://…` in the form of libpq. It may contain a password, so it is a secret.
        base_url: `IGNITER_BASE_URL` followed by `IGNITER_BASE_PATH`; None if the first is not
            set.
    """

    secret: Secret | None = None
    previous_secrets: tuple[Secret, ...] = ()
    database_url: Secret | None = None
    base_url: BaseUrl | None = None

    @staticmethod
    def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
        """Reads the environment, or the given mapping instead.

        Raises:
            WrongWiring: a value is invalid. The message does not contain it.
        """
        variables = os.environ if environment is None else environment
        secret, database_url = variables.get("IGNITER_SECRET"), variables.get("DATABASE_URL")
        previous = SEPARATOR.split(variables.get("IGNITER_SECRET_PREVIOUS", "").strip())
        return Settings(
            Secret(secret) if secret else None,
            tuple(Secret(text) for text in previous if text),
            Secret(database_url) if database_url else None,
            _base_url(
                variables.get("IGNITER_BASE_URL", ""), variables.get("IGNITER_BASE_PATH", "")
            ),
        )

    def keyring(self) -> Keyring:
        """The keyring of the secrets.

        Raises:
            WrongWiring: the secret is missing, too short, or has a comma or white space.
        """
        return Keyring.from_secret(self.secret, self.previous_secrets)

    def store(self) -> Store:
        """The store of `DATABASE_URL`.

        Raises:
            WrongWiring: the URL is missing, or no store supports its database.
        """
        if self.database_url is None:
            raise _setting_invalid("DATABASE_URL", "is not set: sqlite:///connectors.db, for one")
        return _store(self.database_url.reveal())


def _base_url(url: str, path: str) -> BaseUrl | None:
    if not url:
        return None
    base = parse_base_url(url.rstrip("/") + "/" + path.strip("/"))
    if not is_successful(base):
        raise _setting_invalid("IGNITER_BASE_URL", base.failure().reason)
    return base.unwrap()


def _store(url: str) -> Store:
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        # As in SQLAlchemy: three slashes before a relative path, four before an absolute one.
        path = rest.removeprefix("/")
        if not rest.startswith("/") or not path:
            raise _setting_invalid(
                "DATABASE_URL", "for SQLite is sqlite:///file, or sqlite:////absolute/file"
            )
        from igniter_connectors.adapters.sqlite import SQLiteStore

        return SQLiteStore(path)
    if scheme in ("postgresql", "postgres"):
        from igniter_connectors.adapters.postgres import PostgresStore

        return PostgresStore(url)
    raise _setting_invalid("DATABASE_URL", "is sqlite:///file or postgresql://…")


def _setting_invalid(setting: str, reason: str) -> WrongWiring:
    return WrongWiring(SettingInvalid(setting, reason))
