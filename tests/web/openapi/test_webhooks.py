"""The webhook operations in the document."""

from __future__ import annotations

import httpx
import pytest
from litestar import Litestar

from igniter_connectors import (
    Connector,
    ConnectorManager,
    MemoryStore,
)
from igniter_connectors.core.http.problem_details import problem_response
from igniter_connectors.core.problem import WebhookOverloaded
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import KEYRING, Organization, bot
from tests.web.openapi.document import (
    Hook,
    Mail,
    document_of,
    letters,
    of_a_connection,
    of_the_application,
)
from tests.web.served import bound_socket, port_of, served


async def operations(webhook: Hook | None, path: str) -> set[str]:
    """Each webhook operation in the served document."""
    listener = bound_socket()
    origin = f"http://127.0.0.1:{port_of(listener)}"
    builder = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(origin + path)
        .add_scope(Organization)
        .add_connector(bot)
    )
    connectors = builder.build()
    if webhook is not None:
        mail = Connector.create("mail").with_config(Mail).with_webhook(webhook).build()
        connectors = builder.add_connector(mail).build()
    app = Litestar(plugins=[ConnectorsPlugin(connectors, path=path)], logging_config=None)
    async with served(app, listener), httpx.AsyncClient(base_url=origin) as browser:
        document = (await browser.get("schema/openapi.json")).json()
    return {
        f"{method} {path}: {operation['operationId']}"
        for path, item in document["paths"].items()
        if "webhooks" in path
        for method, operation in item.items()
        if isinstance(operation, dict)
    }


@pytest.mark.parametrize(
    ("webhook", "path", "named"),
    [
        (None, "/", set()),
        (of_a_connection, "/", {"post /webhooks/{connector}/{token}: ReceiveWebhook"}),
        (
            of_a_connection,
            "/integrations/v1",
            {"post /integrations/v1/webhooks/{connector}/{token}: ReceiveWebhook"},
        ),
        (
            of_the_application,
            "/",
            {
                "post /webhooks/{connector}/{token}: ReceiveWebhook",
                "get /webhooks/{connector}/{token}: AnswerChallenge",
                "post /webhooks/{connector}: ReceiveApplicationWebhook",
                "get /webhooks/{connector}: AnswerApplicationChallenge",
            },
        ),
    ],
)
async def test_the_document_has_the_webhooks_of_the_connectors(
    webhook: Hook | None, path: str, named: set[str]
) -> None:
    """A GET only if a provider asks with GET; the application's URL only if a connector uses it."""
    assert await operations(webhook, path) == named


async def test_only_an_overload_says_when_to_retry() -> None:
    """`Retry-After` is documented for 503 alone, and the answer has it."""
    paths = (await document_of(letters))["paths"]
    responses = paths["/webhooks/{connector}/{token}"]["post"]["responses"]
    with_header = [
        status for status, one in responses.items() if "Retry-After" in one.get("headers", {})
    ]
    assert with_header == ["503"]
    assert problem_response(WebhookOverloaded(7)).header("retry-after") == "7"


async def test_a_delivery_has_a_body_of_any_type() -> None:
    """A question has none."""
    item = (await document_of(letters))["paths"]["/webhooks/{connector}/{token}"]
    assert item["post"]["requestBody"]["content"].keys() == {"*/*"}
    assert "requestBody" not in item["get"]
