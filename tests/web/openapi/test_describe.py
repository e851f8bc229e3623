"""What the application's OpenAPI document says: of webhooks, and of each connector's routes."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar import Litestar, get
from returns.result import Result, Success
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

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
from igniter_connectors.core.connector.masking import MASK
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import META, StandardWebhooks
from tests.sample import CANARY, KEYRING, Organization, bot
from tests.web.documented import validator_of
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


class Inner(msgspec.Struct, frozen=True):
    """Holds a secret that nobody has to give."""

    pin: Secret = Secret(CANARY)


class Parcel(msgspec.Struct, frozen=True):
    """Secrets in every place that a default can be."""

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
    """The document of a running application with these connectors and a route of its own."""
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
    """What a body has to be."""
    content = document["paths"][path][method]["requestBody"]["content"]
    return validator_of(document, content["application/json"]["schema"])


def answer_of(
    document: dict[str, Any], path: str, method: str, status: str
) -> jsonschema_rs.Validator:
    """What an answer has to be."""
    content = document["paths"][path][method]["responses"][status]["content"]
    return validator_of(document, content["application/json"]["schema"])


@pytest.mark.parametrize(
    "known", [(parcels,), (bot,), (letters,), (signed_in,), (parcels, letters, signed_in)]
)
async def test_the_document_is_openapi_3_1(known: tuple[Any, ...]) -> None:
    """By the specification's own schema; each schema in it is one, and names what is there."""
    document = await document_of(*known)
    OPENAPI_31_VALIDATOR.validate(document)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
        _ = validator_of(document, schema)
    ids = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert len(ids) == len(set(ids))


async def test_no_secret_is_in_the_document() -> None:
    """Neither a default of a field, nor a connector's own config, nor an application's."""
    written = json.dumps(await document_of(parcels, letters, signed_in))
    assert CANARY not in written
    assert "an application's own secret" not in written


async def test_secrets_are_passwords_that_only_go_in() -> None:
    """In a config, a change and an input; what is shown has the mask in their place."""
    document = await document_of(parcels)
    schemas = document["components"]["schemas"]
    taken = {"type": "string", "format": "password", "writeOnly": True}
    assert schemas["parcels.config.Parcel"]["properties"]["key"] == taken
    assert schemas["parcels.config.inner.Inner"]["properties"]["pin"] == taken
    assert schemas["parcels.change"]["properties"]["key"] == taken
    assert schemas["parcels.track.input.Track"]["properties"]["pin"] == taken
    for shown in (
        schemas["parcels.shown.Parcel"]["properties"]["key"],
        schemas["parcels.shown.inner.Inner"]["properties"]["pin"],
        schemas["parcels.track.output.Tracked"]["properties"]["pin"],
    ):
        assert (shown["const"], shown["readOnly"]) == (MASK, True)


async def test_a_body_is_that_of_a_registered_connector() -> None:
    """A whole config to connect, any of its fields to change it, an action's input to call it."""
    document = await document_of(parcels, letters, signed_in)
    put = body_of(document, "/connections/{key}", "put")
    # Everything has a default in one of them, so that any object is a config of it.
    assert put.is_valid({"key": "k"})
    assert put.is_valid({})
    assert not put.is_valid("k")
    put = body_of(await document_of(letters, signed_in), "/connections/{key}", "put")
    assert put.is_valid({"key": "k"})
    assert put.is_valid({"scale": 1})
    assert not put.is_valid({"team": "t"})
    assert not put.is_valid({"scale": "1"})
    patch = body_of(await document_of(letters), "/connections/{key}", "patch")
    assert patch.is_valid({})
    assert patch.is_valid({"team": "t"})
    assert not patch.is_valid({"team": 1})
    call = body_of(document, "/connections/{key}/actions/{name}", "post")
    assert call.is_valid({"number": "1", "pin": "p"})
    assert not call.is_valid({"number": "1"})


async def test_a_change_has_no_defaults() -> None:
    """What it leaves out stays as it is."""
    schemas = (await document_of(letters))["components"]["schemas"]
    assert schemas["letters.config.Mail"]["properties"]["team"]["default"] == ""
    assert "default" not in schemas["letters.change"]["properties"]["team"]


async def test_connecting_answers_as_the_connectors_do() -> None:
    """201 and 200 where a config is enough, 202 and a place to come back to where OAuth is."""
    answers = []
    for known in ((letters,), (signed_in,), (letters, signed_in)):
        put = (await document_of(*known))["paths"]["/connections/{key}"]["put"]
        named = {one["name"] for one in put.get("parameters", ())}
        codes = put["responses"]["400"]["description"]
        assert ("return_to" in named) == ("RETURN_TO_INVALID" in codes) == (known[-1] is signed_in)
        answers.append({status for status in put["responses"] if status < "300"})
    assert answers == [{"200", "201"}, {"202"}, {"200", "201", "202"}]


