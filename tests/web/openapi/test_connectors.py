"""The schemas of what each connector takes and answers."""

from __future__ import annotations

from igniter_connectors.core.connector.masking import MASK
from tests.sample import bot
from tests.web.openapi.document import (
    answer_of,
    body_of,
    document_of,
    letters,
    parcels,
    signed_in,
)


async def test_secrets_are_write_only_passwords() -> None:
    """In a config, a change and an input. In an answer the mask replaces them."""
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
    """A whole config connects, some of its fields change it, an input calls an action."""
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
    """A field that a change leaves out keeps its value."""
    schemas = (await document_of(letters))["components"]["schemas"]
    assert schemas["letters.config.Mail"]["properties"]["team"]["default"] == ""
    assert "default" not in schemas["letters.change"]["properties"]["team"]


async def test_connecting_answers_as_the_connectors_do() -> None:
    """201 and 200 for a connector by config; 202 and `return_to` for one with OAuth."""
    answers = []
    for known in ((letters,), (signed_in,), (letters, signed_in)):
        put = (await document_of(*known))["paths"]["/connections/{key}"]["put"]
        named = {one["name"] for one in put.get("parameters", ())}
        codes = put["responses"]["400"]["description"]
        assert ("return_to" in named) == ("RETURN_TO_INVALID" in codes) == (known[-1] is signed_in)
        answers.append({status for status in put["responses"] if status < "300"})
    assert answers == [{"200", "201"}, {"202"}, {"200", "201", "202"}]


async def test_each_operation_needs_a_caller_and_a_database() -> None:
    """401 and 503 for every operation that needs a caller; 500 where secrets are opened."""
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
        "FinishAuthorization",
    }


async def test_what_no_connector_has_is_left_out() -> None:
    """OAuth's two routes, and the actions, are there only if a connector has them."""
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


async def test_parameters_list_their_values() -> None:
    """The keys of the connectors that have such a route, and the open actions."""
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


async def test_a_connection_is_identified_by_its_connector() -> None:
    """It has the config of that connector. In a list it may be broken, without a config."""
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
