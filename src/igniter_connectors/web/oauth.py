"""`/connectors/{key}/oauth`: sends a browser to the provider, and takes it back."""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Controller, get

from igniter_connectors.core.http.messages import cookies_in
from igniter_connectors.core.problem import CallbackRouteProblem, StartRouteProblem
from igniter_connectors.web.openapi.operations import CallbackOperation, StartOperation
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.parameters import OAuthConnectorKey
from igniter_connectors.web.permissions import (
    CallerDependency,
    CallerProblem,
    ConnectorsDependency,
    requires,
)
from igniter_connectors.web.responses import ExactRedirect, WebRequest, value_of


class Authorizations(Controller):
    """The two routes of an OAuth authorization that a browser visits."""

    path = "/connectors/{key:str}/oauth"
    tags: Sequence[str] | None = ("connectors",)

    @get(
        "/start",
        status_code=303,
        operation_id="StartAuthorization",
        summary="Go to the provider",
        description=(
            "For a browser. It comes with the ticket from connecting, or with a connected account"
            " that needs more OAuth scopes."
        ),
        response_description="To the provider, or to this route again with a ticket",
        operation_class=StartOperation,
        opt=requires("authorize"),
        responses=refusals(CallerProblem | StartRouteProblem),
    )
    async def start(
        self,
        request: WebRequest,
        caller: CallerDependency,
        connectors: ConnectorsDependency,
        key: OAuthConnectorKey,
    ) -> ExactRedirect:
        # The guard has asked `permit`.
        answer = await connectors.start_authorization(
            key,
            query=_raw_query(request),
            fetch_site=request.headers.get("sec-fetch-site"),
            principal=caller.principal,
        )
        return ExactRedirect(value_of(answer))

    @get(
        "/callback",
        status_code=303,
        operation_id="FinishAuthorization",
        operation_class=CallbackOperation,
        summary="Come back from the provider",
        description="For the browser that was sent to the provider; RFC 6749, section 4.1.2.",
        response_description=(
            "To where it began, with `connected` or with the problem's code as `error` in the query"
        ),
        opt=requires("authorize"),
        responses=refusals(CallerProblem | CallbackRouteProblem),
    )
    async def finish(
        self,
        request: WebRequest,
        caller: CallerDependency,
        connectors: ConnectorsDependency,
        key: OAuthConnectorKey,
    ) -> ExactRedirect:
        answer = await connectors.finish_authorization(
            key,
            query=_raw_query(request),
            cookies=cookies_in(tuple(request.headers.multi_items())),
            principal=caller.principal,
        )
        return ExactRedirect(value_of(answer))


def _raw_query(request: WebRequest) -> str:
    return request.scope["query_string"].decode("latin-1")
