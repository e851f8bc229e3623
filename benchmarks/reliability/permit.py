"""A route that does its work although the application refused the operation: none may."""

import re
import tempfile
from pathlib import Path
from typing import get_args

import httpx
from litestar.routes import HTTPRoute

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import ACME, OAuthApp, provider_of, running_apps
from igniter_connectors import HttpRequest, Principal, SQLiteStore
from igniter_connectors.testing import running_provider
from igniter_connectors.typing import Operation

MIN_ASKED = 96


class Rule:
    """The application's permit: refuses one operation, and remembers what it was asked."""

    def __init__(self) -> None:
        self.refused = ""
        self.asked: list[str] = []

    async def __call__(self, _: Principal, operation: str, __: str) -> bool:
        """Whether the operation is not the refused one."""
        self.asked.append(operation)
        return operation != self.refused


async def permit() -> Figure:
    """Sends a request to every route of the route table, with each operation refused in turn."""
    rule, tried, passed = Rule(), 0, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "connectors.db")
        async with (
            running_provider() as provider,
            running_apps(provider_of(provider), [store], permit=rule) as (app,),
            httpx.AsyncClient(base_url=app.origin, trust_env=False) as client,
        ):
            for method, path in routes_of(app):
                refusals = 0
                for operation in get_args(Operation):
                    rule.refused, rule.asked = operation, []
                    status = await send(app, client, method, path)
                    tried += 1
                    is_refused = status == 403 and rule.asked[-1:] == [operation]
                    refusals += is_refused
                    if not rule.asked or (operation in rule.asked and not is_refused):
                        passed.append(f"{method} {path} without {operation}")
                if refusals == 0:
                    passed.append(f"{method} {path} is never refused")
    shown = f": {', '.join(passed[:3])}" if passed else ""
    return Figure(
        "permit",
        f"{len(passed)} of {tried} requests passed without their permission{shown}",
        f"0 of at least {MIN_ASKED}",
        not passed and tried >= MIN_ASKED,
    )


def routes_of(app: OAuthApp) -> list[tuple[str, str]]:
    """Every method and path that the plugin serves, and the two of `handle`."""
    known = [
        (method, re.sub(r":\w+", "", route.path))
        for route in app.litestar.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/connect")
        for method in route.methods - {"OPTIONS"}  # it only lists the methods
    ]
    oauth = "/connectors/{key}/oauth"
    return [*sorted(known), ("handle", f"{oauth}/start"), ("handle", f"{oauth}/callback")]


async def send(app: OAuthApp, client: httpx.AsyncClient, method: str, path: str) -> int:
    """Sends one request, and returns its status."""
    url = path.format(key="forge", name="ping")
    if method == "handle":
        who = Principal(ACME, "ada")
        request = HttpRequest("GET", f"{app.origin}{url}?ticket=x&state=x")
        return (await app.connectors.handle(request, principal=who, permit=app.permit)).status
    headers = {"x-session": "acme/ada", "origin": app.origin}
    answer = await client.request(method, url, json={"hook": "h"}, headers=headers)
    return answer.status_code
