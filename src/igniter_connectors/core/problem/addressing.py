"""Problems of addressing: unknown connectors, providers, tenants, accounts and parameters."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.problem import Problem


@final
class ConnectorNotFound(Problem, frozen=True, tag="CONNECTOR_NOT_FOUND"):
    """No connector with this key is registered."""

    connector: str
    template: ClassVar[str] = "no connector {connector!r} is registered"


@final
class ProviderNotKnown(Problem, frozen=True, tag="CONNECTOR_PROVIDER_NOT_KNOWN"):
    """The catalogue has no OAuth provider with this key."""

    provider: str
    template: ClassVar[str] = "the catalogue has no provider {provider!r}"


@final
class ScopeInvalid(Problem, frozen=True, tag="CONNECTOR_SCOPE_INVALID"):
    """The scope is not registered, or its identity cannot be stored."""

    scope: str
    reason: str
    template: ClassVar[str] = "scope {scope!r}: {reason}"


@final
class ScopeIdentifierRequired(Problem, frozen=True, tag="CONNECTOR_SCOPE_IDENTIFIER_REQUIRED"):
    """The scope needs an identity, and none was given."""

    scope: str
    template: ClassVar[str] = "scope {scope!r} needs an identity"


@final
class AccountInvalid(Problem, frozen=True, tag="CONNECTOR_ACCOUNT_INVALID"):
    """The account name cannot be stored: empty, over 255 characters, or not printable."""

    connector: str
    template: ClassVar[str] = "{connector}: an account name must have 1 to 255 printable characters"


@final
class ParameterInvalid(Problem, frozen=True, tag="CONNECTOR_PARAMETER_INVALID"):
    """A query or path parameter of an HTTP request has the wrong type. The value is not kept."""

    parameter: str
    template: ClassVar[str] = "parameter {parameter!r} has no valid value"
