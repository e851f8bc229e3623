"""Requests made from the OpenAPI document, good and bad: none is a server error."""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
import msgspec
from tests.postgres.databases import Databases
from tests.postgres.server import Server

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.openapi_server import Served

OPERATIONS = frozenset(
    {
        ("/connectors", "get"),
        ("/connectors/{key}", "get"),
        ("/connectors/{key}/oauth/start", "get"),
        ("/connectors/{key}/oauth/callback", "get"),
        ("/connections", "get"),
        ("/connections/{key}", "get"),
        ("/connections/{key}", "put"),
        ("/connections/{key}", "patch"),
        ("/connections/{key}", "delete"),
        ("/connections/{key}/enable", "post"),
        ("/connections/{key}/disable", "post"),
        ("/connections/{key}/actions/{name}", "post"),
        ("/webhooks/{connector}/{token}", "post"),
        ("/webhooks/{connector}/{token}", "get"),
        ("/webhooks/{connector}", "post"),
        ("/webhooks/{connector}", "get"),
    }
)


async def schemathesis_run(examples: int = 40) -> Figure:
    """Counts the server errors, by the server's own count too, and the operations left out."""
    return await asyncio.to_thread(_run, examples)


def _run(examples: int) -> Figure:
    with (
        Server() as server,
        Databases(server.url()).migrated() as url,
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reliability.openapi_server", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            served = msgspec.json.decode(process.stdout.readline(), type=Served)
            origin = f"http://127.0.0.1:{served.port}"
            document = httpx.get(f"{origin}/schema/openapi.json").json()
            missing = OPERATIONS - {
                (path, method) for path, item in document["paths"].items() for method in item
            }
            _aim(document, served)
            file = Path(folder, "openapi.json")
            _ = file.write_text(json.dumps(document))
            tested = _schemathesis(file, origin, folder, examples)
        finally:
            process.stdin.close()
        statuses = {int(key): n for key, n in json.loads(process.stdout.readline()).items()}
    requests = sum(statuses.values())
    errors = sum(number for status, number in statuses.items() if status >= 500)
    good = sum(number for status, number in statuses.items() if status < 300)
    if tested.returncode != 0:
        sys.stderr.write(tested.stdout[-4000:])
    return Figure(
        "schemathesis",
        f"{errors} server errors in {requests} answers ({good} of them 2xx),"
        f" {len(missing)} operations not in the document",
        "0 and 0",
        tested.returncode == 0 and not errors and not missing and good > 0,
    )


def _schemathesis(
    file: Path, origin: str, folder: str, examples: int
) -> subprocess.CompletedProcess[str]:
    options = {
        "--url": origin,
        "--header": f"Origin: {origin}",
        "--checks": "not_a_server_error",
        "--phases": "coverage,fuzzing",
        "--max-examples": str(examples),
        "--request-timeout": "20",
        "--generation-database": "none",
        "--seed": "1",
    }
    words = [word for option in options.items() for word in option]
    return subprocess.run(
        ["schemathesis", "run", str(file), *words, "--continue-on-failure", "--no-color"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def _aim(document: dict[str, Any], served: Served) -> None:
    """Names what there is to be found, beside what there is not, so that not all is a 404, and
    says what the bodies are, which the document leaves to the application's connectors."""
    known = {
        "key": ["mail", "pages", "drive"],
        "connector": ["mail", "pages", "drive"],
        "token": [served.token],
        "name": ["say"],
    }
    body = {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in ("key", "team", "text")},
                    "required": ["key", "text"],
                }
            }
        },
    }
    for path, item in document["paths"].items():
        operations = [item[method] for method in ("get", "put", "post", "patch") if method in item]
        for operation in (item, *operations, item.get("delete", {})):
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    found = {"enum": known[parameter["name"]]}
                    parameter["schema"] = {"anyOf": [found, {"type": "string", "minLength": 1}]}
        for method in ("put", "patch", "post"):
            if method in item and not path.endswith("able"):
                item[method]["requestBody"] = body
