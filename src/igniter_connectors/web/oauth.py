"""`/connectors/{key}/oauth`: sends a browser to the provider, and takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter

from igniter_connectors.core.http.messages import single_header
from igniter_connectors.core.problem import (
    CallbackRouteProblem,
    ParameterInvalid,
    StartRouteProblem,
)
from igniter_connectors.web.openapi.operations import CallbackOperation
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.parameters import OAuthConnectorKey
from igniter_connectors.web.permissions import AccessDependency, ConnectorsDependency
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
        responses=refusals(StartRouteProblem | ParameterInvalid),
    )
    async def start(
        self,
        request: WebRequest,
        access: AccessDependency,
        connectors: ConnectorsDependency,
        key: OAuthConnectorKey,
        ticket: Annotated[
            str | None, QueryParameter(description="Opens once, within 10 minutes")
        ] = None,
        account: Annotated[
            str | None, QueryParameter(description="The connection to authorize again")
        ] = None,
        oauth_scopes: Annotated[
            str | None,
            QueryParameter(
                description="The OAuth scopes to ask for beside the granted ones; separated by"
                " spaces"
            ),
        ] = None,
    ) -> ExactRedirect:
        answer = await connectors.start_authorization(
            key,
            ticket=ticket or None,
            account=account or None,
            oauth_scopes=(oauth_scopes or "").split(),
            fetch_site=request.headers.get("sec-fetch-site"),
            principal=await access.principal(request),
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
        responses=refusals(CallbackRouteProblem | ParameterInvalid),
    )
    async def finish(
        self,
        request: WebRequest,
        access: AccessDependency,
        connectors: ConnectorsDependency,
        key: OAuthConnectorKey,
    ) -> ExactRedirect:
        answer = await connectors.finish_authorization(
            key,
            query=request.scope["query_string"].decode("latin-1"),
            cookies=single_header(tuple(request.headers.multi_items()), "cookie"),
            principal=await access.principal(request),
        )
        return ExactRedirect(value_of(answer))
