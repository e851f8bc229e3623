"""Problems of wiring an application. `WrongWiring` raises them while it is built."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class BuildInvalid(Problem, frozen=True, tag="CONNECTOR_BUILD_INVALID"):
    """Two parts do not fit together, or one cannot be used."""

    reason: str
    template: ClassVar[str] = "{reason}"


@final
class BuildConfigRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_CONFIG_REQUIRED"):
    """The connector has no config type, or its type is not a msgspec.Struct."""

    connector: str
    template: ClassVar[str] = "{connector}: with_config(…) takes a msgspec.Struct subclass"


@final
class BuildScopesRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_SCOPES_REQUIRED"):
    """No scope was registered."""

    template: ClassVar[str] = "register a scope (a kind of tenant): add_scope(…)"


@final
class BuildConnectorsRequired(Problem, frozen=True, tag="CONNECTOR_BUILD_CONNECTORS_REQUIRED"):
    """No connector was registered."""

    template: ClassVar[str] = "register a connector: add_connector(…)"


@final
class DatabaseRequired(Problem, frozen=True, tag="CONNECTOR_DATABASE_REQUIRED"):
    """No store was configured."""

    template: ClassVar[str] = "configure a store: with_database(SQLiteStore('connectors.db'))"


@final
class EncryptionSecretRequired(Problem, frozen=True, tag="CONNECTOR_ENCRYPTION_SECRET_REQUIRED"):
    """The encryption secret is missing or too weak."""

    reason: str
    template: ClassVar[str] = (
        "{reason}; `igniter-connectors generate-secret` makes one: set it as IGNITER_SECRET"
    )


@final
class SettingInvalid(Problem, frozen=True, tag="CONNECTOR_SETTING_INVALID"):
    """The value of an environment variable or option cannot be used."""

    setting: str
    reason: str
    template: ClassVar[str] = "{setting}: {reason}"