async def test_each_operation_may_find_nobody_and_no_database() -> None:
    """401 and 503 wherever somebody has to be signed in; 500 where secrets are opened."""
    paths = (await document_of(parcels, letters, signed_in))["paths"]
    named = {
        operation["operationId"]: operation["responses"].keys()
        for path, item in paths.items()
        if path.startswith("/connect")
        for operation in item.values()
        if isinstance(operation, dict)
    }
    assert len(named) == 12
    assert all(statuses >= {"401", "503"} for statuses in named.values())
    assert {name for name, statuses in named.items() if "500" in statuses} == {
        "GetConnection",
        "PutConnection",
        "PatchConnection",
        "CallAction",
        "StartAuthorization",
    }


async def test_what_no_connector_has_is_left_out() -> None:
    """OAuth's stations, actions that are not open to HTTP, and both where there are some."""
    stations = {f"/connectors/{{key}}/oauth/{one}" for one in ("start", "callback")}
    actions = {"/connections/{key}/actions/{name}"}
    for known, left_out in (
        ((bot,), stations | actions),
        ((parcels,), stations),
        ((signed_in,), actions),
        ((parcels, signed_in), set()),
    ):
        paths = (await document_of(*known))["paths"].keys()
        assert (stations | actions) - paths == left_out


async def test_parameters_name_what_there_is() -> None:
    """The keys of the connectors that have it, and the actions that are open."""
    paths = (await document_of(parcels, letters, signed_in))["paths"]
    named = {
        path: {
            one["name"]: one["schema"].get("enum")
            for operation in item.values()
            for one in operation.get("parameters", ())
            if one["in"] == "path"
        }
        for path, item in paths.items()
    }
    every = ["letters", "parcels", "signed-in"]
    assert named == {
        "/mine": {},
        "/connectors": {},
        "/connectors/{key}": {"key": every},
        "/connectors/{key}/oauth/start": {"key": ["signed-in"]},
        "/connectors/{key}/oauth/callback": {"key": ["signed-in"]},
        "/connections": {},
        "/connections/{key}": {"key": every},
        "/connections/{key}/enable": {"key": every},
        "/connections/{key}/disable": {"key": every},
        "/connections/{key}/actions/{name}": {"key": ["parcels"], "name": ["track"]},
        "/webhooks/{connector}/{token}": {"connector": ["letters"], "token": None},
        "/webhooks/{connector}": {"connector": ["letters"]},
    }


async def test_types_of_one_name_stay_apart() -> None:
    """Two connectors' configs, and a type of the application's own."""
    document = await document_of(letters, signed_in)
    schemas = document["components"]["schemas"]
    assert schemas["letters.config.Mail"]["required"] == ["key"]
    assert schemas["signed-in.config.Mail"]["required"] == ["scale"]
    assert schemas["Letter"]["required"] == ["text"]


async def test_a_connection_is_told_by_its_connector() -> None:
    """With that one's config and no other's; in a list it may be broken, and empty then."""
    document = await document_of(letters, signed_in)
    connection = {
        "connector": "letters",
        "account": "default",
        "id": "1",
        "config": {"key": MASK, "team": "t"},
        "enabled": True,
        "health": "ok",
        "version": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "authorization": None,
    }
    one = answer_of(document, "/connections/{key}", "get", "200")
    many = answer_of(document, "/connections", "get", "200")
    broken = {**connection, "connector": "gone", "config": {}, "health": "broken"}
    for shown, is_one, is_listed in (
        (connection, True, True),
        ({**connection, "connector": "signed-in"}, False, False),
        ({**connection, "config": {"key": "in clear", "team": "t"}}, False, False),
        ({**connection, "created_at": "yesterday"}, False, False),
        ({name: connection[name] for name in connection if name != "version"}, False, False),
        (broken, False, True),
        ({**broken, "health": "ok"}, False, False),
        ({**broken, "config": {"key": MASK}}, False, False),
    ):
        assert one.is_valid(shown) == is_one, shown
        assert many.is_valid({"items": [shown], "next": None}) == is_listed, shown


@pytest.mark.parametrize(
    ("app_path", "path", "root"),
    [
        ("", "/", ""),
        ("", "/integrations/v1", "/integrations/v1"),
        ("", "/integrations/", "/integrations"),
        ("/api", "/", "/api"),
        ("/api", "/integrations", "/api/integrations"),
    ],
)
async def test_paths_are_where_the_routes_lie(app_path: str, path: str, root: str) -> None:
    """Under the application's own path and the plugin's."""
    document = await document_of(letters, app_path=app_path, path=path)
    assert document["paths"].keys() == {
        f"{app_path}/mine",
        f"{root}/connectors",
        f"{root}/connectors/{{key}}",
        f"{root}/connections",
        f"{root}/connections/{{key}}",
        f"{root}/connections/{{key}}/enable",
        f"{root}/connections/{{key}}/disable",
        f"{root}/webhooks/{{connector}}/{{token}}",
        f"{root}/webhooks/{{connector}}",
    }


async def test_an_application_without_a_document_runs() -> None:
    """There is nothing to describe."""
    builder = ConnectorManager.create().with_database(MemoryStore()).with_encryption(KEYRING)
    based = builder.with_base_url("https://app.example").add_scope(Organization)
    plugin = ConnectorsPlugin(based.add_connector(bot).build())
    async with Litestar(plugins=[plugin], openapi_config=None, logging_config=None).lifespan():
        pass
