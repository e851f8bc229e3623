"""Wrong wiring: raised inside `WrongWiring` while an application is built."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class BuildInvalid(Problem, frozen=True, tag="CONNECTOR_BUILD_INVALID"):
    """Two parts do not go together, or one is not usable."""

    reason: str
    says: ClassVar[str] = "{reason}"


@final
class BuildConfigRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_CONFIG_REQUIRED"):
    """A connector was given no config type, or something else than a msgspec.Struct."""

    connector: str
    says: ClassVar[str] = "{connector}: with_config(…) takes a msgspec.Struct subclass"


@final
class BuildScopesRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_SCOPES_REQUIRED"):
    """No kind of tenant was registered."""

    says: ClassVar[str] = "register a kind of tenant: add_scope(…)"


@final
class BuildConnectorsRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_CONNECTORS_REQUIRED"):
    """No connector was registered."""

    says: ClassVar[str] = "register a connector: add_connector(…)"


@final
class DatabaseRequired(Problem, frozen=True, tag="CONNECTOR_DATABASE_REQUIRED"):
    """No store was given."""

    says: ClassVar[str] = "give a store: with_database(SQLiteStore('connectors.db'))"


@final
class EncryptionSecretRequired(Problem, frozen=True, tag="CONNECTOR_ENCRYPTION_SECRET_REQUIRED"):
    """The secret to seal with is missing or short."""

    reason: str
    says: ClassVar[str] = (
        "{reason}; `igniter-connectors generate-secret` makes one, to be set as IGNITER_SECRET"
    )


@final
class SettingInvalid(Problem, frozen=True, tag="CONNECTOR_SETTING_INVALID"):
    """An environment variable or option that cannot be used."""

    setting: str
    reason: str
    says: ClassVar[str] = "{setting}: {reason}"
