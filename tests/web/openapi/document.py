"""Applications whose OpenAPI documents the tests read."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import msgspec
from litestar import Litestar, get
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    Connectors,
    MemoryStore,
    OAuthProvider,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
    http_action,
)
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import META, StandardWebhooks
from tests.sample import CANARY, KEYRING, Organization
from tests.web.documented import validator_of


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


class Inner(msgspec.Struct, frozen=True):
    """Holds an optional secret."""

    pin: Secret = Secret(CANARY)


class Parcel(msgspec.Struct, frozen=True):
    """Has a secret in every place of a default."""

    key: Secret = Secret(CANARY)
    spare: Secret | None = None
    inner: Inner = Inner()
    sender: str = "somebody"


class Track(msgspec.Struct, frozen=True):
    """The input."""

    number: str
    pin: Secret


class Tracked(msgspec.Struct, frozen=True):
    """The output."""

    place: str
    pin: Secret


@http_action("track", input=Track, output=Tracked)
async def track(call: ActionCall[Parcel, object, Track]) -> Result[Tracked, ActionFailed]:
    return Success(Tracked("here", call.input.pin))


@action("lose", input=Track, output=None)
async def lose(call: ActionCall[Parcel, object, Track]) -> Result[None, ActionFailed]:
    return Success(None)


parcels = (
    Connector.create("parcels")
    .with_config(Parcel)
    .with_default_config(Parcel(Secret(CANARY)))
    .add_action(track)
    .add_action(lose)
    .build()
)
letters = Connector.create("letters").with_config(Mail).with_webhook(of_the_application).build()
signed_in = (
    Connector.create("signed-in")
    .with_config(msgspec.defstruct("Mail", [("scale", int)], frozen=True))
    .with_oauth(
        OAuthProvider(
            authorization_url="https://login.example/authorize",
            token_url="https://login.example/token",
            client_id="app",
            client_secret=Secret(CANARY),
        )
    )
    .build()
)


async def document_of(*known: Any, app_path: str = "", path: str = "/") -> dict[str, Any]:
    """The document of a running application with these connectors and one more route."""
    builder: Any = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(f"https://app.example{app_path}{path}")
        .add_scope(Organization)
    )
    for one in known:
        builder = builder.add_connector(one)
    connectors: Connectors[Any, Any] = builder.build()

    @get("/mine")
    async def mine() -> Letter:
        return Letter("mine")

    app = Litestar(
        [mine],
        path=app_path,
        plugins=[ConnectorsPlugin(connectors, path=path)],
        logging_config=None,
    )
    async with app.lifespan():
        document: dict[str, Any] = json.loads(json.dumps(app.openapi_schema.to_schema()))
    return document


def body_of(document: dict[str, Any], path: str, method: str) -> jsonschema_rs.Validator:
    """A validator of a body."""
    content = document["paths"][path][method]["requestBody"]["content"]
    return validator_of(document, content["application/json"]["schema"])


def answer_of(
    document: dict[str, Any], path: str, method: str, status: str
) -> jsonschema_rs.Validator:
    """A validator of an answer."""
    content = document["paths"][path][method]["responses"][status]["content"]
    return validator_of(document, content["application/json"]["schema"])
