"""The whole document: valid, complete before the application starts, and at the right paths."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from litestar import Litestar
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from igniter_connectors import (
    ConnectorManager,
    MemoryStore,
)
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import CANARY, KEYRING, Organization, bot
from tests.web.document_app import app, connectors
from tests.web.documented import validator_of
from tests.web.openapi.document import (
    document_of,
    letters,
    parcels,
    signed_in,
)
from tests.web.served import bound_socket, port_of, served

OPERATIONS = {
    "ListConnectors",
    "GetConnector",
    "StartAuthorization",
    "FinishAuthorization",
    "ListConnections",
    "GetConnection",
    "PutConnection",
    "PatchConnection",
    "DeleteConnection",
    "EnableConnection",
    "DisableConnection",
    "CallAction",
    "ReceiveWebhook",
    "AnswerChallenge",
    "ReceiveApplicationWebhook",
    "AnswerApplicationChallenge",
}


async def test_the_command_line_writes_the_document_that_is_served(tmp_path: Path) -> None:
    """`litestar schema openapi` is a process of its own, and never starts the application."""
    output = tmp_path / "openapi.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "litestar", "--app", "tests.web.document_app:app"),
        *("schema", "openapi", "--output", str(output)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    written = json.loads(output.read_bytes())
    ids = {
        operation["operationId"]
        for item in written["paths"].values()
        for operation in item.values()
    }
    assert ids == OPERATIONS
    listener = bound_socket()
    async with served(app, listener):
        url = f"http://127.0.0.1:{port_of(listener)}/schema/openapi.json"
        async with httpx.AsyncClient() as browser:
            assert (await browser.get(url)).json() == written


@pytest.mark.parametrize(
    "known", [(parcels,), (bot,), (letters,), (signed_in,), (parcels, letters, signed_in)]
)
async def test_the_document_is_openapi_3_1(known: tuple[Any, ...]) -> None:
    """It fits the schema of the specification. Its own schemas and references are valid."""
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
    """No default of a field, no default config, and no secret of the application."""
    written = json.dumps(await document_of(parcels, letters, signed_in))
    assert CANARY not in written
    assert "an application's own secret" not in written


async def test_types_with_the_same_name_are_distinct() -> None:
    """The configs of two connectors, and a type of the application."""
    document = await document_of(letters, signed_in)
    schemas = document["components"]["schemas"]
    assert schemas["letters.config.Mail"]["required"] == ["key"]
    assert schemas["signed-in.config.Mail"]["required"] == ["scale"]
    assert schemas["Letter"]["required"] == ["text"]


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
async def test_paths_are_those_of_the_routes(app_path: str, path: str, root: str) -> None:
    """They start with the paths of the application and of the plugin."""
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
    """There is nothing to document."""
    builder = ConnectorManager.create().with_database(MemoryStore()).with_encryption(KEYRING)
    based = builder.with_base_url("https://app.example").add_scope(Organization)
    plugin = ConnectorsPlugin(based.add_connector(bot).build())
    async with Litestar(plugins=[plugin], openapi_config=None, logging_config=None).lifespan():
        pass


async def test_a_second_plugin_is_served_without_documentation() -> None:
    """Operation ids are unique in a document, so it has those of the first plugin."""
    app = Litestar(
        plugins=[ConnectorsPlugin(connectors), ConnectorsPlugin(connectors, path="/second")],
        logging_config=None,
    )
    paths = app.openapi_schema.to_schema()["paths"]
    assert "/connections" in paths
    assert not [path for path in paths if path.startswith("/second")]
