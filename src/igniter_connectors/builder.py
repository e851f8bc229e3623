"""The builder of a manager: `ConnectorManager.create()….build()`.

Its type parameters record what was given, so that a type checker refuses `build()` while the
database or the encryption is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, Never, final, overload

import msgspec
from returns.pipeline import is_successful
from typing_extensions import TypeVar

from igniter_connectors.core.connector.definition import Definition
from igniter_connectors.core.connector.handler_check import require_async
from igniter_connectors.core.event import Connected, Disconnected, ErrorOccurred, Event
from igniter_connectors.core.http.base_url import parse_base_url
from igniter_connectors.core.http.http_limits import HttpLimits, http_limits_fault
from igniter_connectors.core.http.messages import HttpClient
from igniter_connectors.core.problem import (
    BuildInvalid,
    WrongWiring,
)
from igniter_connectors.core.scope import Scope
from igniter_connectors.core.sealing.key_rotation import Keyring
from igniter_connectors.core.storable_text import is_header_text
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits, limits_fault
from igniter_connectors.manager.connectors import Connectors
from igniter_connectors.manager.registration import Registration
from igniter_connectors.ports import Clock, Entropy, Observer, Store
from igniter_connectors.settings import Settings

if TYPE_CHECKING:
    from igniter_connectors.container import Container


class Missing:
    """Typestate: not given so far."""


NewConf = TypeVar("NewConf", bound=msgspec.Struct)
NewScope = TypeVar("NewScope", bound=Scope)
K1 = TypeVar("K1", bound=msgspec.Struct)
K2 = TypeVar("K2", bound=msgspec.Struct)
K3 = TypeVar("K3", bound=msgspec.Struct)
K4 = TypeVar("K4", bound=msgspec.Struct)
K5 = TypeVar("K5", bound=msgspec.Struct)
K6 = TypeVar("K6", bound=msgspec.Struct)
K7 = TypeVar("K7", bound=msgspec.Struct)
K8 = TypeVar("K8", bound=msgspec.Struct)
Database = TypeVar("Database")
Encryption = TypeVar("Encryption")
C_co = TypeVar("C_co", bound=msgspec.Struct, covariant=True)
S_co = TypeVar("S_co", bound=Scope, covariant=True)
E = TypeVar("E", bound=Event)


@final
class ConnectorManager:
    """Starts a manager."""

    @staticmethod
    def create() -> ManagerBuilder[Missing, Missing, Never, Never]:
        """An empty builder."""
        return ManagerBuilder(Registration())


@final
class ManagerBuilder(Generic[Database, Encryption, C_co, S_co]):
    """Collects the parts of a manager. Immutable: every method returns a new builder."""

    def __init__(self, registration: Registration) -> None:
        self._registration = registration

    def with_database(self, store: Store) -> ManagerBuilder[Store, Encryption, C_co, S_co]:
        """Sets the store of the connections: `SQLiteStore(path)`, or a store of your own."""
        return ManagerBuilder(msgspec.structs.replace(self._registration, store=store))

    def with_encryption(self, keyring: Keyring) -> ManagerBuilder[Database, Keyring, C_co, S_co]:
        """Sets the keys that seal and open every field of type `Secret`."""
        return ManagerBuilder(msgspec.structs.replace(self._registration, keyring=keyring))

    def with_settings(self, settings: Settings) -> ManagerBuilder[Store, Keyring, C_co, S_co]:
        """Sets the database, the encryption and the base URL from the settings.

        Raises:
            WrongWiring: a setting is missing or invalid.
        """
        return ManagerBuilder(
            msgspec.structs.replace(
                self._registration,
                store=settings.store(),
                keyring=settings.keyring(),
                base_url=settings.base_url or self._registration.base_url,
            )
        )

    def with_base_url(self, url: str) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Sets the URL of the library's routes, such as `https://app.example.com/integrations`.

        OAuth and webhooks need it. Redirect URIs are built from it, never from a Host header.

        Raises:
            WrongWiring: the URL is neither https, nor http on a loopback host.
        """
        base = parse_base_url(url)
        if not is_successful(base):
            raise WrongWiring(base.failure())
        return ManagerBuilder(msgspec.structs.replace(self._registration, base_url=base.unwrap()))

    def allow_return_to(self, *urls: str) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Allows URLs on other sites as the place to which a browser returns after OAuth.

        A `return_to` on another site must equal one of them exactly.
        """
        allowed = self._registration.return_urls | frozenset(urls)
        return ManagerBuilder(msgspec.structs.replace(self._registration, return_urls=allowed))

    def with_delivery_limits(
        self, limits: DeliveryLimits
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Sets how many webhooks this process receives and handles concurrently.

        Raises:
            WrongWiring: a number or a time is out of range.
        """
        fault = limits_fault(limits)
        if fault is not None:
            raise WrongWiring(BuildInvalid(fault))
        return ManagerBuilder(msgspec.structs.replace(self._registration, limits=limits))

    def with_http_limits(
        self, limits: HttpLimits
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Sets how many HTTP requests this process sends at once: in all, for one tenant, and to
        one server. An HTTP client of your own needs room for twice `requests_at_once`.

        Raises:
            WrongWiring: a number is out of range.
        """
        fault = http_limits_fault(limits)
        if fault is not None:
            raise WrongWiring(BuildInvalid(fault))
        return ManagerBuilder(msgspec.structs.replace(self._registration, http_limits=limits))

    def with_logger(
        self, logger: logging.Logger
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Replaces the logger `igniter_connectors`."""
        return ManagerBuilder(msgspec.structs.replace(self._registration, logger=logger))

    def with_telemetry(
        self, observer: Observer
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Sets an observer, called synchronously for every event before the caller continues.

        Keep it fast.
        """
        return ManagerBuilder(msgspec.structs.replace(self._registration, observer=observer))

    def with_http(self, http: HttpClient) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Replaces the HTTP client that is built on httpx, for example in tests."""
        return ManagerBuilder(msgspec.structs.replace(self._registration, http=http))

    def with_user_agent(self, name: str) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Sets the `User-Agent` of every request, such as `Acme/1.0 (ops@acme.example)`.

        Some providers refuse or throttle requests that do not name the application. The default
        is the library's name and version. An action's own header takes precedence.

        Raises:
            WrongWiring: the name is empty, or has other characters than printable ASCII.
        """
        if not name.strip() or not is_header_text(name):
            raise WrongWiring(BuildInvalid("with_user_agent takes printable ASCII text"))
        return ManagerBuilder(msgspec.structs.replace(self._registration, user_agent=name))

    def with_clock(self, clock: Clock) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Replaces the system's clock, for tests."""
        return ManagerBuilder(msgspec.structs.replace(self._registration, clock=clock))

    def with_entropy(self, entropy: Entropy) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Replaces the system's random source, for tests or for a hardware source."""
        return ManagerBuilder(msgspec.structs.replace(self._registration, entropy=entropy))

    def with_container(
        self, container: type[Container]
    ) -> ManagerBuilder[Store, Encryption, C_co, S_co]:
        """Sets the composition root: a subclass of `Container` with other adapters.

        What `with_database`, `with_http`, `with_clock`, `with_entropy` and `with_logger` set
        takes precedence over the container. Because a container may bring a store, a type
        checker no longer asks for `with_database`; without any store `build` raises.

        Raises:
            WrongWiring: the argument is not a subclass of `igniter_connectors.container.Container`.
        """
        from igniter_connectors.container import Container

        if not (isinstance(container, type) and issubclass(container, Container)):
            raise WrongWiring(BuildInvalid(f"{container!r} is not a subclass of Container"))
        return ManagerBuilder(msgspec.structs.replace(self._registration, container=container))

    def add_scope(
        self, kind: type[NewScope]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co | NewScope]:
        """Registers a kind of tenant.

        Raises:
            WrongWiring: the type is not a subclass of `Scope` with a tag of its own, the tag is
                taken, or the type has fields beside `identity`.
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
        if any(known.__struct_config__.tag == tag for known in self._registration.kinds):
            raise WrongWiring(BuildInvalid(f"two kinds of tenant share the tag {tag!r}"))
        kinds = (*self._registration.kinds, kind)
        return ManagerBuilder(msgspec.structs.replace(self._registration, kinds=kinds))

    def add_connector(
        self, connector: Definition[NewConf, object, NewConf]
    ) -> ManagerBuilder[Database, Encryption, C_co | NewConf, S_co]:
        """Registers a connector.

        Raises:
            WrongWiring: another connector has the same key or the same config type.
        """
        return ManagerBuilder(_with_connectors(self._registration, connector))

    @overload
    def add_connectors(
        self, a: Definition[K1, object, K1], /
    ) -> ManagerBuilder[Database, Encryption, C_co | K1, S_co]: ...
    @overload
    def add_connectors(
        self, a: Definition[K1, object, K1], b: Definition[K2, object, K2], /
    ) -> ManagerBuilder[Database, Encryption, C_co | K1 | K2, S_co]: ...
    @overload
    def add_connectors(
        self,
        a: Definition[K1, object, K1],
        b: Definition[K2, object, K2],
        c: Definition[K3, object, K3],
        /,
    ) -> ManagerBuilder[Database, Encryption, C_co | K1 | K2 | K3, S_co]: ...
    @overload
    def add_connectors(
        self,
        a: Definition[K1, object, K1],
        b: Definition[K2, object, K2],
        c: Definition[K3, object, K3],
        d: Definition[K4, object, K4],
        /,
    ) -> ManagerBuilder[Database, Encryption, C_co | K1 | K2 | K3 | K4, S_co]: ...
    @overload
    def add_connectors(
        self,
        a: Definition[K1, object, K1],
        b: Definition[K2, object, K2],
        c: Definition[K3, object, K3],
        d: Definition[K4, object, K4],
        e: Definition[K5, object, K5],
        /,
    ) -> ManagerBuilder[Database, Encryption, C_co | K1 | K2 | K3 | K4 | K5, S_co]: ...
    @overload
    def add_connectors(
        self,
        a: Definition[K1, object, K1],
        b: Definition[K2, object, K2],
        c: Definition[K3, object, K3],
        d: Definition[K4, object, K4],
        e: Definition[K5, object, K5],
        f: Definition[K6, object, K6],
        /,
    ) -> ManagerBuilder[Database, Encryption, C_co | K1 | K2 | K3 | K4 | K5 | K6, S_co]: ...
    @overload
    def add_connectors(
        self,
        a: Definition[K1, object, K1],
        b: Definition[K2, object, K2],
        c: Definition[K3, object, K3],
        d: Definition[K4, object, K4],
        e: Definition[K5, object, K5],
        f: Definition[K6, object, K6],
        g: Definition[K7, object, K7],
        /,
    ) -> ManagerBuilder[Database, Encryption, C_co | K1 | K2 | K3 | K4 | K5 | K6 | K7, S_co]: ...
    @overload
    def add_connectors(
        self,
        a: Definition[K1, object, K1],
        b: Definition[K2, object, K2],
        c: Definition[K3, object, K3],
        d: Definition[K4, object, K4],
        e: Definition[K5, object, K5],
        f: Definition[K6, object, K6],
        g: Definition[K7, object, K7],
        h: Definition[K8, object, K8],
        /,
    ) -> ManagerBuilder[
        Database, Encryption, C_co | K1 | K2 | K3 | K4 | K5 | K6 | K7 | K8, S_co
    ]: ...
    def add_connectors(
        self, *connectors: Definition[Any, object, Any]
    ) -> ManagerBuilder[Database, Encryption, Any, S_co]:
        """Registers one to eight connectors. Chain the calls for more.

        Prefer it to `add_connector` for many connectors: pyright gives up on a chain of more
        than about 120 calls and then infers no type at all, without an error.

        Raises:
            WrongWiring: two connectors have the same key or the same config type.
        """
        return ManagerBuilder(_with_connectors(self._registration, *connectors))

    def on_connect(
        self, handler: Callable[[Connected], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Subscribes to tenants that connected."""
        return self.on(Connected, handler)

    def on_disconnect(
        self, handler: Callable[[Disconnected], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Subscribes to tenants that disconnected."""
        return self.on(Disconnected, handler)

    def on_error(
        self, handler: Callable[[ErrorOccurred], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Subscribes to exceptions of handlers and hooks: type, frames and redacted text."""
        return self.on(ErrorOccurred, handler)

    def on(
        self, kind: type[E], handler: Callable[[E], Awaitable[None]]
    ) -> ManagerBuilder[Database, Encryption, C_co, S_co]:
        """Subscribes to one kind of event; `Event` means every kind.

        The handler runs in the background, one event after another. It never delays or fails
        the operation. A handler that raises or exceeds its time limit is logged.

        Raises:
            WrongWiring: the handler is not an async function of one argument.
        """
        require_async(handler, f"the handler of {kind.__name__}")
        subscribers = (*self._registration.subscribers, (kind, handler))
        return ManagerBuilder(msgspec.structs.replace(self._registration, subscribers=subscribers))

    def build(
        self: ManagerBuilder[Store, Keyring, NewConf, NewScope],
    ) -> Connectors[NewConf, NewScope]:
        """The manager, not open yet: use it as `async with connectors:`.

        Raises:
            WrongWiring: the database, the keyring, the scopes or the connectors are missing.
        """
        # Imported here because dependency-injector is slow to import.
        from igniter_connectors.container import build_manager

        return build_manager(self._registration)


def _with_connectors(
    registration: Registration, *connectors: Definition[Any, object, Any]
) -> Registration:
    known = registration.connectors
    for connector in connectors:
        for other in known:
            if other.key == connector.key or other.schema.kind is connector.schema.kind:
                raise WrongWiring(
                    BuildInvalid(
                        f"{other.key!r} and {connector.key!r} share a key or a config type"
                    )
                )
        known = (*known, connector)
    return msgspec.structs.replace(registration, connectors=known)
