"""Typed actions, and the call that a handler receives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, Never, final

import msgspec
from msgspec.structs import force_setattr
from returns.result import Failure, Result
from typing_extensions import TypeForm, TypeVar

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.client import ApiClient, ApiSenders, CalledConnector, HasKey
from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connector.handler_check import require_async
from igniter_connectors.core.connector.validation import checker
from igniter_connectors.core.oauth.provider import OAuthScopes
from igniter_connectors.core.problem import ActionFailed, HandlerProblem
from igniter_connectors.core.scope import Scope

Conf = TypeVar("Conf", bound=msgspec.Struct)
Ctx = TypeVar("Ctx")
In = TypeVar("In", bound=msgspec.Struct)
Out = TypeVar("Out")
Conf_co = TypeVar("Conf_co", bound=msgspec.Struct, covariant=True)
Ctx_co = TypeVar("Ctx_co", covariant=True)
In_co = TypeVar("In_co", bound=msgspec.Struct, covariant=True)
Conf_contra = TypeVar("Conf_contra", bound=msgspec.Struct, contravariant=True)
Ctx_contra = TypeVar("Ctx_contra", contravariant=True)


@final
class ActionCall(msgspec.Struct, Generic[Conf_co, Ctx_co, In_co], frozen=True):
    """What a handler receives. A handler that needs no context has `object` in its place.

    `tenant` and `access_token` are None if the action runs on the connector's default config.
    `access_token` is None without OAuth, and otherwise the token at the start of the call.
    `http` sends it; if the token is renewed during the call, `http` sends the new one.
    """

    input: In_co
    config: Conf_co
    context: Ctx_co
    _senders: ApiSenders
    _connector: CalledConnector
    _action: HasKey
    tenant: Scope | None = None
    access_token: AccessToken | None = None
    _record: ConnectionRecord | None = None
    _client: ApiClient | None = None

    @property
    def connector(self) -> str:
        """The connector's key."""
        return self._connector.key

    @property
    def action(self) -> str:
        """The action's key."""
        return self._action.key

    @property
    def http(self) -> ApiClient:
        """Sends requests to the connector's API as this connection. It logs no path and no body."""
        client = self._client
        if client is None:
            # Made when it is first used, so a handler that sends no request does not pay for it.
            sender = self._senders.sender_for(
                self._connector, self.config, self._record, self.access_token
            )
            client = ApiClient(sender)
            force_setattr(self, "_client", client)
        return client

    def __repr__(self) -> str:
        return f"ActionCall({self.connector}.{self.action}, …)"

    def failed(
        self, reason: str, *, retry_at: datetime | None = None
    ) -> Result[Never, ActionFailed]:
        """The failure of a handler: `return call.failed("no such chat")`.

        To pass on a problem of `call.http` or of another action, return `Failure(problem)`: the
        caller of this action gets the same problem.

        Args:
            reason: Shown to callers and in events, so it must not contain a secret.
            retry_at: When the caller may try again; None if that is unknown.
        """
        return Failure(ActionFailed(self.connector, self.action, reason, retry_at))


@final
class Action(msgspec.Struct, Generic[Conf_contra, Ctx_contra, In, Out], frozen=True):
    """A key, the types of input and output, and the handler. Made by `@action`."""

    key: str
    input: type[In]
    output: TypeForm[Out]
    handler: Callable[
        [ActionCall[Conf_contra, Ctx_contra, In]], Awaitable[Result[Out, HandlerProblem]]
    ]
    check_input: Callable[[object], In]
    check_output: Callable[[object], Out]
    open_to_http: bool = False
    oauth_scopes: frozenset[str] = frozenset()


def action(
    key: str, *, input: type[In], output: TypeForm[Out], oauth_scopes: OAuthScopes = ()
) -> Callable[
    [Callable[[ActionCall[Conf, Ctx, In]], Awaitable[Result[Out, HandlerProblem]]]],
    Action[Conf, Ctx, In, Out],
]:
    """A decorator that makes a handler an action, for calls from the application's own code.

    It is a decorator because it fixes `output` before the type checker sees the handler. A
    function that took both would join the two types and accept a handler that returns another.

    Args:
        key: 1 to 63 characters of a-z, 0-9, `_` and `-`, starting with a letter.
        input: The type that the handler takes, validated before it runs.
        output: The type that the handler returns, validated after it ran.
        oauth_scopes: The scopes that the tenant must have granted. If one is missing, the call
            returns `MissingScopes` and the handler does not run.

    Raises:
        WrongWiring: the handler is not an async function of one argument.
    """

    def bind(
        handler: Callable[[ActionCall[Conf, Ctx, In]], Awaitable[Result[Out, HandlerProblem]]],
    ) -> Action[Conf, Ctx, In, Out]:
        require_async(handler, f"{key}: the handler")
        return Action(
            key,
            input,
            output,
            handler,
            checker(input),
            checker(output),
            oauth_scopes=frozenset(oauth_scopes),
        )

    return bind


def http_action(
    key: str, *, input: type[In], output: TypeForm[Out], oauth_scopes: OAuthScopes = ()
) -> Callable[
    [Callable[[ActionCall[Conf, Ctx, In]], Awaitable[Result[Out, HandlerProblem]]]],
    Action[Conf, Ctx, In, Out],
]:
    """Like `action`. With the web plugin, the tenant's users may also call it over HTTP."""

    private = action(key, input=input, output=output, oauth_scopes=oauth_scopes)

    def bind(
        handler: Callable[[ActionCall[Conf, Ctx, In]], Awaitable[Result[Out, HandlerProblem]]],
    ) -> Action[Conf, Ctx, In, Out]:
        return msgspec.structs.replace(private(handler), open_to_http=True)

    return bind
