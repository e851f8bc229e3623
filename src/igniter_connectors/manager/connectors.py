"""The running manager: the registered connectors, bound to a store and an HTTP client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Generic, Never, Self, final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from typing_extensions import TypeVar

from igniter_connectors.core.connector.action import Action
from igniter_connectors.core.connector.definition import (
    ConfigConnector,
    Definition,
    OAuthConnector,
)
from igniter_connectors.core.event import Event
from igniter_connectors.core.http.base_url import BaseUrl
from igniter_connectors.core.http.messages import HttpRequest, HttpResponse
from igniter_connectors.core.http.routes import (
    ApplicationWebhookRoute,
    WebhookRoute,
    application_webhook_url,
)
from igniter_connectors.core.pagination import PAGE_SIZE, Page
from igniter_connectors.core.principal import Operation, Permit, Principal
from igniter_connectors.core.problem import (
    AccessProblem,
    BuildInvalid,
    CallbackRouteProblem,
    ConnectorNotFound,
    DatabaseFailed,
    DefaultCallProblem,
    RequestOverloaded,
    RequestRefused,
    RequestTooSlow,
    RouteFailed,
    ScopeInvalid,
    ScopeProblem,
    StartRouteProblem,
    WebhookProblem,
    WrongWiring,
)
from igniter_connectors.core.scope import Scope, make_tenant
from igniter_connectors.core.webhook.endpoint import WrongRoute
from igniter_connectors.core.webhook.retry_policy import DeliveryLimits, limits_fault
from igniter_connectors.core.webhook.webhook import Webhook
from igniter_connectors.flows.actions.call_action import call_default_action
from igniter_connectors.flows.check_access import check_access
from igniter_connectors.flows.engine import Engine, base_url_of
from igniter_connectors.flows.event_bus import Subscriber, Subscription
from igniter_connectors.flows.http_routes import handle_request, read_body
from igniter_connectors.flows.list_connectors import ConnectorEntry, get_connector, list_connectors
from igniter_connectors.flows.oauth import callback, start
from igniter_connectors.flows.oauth.renew_expiring import RenewalWorker
from igniter_connectors.flows.report_error import report_route_failure
from igniter_connectors.flows.webhooks.receive import receive, receive_for_application
from igniter_connectors.flows.webhooks.routing import check_routes, repair_routes
from igniter_connectors.manager.lifecycle import Lifecycle
from igniter_connectors.manager.scoped import Scoped, require_registered
from igniter_connectors.manager.worker import Worker
from igniter_connectors.ports import Store

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")
E = TypeVar("E", bound=Event)
K_contra = TypeVar("K_contra", bound=msgspec.Struct, contravariant=True)
S_contra = TypeVar("S_contra", bound=Scope, contravariant=True)

FoundConnector = (
    ConfigConnector[msgspec.Struct, object, Never] | OAuthConnector[msgspec.Struct, object, Never]
)
"""A connector that was found by its key: its types are not known, and any tenant accepts it."""


@final
class Connectors(Generic[K_contra, S_contra]):
    """The running manager. `async with connectors:` opens and closes its database and HTTP client.

    Use one for the whole application, in one event loop. Any number of tasks may call its
    methods at once.
    """

    def __init__(
        self,
        engine: Engine,
        open_http: Callable[[], object],
        close_http: Callable[[], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._lifecycle = Lifecycle(engine, open_http, close_http)

    @property
    def store(self) -> Store:
        """The store, for the application's own use."""
        return self._engine.store

    def base(self) -> BaseUrl:
        """The URL at which users reach our routes.

        Raises:
            WrongWiring: the manager was built without `with_base_url`.
        """
        return base_url_of(self._engine)

    @property
    def delivery_limits(self) -> DeliveryLimits:
        """The limits of this process for receiving and handling webhooks."""
        return self._engine.deliveries.limits

    async def __aenter__(self) -> Self:
        """Opens the store, and starts to handle webhooks, pending ones first.

        Raises:
            StoreUnavailable: the database does not answer, or its schema has another version.
            WrongWiring: the manager is open already.
        """
        await self._lifecycle.open()
        self._lifecycle.inbox.open()
        return self

    @asynccontextmanager
    async def without_delivery(self) -> AsyncGenerator[Self, None]:
        """As `async with connectors:`, for a process that handles no webhooks.

        Webhooks that it receives, and those that are pending, are left to other processes.
        For command lines and scripts.

        Raises:
            StoreUnavailable: the database does not answer, or its schema has another version.
            WrongWiring: the manager is open already.
        """
        await self._lifecycle.open()
        try:
            yield self
        finally:
            await self._lifecycle.close()

    @asynccontextmanager
    async def as_worker(self, limits: DeliveryLimits | None = None) -> AsyncGenerator[Worker, None]:
        """As `async with connectors:`, for a worker process that serves no requests.

        It polls the inbox more often, and `Worker.start` renews grants that expire soon.

        Args:
            limits: The limits of this process. None means those of the manager.

        Raises:
            StoreUnavailable: the database does not answer, or its schema has another version.
            WrongWiring: the limits contradict each other, or the manager is open already.
        """
        if limits is not None:
            fault = limits_fault(limits)
            if fault is not None:
                raise WrongWiring(BuildInvalid(fault))
        renewals = RenewalWorker(self._engine)
        worker = Worker(self._engine, self._lifecycle.inbox, self._lifecycle.revocations, renewals)
        await self._lifecycle.open()
        if limits is not None:
            self._engine.deliveries.limits = limits
        worker.open()
        try:
            yield worker
        finally:
            await self._lifecycle.close(first=worker.close)

    async def settled(self) -> None:
        """Waits until this process handles no webhook and none is due now. For tests.

        Does not wait for events in back-off, or for events that are held.
        """
        await self._lifecycle.inbox.settled()

    def _scoped(self, tenant: Scope) -> Scoped[K_contra]:
        return Scoped(self._engine, tenant)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finishes the work that must not be lost, then closes. Shielded from cancellation."""
        await self._lifecycle.close()

    def scope(self, tenant: S_contra) -> Scoped[K_contra]:
        """One tenant.

        Raises:
            WrongWiring: the kind is not registered. Type checkers refuse that too.
        """
        # An object that is not a tenant, such as a string, has no kind.
        if self._engine.scopes.get(str(getattr(tenant, "kind", ""))) is not type(tenant):
            raise WrongWiring(BuildInvalid(f"{type(tenant).__name__} was not added with add_scope"))
        return self._scoped(tenant)

    def tenant(self, kind: str, identity: str) -> Result[Scoped[K_contra], ScopeProblem]:
        """One tenant, from strings: for a route or a command line.

        Returns:
            The tenant, or `ScopeInvalid` (an unknown kind, or an identity that cannot be
            stored), `ScopeIdentifierRequired` (an empty identity).
        """
        registered = self._engine.scopes.get(kind)
        if registered is None:
            return Failure(ScopeInvalid(kind, "no such kind of tenant is registered"))
        tenant = make_tenant(registered, identity)
        return tenant.map(self._scoped)

    def find(self, key: str) -> Result[FoundConnector, ConnectorNotFound]:
        """A connector by its key."""
        connector = self._engine.connectors.get(key)
        if isinstance(connector, ConfigConnector | OAuthConnector):
            return Success(connector)
        return Failure(ConnectorNotFound(key))

    async def list(
        self, *, limit: int = PAGE_SIZE, after: str | None = None
    ) -> Result[Page[ConnectorEntry], DatabaseFailed]:
        """A page of the registered connectors, ordered by key, with their numbers of connections.

        Args:
            limit: 1 to 1,000.
            after: The `next` of the previous page; None for the first page.
        """
        return await list_connectors(self._engine, limit=limit, after=after)

    async def get(self, key: str) -> Result[ConnectorEntry, ConnectorNotFound | DatabaseFailed]:
        """One registered connector, as a catalogue shows it."""
        return await get_connector(self._engine, key)

    def action(
        self,
        connector: Definition[Conf, Ctx, K_contra],
        action: Action[Conf, Ctx, In, Out],
    ) -> DefaultAction[In, Out]:
        """An action on the connector's default config, for no tenant."""
        require_registered(self._engine, connector)
        return DefaultAction(self._engine, connector, action)

    def subscribe(self, handler: Subscriber) -> Subscription:
        """Calls the handler for every event, until the subscription is cancelled."""
        return self._engine.event_bus.subscribe(handler)

    async def handle(
        self,
        request: HttpRequest,
        *,
        principal: Principal | None = None,
        permit: Permit | None = None,
        body: AsyncIterable[bytes] | None = None,
    ) -> HttpResponse:
        """Answers a request for one of our routes, in any framework.

        Args:
            request: As received: with the raw body, and with the path and query of the URL.
            body: The parts of the body as they arrive, instead of `request.body`; for example
                `request.stream()` of Starlette. They are read only if the path is an endpoint,
                up to its limit, and within `DeliveryLimits.body_within`. If a framework reads
                bodies before it calls this, set its own limit and deadline.
            principal: Who is signed in, as the application knows it. Webhooks need no
                principal; the start route and the callback are refused without one.
            permit: Called with the principal, `"authorize"` and the connector's key at the
                start route and the callback. Unless it returns True, the answer is 403. None
                permits everything.

        Returns:
            A redirect, an empty 204 for an accepted webhook, or problem details (RFC 9457).
        """
        return await handle_request(self._engine, request, principal, permit, body)

    async def start_authorization(
        self,
        key: str,
        *,
        query: str,
        fetch_site: str | None = None,
        principal: Principal | None = None,
        permit: Permit | None = None,
    ) -> Result[HttpResponse, StartRouteProblem]:
        """Answers the start route, for a framework that has parsed the path; `handle` parses it
        itself.

        Args:
            key: The connector's key, from the path.
            query: The raw query, without "?": a parameter that is given twice is refused.
            fetch_site: The `Sec-Fetch-Site` header; None if the browser sends none.
            principal: Who is signed in; None if nobody is.
            permit: As for `handle`.

        Returns:
            A redirect to the provider, or
            - `PrincipalRequired`, `ScopeInvalid`, `RouteFailed`: see `check_access`.
            - `ConnectorNotFound`, `OAuthNotConfigured`.
            - `RequestRefused`: `permit` refused, another site opened this URL, or it is not
              known which account is connected.
            - `OAuthStateInvalid`: the ticket is not this tenant's and subject's, or was opened
              before.
            - `ParameterInvalid`, `AccountInvalid`: another parameter cannot be used; a scope
              that the connector does not declare is one.
            - what beginning the authorization returned.
        """
        allowed = await check_access(self._engine, principal, "authorize", key, permit)
        if not is_successful(allowed):
            return Failure(allowed.failure())
        return await start.start(
            self._engine, key, query=query, fetch_site=fetch_site, principal=allowed.unwrap()
        )

    async def finish_authorization(
        self,
        key: str,
        *,
        query: str,
        cookies: str | None = None,
        principal: Principal | None = None,
        permit: Permit | None = None,
    ) -> Result[HttpResponse, CallbackRouteProblem]:
        """Answers the callback route, for a framework that has parsed the path; `handle` parses
        it itself.

        Args:
            key: The connector's key, from the path.
            query: The raw query, without "?": a parameter that is given twice is refused.
            cookies: The `Cookie` header; None if the browser sends none.
            principal: Who is signed in; None if nobody is.
            permit: As for `handle`.

        Returns:
            A redirect to where the authorization began, with the outcome in its query; or
            - `PrincipalRequired`, `RequestRefused`, `ScopeInvalid`, `RouteFailed`: see
              `check_access`.
            - `ConnectorNotFound`, `OAuthNotConfigured`.
            - `OAuthStateInvalid`: the state is not this browser's, tenant's and subject's.
            - `DatabaseFailed`.
        """
        allowed = await check_access(self._engine, principal, "authorize", key, permit)
        if not is_successful(allowed):
            return Failure(allowed.failure())
        return await callback.finish(
            self._engine, key, query=query, cookies=cookies, principal=allowed.unwrap()
        )

    async def check_access(
        self,
        principal: Principal | None,
        operation: Operation,
        connector: str = "",
        *,
        permit: Permit | None = None,
    ) -> Result[Scoped[K_contra], AccessProblem | ScopeProblem]:
        """The principal's tenant, if the application permits the operation. Every route asks
        this before it reads anything else of a request.

        Args:
            principal: Who is signed in; None if nobody is.
            operation: What the route does.
            connector: The connector's key as the request names it; "" for lists.
            permit: The application's rule; None permits everything.

        Returns:
            The tenant, or
            - `PrincipalRequired`: nobody is signed in.
            - `ScopeInvalid`, `ScopeIdentifierRequired`: the principal names no usable tenant.
            - `RequestRefused`: `permit` did not return True.
            - `RouteFailed`: `permit` raised.
        """
        allowed = await check_access(self._engine, principal, operation, connector, permit)
        if not is_successful(allowed):
            return Failure(allowed.failure())
        tenant = allowed.unwrap().tenant
        return self.tenant(tenant.kind, tenant.identity)

    def report_route_failure(
        self, error: Exception, *, where: str, connector: str = ""
    ) -> RouteFailed:
        """Logs an exception that would leave a route, in one line with its type and frames, and
        tells `on_error`. Neither has the exception's text.

        Args:
            error: The exception.
            where: The hook or the route that raised it.
            connector: The connector's key, if one is known.

        Returns:
            The problem to answer with.
        """
        return report_route_failure(self._engine, error, where=where, connector=connector)

    def receive_webhook(
        self,
        route: WebhookRoute | ApplicationWebhookRoute,
        request: HttpRequest,
        next_part: Callable[[], Awaitable[tuple[bytes, bool] | None]] | None = None,
    ) -> Coroutine[object, None, Result[HttpResponse | None, WebhookProblem]]:
        """Receives a webhook delivery, for a framework that has parsed the path; `handle` parses
        it itself.

        Args:
            route: The route.
            request: As received; without a body if `next_part` is given.
            next_part: Returns the next part of the body, and whether more follows; None if the
                client has gone. It is called only if there is such an endpoint.

        Returns:
            None: answer with a 2xx; or the response to a provider's challenge, to be sent as
            it is; or the problem.
        """
        if type(route) is ApplicationWebhookRoute:
            return receive_for_application(self._engine, route, request, next_part)
        assert isinstance(route, WebhookRoute)  # `type()` narrows the first case only
        return receive(self._engine, route, request, next_part)

    def application_webhook_url(self, connector: Definition[Conf, Ctx, K_contra]) -> str:
        """The webhook URL for a provider that has one URL for the whole application.

        Raises:
            WrongWiring: the connector is not registered or has no `route`, or the manager was
                built without `with_base_url`.
        """
        require_registered(self._engine, connector)
        if connector.webhook is None or connector.webhook.route is None:
            fault = f"{connector.key!r} has no webhook with a route"
            raise WrongWiring(BuildInvalid(fault))
        return application_webhook_url(self.base(), connector.key)

    async def check_webhook_routes(self) -> Result[tuple[WrongRoute, ...], DatabaseFailed]:
        """Looks for connections whose stored account is not the one that their config names.

        For operators, after a migration or a change of an `account_of`: only connecting and
        updating store the account. Reads the connections of all tenants; changes nothing. Skips
        what it cannot open.
        """
        return await check_routes(self._engine)

    async def repair_webhook_routes(self) -> Result[tuple[WrongRoute, ...], DatabaseFailed]:
        """As `check_webhook_routes`, and stores the account that each config names.

        Returns:
            What was repaired, or `DatabaseFailed`: some may be repaired; call it again.
        """
        return await repair_routes(self._engine)

    async def read_body(
        self,
        next_part: Callable[[], Awaitable[tuple[bytes, bool] | None]],
        *,
        limit_bytes: int,
    ) -> Result[bytes, RequestRefused | RequestTooSlow | RequestOverloaded]:
        """Reads the body of a request, for a framework: within `DeliveryLimits.body_within`.

        Args:
            next_part: As for `receive_webhook`.
            limit_bytes: The limit of this body.

        Returns:
            The body, or
            - `RequestRefused`: it is larger than the limit.
            - `RequestTooSlow`: it did not arrive in time, or the client has gone.
            - `RequestOverloaded`: too many bodies are only partly there.
        """
        return await read_body(self._engine, next_part, limit_bytes=limit_bytes)

    def definitions(self) -> Mapping[str, Definition[Any, Any, Any]]:
        """The registered connectors by key."""
        return self._engine.connectors

    def webhooks(self) -> Mapping[str, Webhook[Any, Any, Any]]:
        """The webhooks of the registered connectors, by the connector's key."""
        return {key: one.webhook for key, one in self._engine.connectors.items() if one.webhook}


@final
class DefaultAction(Generic[In, Out]):
    """An action of a connector's default config, ready to be called."""

    __slots__ = ("_action", "_connector", "_engine")

    def __init__(
        self,
        engine: Engine,
        connector: Definition[Any, Any, Any],
        action: Action[Any, Any, In, Out],
    ) -> None:
        self._engine = engine
        self._connector = connector
        self._action = action

    async def call(self, input: In) -> Result[Out, DefaultCallProblem]:
        """Runs the action.

        Returns:
            The output, or `DefaultConfigRequired`, `ActionNotFound`, `ActionInputInvalid`,
            `ActionOutputInvalid`, `ActionFailed`.
        """
        return await call_default_action(self._engine, self._connector, self._action, input)
