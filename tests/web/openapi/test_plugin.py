"""The document is complete before the application starts."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx

from tests.web.document_app import app
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
