"""Valid and invalid requests, generated from the OpenAPI document: none causes a server error, and
every response has a status, a media type and a body that the document describes."""

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

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


async def schemathesis_run(examples: int = 40) -> Figure:
    """Counts server errors (also by the server's own count), responses that do not match the
    document, and missing operations."""
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
            _add_token(document, served)
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
        f" {'each' if tested.returncode == 0 else 'NOT each'} as the document says,"
        f" {len(missing)} operations not in it",
        "0, each, 0",
        tested.returncode == 0 and not errors and not missing and good > 0,
    )


def _schemathesis(
    file: Path, origin: str, folder: str, examples: int
) -> subprocess.CompletedProcess[str]:
    options = {
        "--url": origin,
        "--header": f"Origin: {origin}",
        "--checks": ",".join(CHECKS),
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


def _add_token(document: dict[str, Any], served: Served) -> None:
    """Adds the valid webhook token, which the document cannot contain, to the generated ones."""
    path = document["paths"]["/webhooks/{connector}/{token}"]
    # OpenAPI allows parameters at the path and at each of its operations.
    for owner in (path, *(path[method] for method in ("get", "post"))):
        for parameter in owner.get("parameters", ()):
            if parameter["name"] == "token":
                known = {"enum": [served.token]}
                parameter["schema"] = {"anyOf": [known, parameter["schema"]]}
