"""Registering and addressing: connectors, tenants, accounts."""

from __future__ import annotations

from typing import ClassVar, final

from igniter_connectors.core.problem.base import Problem


@final
class ConnectorNotFound(Problem, frozen=True, tag="CONNECTOR_NOT_FOUND"):
    """No connector with this key is registered."""

    connector: str
    says: ClassVar[str] = "no connector {connector!r} is registered"


@final
class ProviderNotKnown(Problem, frozen=True, tag="CONNECTOR_PROVIDER_NOT_KNOWN"):
    """The catalogue of OAuth providers has none with this key."""

    provider: str
    says: ClassVar[str] = "the catalogue has no provider {provider!r}"


@final
class ScopeInvalid(Problem, frozen=True, tag="CONNECTOR_SCOPE_INVALID"):
    """A kind of tenant that is not registered, or an identity that cannot be stored."""

    scope: str
    reason: str
    says: ClassVar[str] = "scope {scope!r}: {reason}"


@final
class ScopeIdentifierRequired(Problem, frozen=True, tag="CONNECTOR_SCOPE_IDENTIFIER_REQUIRED"):
    """A kind of tenant that needs an identity was given none."""

    scope: str
    says: ClassVar[str] = "scope {scope!r} needs an identity"


@final
class AccountInvalid(Problem, frozen=True, tag="CONNECTOR_ACCOUNT_INVALID"):
    """An account's name that cannot be stored: empty, over 255 characters, not printable."""

    connector: str
    says: ClassVar[str] = "{connector}: an account's name has 1 to 255 printable characters"
