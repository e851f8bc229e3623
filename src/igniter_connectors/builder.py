"""The fluent builder of a manager."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Generic, Never, final

import msgspec
from returns.pipeline import is_successful
from typing_extensions import TypeVar

from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.event import Connected, Disconnected, ErrorOccurred, Event
from igniter_connectors.core.http.base_url import parse_base_url
from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.core.problem import (
    BuildConnectorsRequired,
    BuildInvalid,
    BuildScopesRequired,
    DatabaseRequired,
    EncryptionSecretRequired,
    WrongWiring,
)
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits, limits_fault
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.registration import Parts
from igniter_connectors.ports import Clock, Entropy, Observer, Store
from igniter_connectors.settings import Settings


class Missing:
    """Typestate: not given yet."""


Ctx = TypeVar("Ctx")
NewConf = TypeVar("NewConf", bound=msgspec.Struct)
NewScope = TypeVar("NewScope", bound=Scope)
Database = TypeVar("Database")
Encryption = TypeVar("Encryption")
C_co = TypeVar("C_co", bound=msgspec.Struct, covariant=True)
S_co = TypeVar("S_co", bound=Scope, covariant=True)
E = TypeVar("E", bound=Event)


@final
class ConnectorManager:
    """Where a manager begins: `ConnectorManager.create()….build()`."""

    @staticmethod
    def create() -> ManagerBuilder[Missing, Missing, Never, Never]:
        """A builder of a manager with nothing in it."""
        return ManagerBuilder(Parts())


@final
class ManagerBuilder(Generic[Database, Encryption, C_co, S_co]):
    """Immutable: every method returns a new builder that lost nothing of the one before."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def with_database(self, store: Store) -> ManagerBuilder[Store, Encryption, C_co, S_co]:
        """Where connections are kept: `SQLiteStore(path)`, or a store of one's own."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, store=store))

    def with_encryption(self, keyring: Keyring) -> ManagerBuilder[Database, Keyring, C_co, S_co]:
        """The keys. What is typed `Secret` is what is sealed."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, keyring=keyring))

    def with_settings(self, settings: Settings) -> ManagerBuilder[Store, Keyring, C_co, S_co]:
        """Database, encryption and base URL as the settings say.

        Raises:
            WrongWiring: one of them is missing or cannot be used.
        """
        return ManagerBuilder(
            msgspec.structs.replace(
                self._parts,
                store=settings.store(),
                keyring=settings.keyring(),
                base_url=settings.base_url or self._parts.base_url,
            )
        )

    def with_base_url(self, url: str) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Where users and providers reach our routes: `https://app.example.com/integrations`.

        Needed for OAuth and webhooks. Redirect URIs are built from it, never from a Host
        header.

        Raises:
            WrongWiring: neither https, nor http on a loopback host.
        """
        base = parse_base_url(url)
        if not is_successful(base):
            raise WrongWiring(base.failure())
        return ManagerBuilder(msgspec.structs.replace(self._parts, base_url=base.unwrap()))

    def allow_return_to(self, *urls: str) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Places on other sites to which a browser may be sent after an authorization.

        Each is compared whole, character by character.
        """
        allowed = self._parts.return_urls | frozenset(urls)
        return ManagerBuilder(msgspec.structs.replace(self._parts, return_urls=allowed))

    def with_delivery_limits(
        self, limits: DeliveryLimits
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """How many webhooks this process receives and handles at once.

        Raises:
            WrongWiring: a number or a time that cannot be kept to.
        """
        fault = limits_fault(limits)
        if fault is not None:
            raise WrongWiring(BuildInvalid(fault))
        return ManagerBuilder(msgspec.structs.replace(self._parts, limits=limits))

    def with_logger(
        self, logger: logging.Logger
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Another logger than `igniter_connectors`."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, logger=logger))

    def with_telemetry(
        self, observer: Observer
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Told of each event at once, in the caller's time."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, observer=observer))

    def with_http(self, http: HttpClient) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Another way to send requests than httpx, for proxies and tests."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, http=http))

    def with_clock(self, clock: Clock) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Another clock than the system's, for tests."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, clock=clock))

    def with_entropy(self, entropy: Entropy) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Another source of randomness than the system's, for tests and for hardware."""
        return ManagerBuilder(msgspec.structs.replace(self._parts, entropy=entropy))

    def add_scope(
        self, kind: type[NewScope]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co | NewScope]:
        """A kind of tenant.

        Raises:
            WrongWiring: no subclass with a tag of its own, or one with more fields than
                the identity.
        """
        tag = kind.__struct_config__.tag
        if kind is Scope or not isinstance(tag, str) or tag == kind.__name__:
            raise WrongWiring(
                BuildInvalid(
                    f"{kind.__name__}: subclass Scope with tag='…', its name in the database"
                )
            )
        if kind.__struct_fields__ != ("identity",):
            raise WrongWiring(BuildInvalid(f"{kind.__name__}: a scope has its identity alone"))
        if any(known.__struct_config__.tag == tag for known in self._parts.kinds):
            raise WrongWiring(BuildInvalid(f"two kinds of tenant share the tag {tag!r}"))
        kinds = (*self._parts.kinds, kind)
        return ManagerBuilder(msgspec.structs.replace(self._parts, kinds=kinds))

    def add_connector(
        self, connector: Definition[NewConf, Ctx, NewConf]
    ) -> ManagerBuilder[Database, Encryption, C_co | NewConf, S_co]:
        """A connector.

        Raises:
            WrongWiring: another one has its key or its config type.
        """
        for other in self._parts.connectors:
            if other.key == connector.key or other.schema.kind is connector.schema.kind:
                raise WrongWiring(
                    BuildInvalid(
                        f"{other.key!r} and {connector.key!r} share a key or a config type"
                    )
                )
        connectors = (*self._parts.connectors, connector)
        return ManagerBuilder(msgspec.structs.replace(self._parts, connectors=connectors))

    def on_connect(
        self, handler: Callable[[Connected], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Told after a tenant connected."""
        return self.on(Connected, handler)

    def on_disconnect(
        self, handler: Callable[[Disconnected], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Told after a tenant disconnected."""
        return self.on(Disconnected, handler)

    def on_error(
        self, handler: Callable[[ErrorOccurred], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Told after a handler or hook raised: type, frames and redacted text."""
        return self.on(ErrorOccurred, handler)

    def on(
        self, kind: type[E], handler: Callable[[E], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Told of one kind of event; `Event` means all.

        A handler runs beside the operation, in order, never in its way; one that fails or
        hangs is logged.
        """
        subscribers = (*self._parts.subscribers, (kind, handler))
        return ManagerBuilder(msgspec.structs.replace(self._parts, subscribers=subscribers))

    def build(
        self: ManagerBuilder[Store, Keyring, NewConf, NewScope],
    ) -> Connectors[NewConf, NewScope]:
        """The manager, not opened yet.

        Raises:
            WrongWiring: no database, keyring, scope or connector.
        """
        parts = self._parts
        if parts.store is None:
            raise WrongWiring(DatabaseRequired())
        if parts.keyring is None:
            raise WrongWiring(EncryptionSecretRequired("give a keyring: with_encryption(…)"))
        if not parts.kinds:
            raise WrongWiring(BuildScopesRequired())
        if not parts.connectors:
            raise WrongWiring(BuildConnectorsRequired())
        # dependency-injector is loaded here, not by `import igniter_connectors`.
        from igniter_connectors.container import build_manager

        return build_manager(parts)
