"""What the application's OpenAPI document says of webhooks."""

from __future__ import annotations

import httpx
import msgspec
import pytest
from litestar import Litestar
from returns.result import Result, Success

from igniter_connectors import (
    META,
    Connector,
    ConnectorManager,
    MemoryStore,
    Secret,
    StandardWebhooks,
    Webhook,
    WebhookCall,
    WebhookFailed,
)
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import KEYRING, Organization, bot
from tests.web.served import bound_socket, port_of, served


class Mail(msgspec.Struct, frozen=True):
    """The config."""

    key: Secret
    team: str = ""


class Letter(msgspec.Struct, frozen=True):
    """The payload."""

    text: str


async def take(_: WebhookCall[Mail, object, Letter]) -> Result[None, WebhookFailed]:
    return Success(None)


def team(config: Mail) -> str:
    return config.team


def route(letter: Letter) -> tuple[str, ...]:
    return (letter.text,)


of_a_connection = Webhook(payload=Letter, verification=StandardWebhooks(), handler=take)
of_the_application = Webhook(
    payload=Letter,
    verification=META,
    handler=take,
    route=route,
    account_of=team,
    application_secrets=(Secret("an application's own secret, long enough"),),
)
Hook = Webhook[Mail, object, Letter]


async def operations(webhook: Hook | None, path: str) -> set[str]:
    """Each operation on webhooks in the document that is served."""
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
async def test_the_document_names_what_the_connectors_take(
    webhook: Hook | None, path: str, named: set[str]
) -> None:
    """A GET only where a provider asks with one, the application's address where one is used."""
    assert await operations(webhook, path) == named
