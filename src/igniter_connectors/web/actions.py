"""`/connections/{key}/actions/{name}`: runs the actions that are open to HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Controller, MediaType, post
from litestar.params import JSONBody
from returns.result import Result

from igniter_connectors.core.connection.record import DEFAULT_ACCOUNT
from igniter_connectors.core.connector.masking import mask_secret
from igniter_connectors.core.connector.validation import ValidationFault, decode_json
from igniter_connectors.core.problem import (
    ActionInputInvalid,
    ActionNotFound,
    BodyProblem,
    CallProblem,
)
from igniter_connectors.web.connections import (
    OWN_PAGES,
    AddressedConnection,
    AddressProblem,
    ConnectionDependency,
    find_connection,
)
from igniter_connectors.web.json_body import ActionInputBody, JsonBodyDTO
from igniter_connectors.web.openapi.operations import OperationWithBody
from igniter_connectors.web.openapi.problems import refusals
from igniter_connectors.web.parameters import Account, ActionConnectorKey, ActionName, ActionOutput
from igniter_connectors.web.permissions import (
    CallerDependency,
    ConnectorsDependency,
    requires,
)
from igniter_connectors.web.responses import Refusal, WebRequest, value_of

_NO_INPUT: Final = ActionInputBody()  # an empty body reaches the route too


async def find_called_connection(
    caller: CallerDependency,
    connectors: ConnectorsDependency,
    key: ActionConnectorKey,
    account: Account = DEFAULT_ACCOUNT,
) -> AddressedConnection:
    """A dependency: `find_connection`, documented with the connectors that have such actions."""
    return await find_connection(caller, connectors, key, account)


class Actions(Controller):
    """Calls an action on the tenant's connection."""

    path = "/connections/{key:str}/actions"
    tags: Sequence[str] | None = ("connections",)

    @post(
        "/{name:str}",
        status_code=200,
        dto=JsonBodyDTO[ActionInputBody],
        media_type=MediaType.JSON,
        operation_class=OperationWithBody,
        opt=requires("action"),
        operation_id="CallAction",
        summary="Run an action",
        description=f"The body is the input of the action in the path. {OWN_PAGES}",
        response_description="The action's output",
        responses=refusals(AddressProblem | BodyProblem | CallProblem),
    )
    async def call_action(
        self,
        request: WebRequest,
        called_connection: ConnectionDependency,
        name: ActionName,
        data: JSONBody[ActionInputBody] = _NO_INPUT,
    ) -> ActionOutput:
        body, connection = data.read(request), called_connection
        key = connection.connector.key
        action = connection.connector.actions.get(name)
        if action is None or not action.open_to_http:
            raise Refusal(ActionNotFound(key, name))
        decoded: Result[Any, ValidationFault] = decode_json(body, action.input)
        input = value_of(
            decoded.alt(lambda fault: ActionInputInvalid(key, name, fault.path, fault.reason))
        )
        output = value_of(await connection.at.action(action).call(input))
        return msgspec.Raw(msgspec.json.encode(output, enc_hook=mask_secret))
