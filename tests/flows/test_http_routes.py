"""Requests of any framework are answered by the path of their URL."""

from __future__ import annotations

import pytest

from igniter_connectors import HttpRequest, MemoryStore
from igniter_connectors.flows.http_routes import handle_request
from tests.flows.forge import ADA, forge
from tests.flows.mailroom import mailroom

BASE = "https://app.example"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/elsewhere", 404),
        ("GET", "/connectors/forge", 404),
        ("POST", "/connectors/forge/oauth/start", 405),
        ("GET", "/connectors/none/oauth/start", 404),
        ("GET", "/connectors/forge/oauth/start?ticket=x", 400),
        ("GET", "/connectors/forge/oauth/start?ticket=x&ticket=y", 400),
        ("GET", "/connectors/forge/oauth/callback?code=c&state=s", 400),
        ("POST", "/webhooks/forge", 404),
    ],
)
async def test_each_route_answers_for_itself(method: str, path: str, status: int) -> None:
    """No route has a side effect on another."""
    made = forge()
    answer = await handle_request(made.engine, HttpRequest(method, BASE + path), ADA, None)
    assert answer.status == status


async def test_the_oauth_routes_need_somebody_signed_in() -> None:
    """Before anything of the query is read."""
    made = forge()
    for route in ("start?ticket=x", "callback?code=c&state=s"):
        request = HttpRequest("GET", f"{BASE}/connectors/forge/oauth/{route}")
        assert (await handle_request(made.engine, request, None, None)).status == 401


async def test_another_site_cannot_open_the_start_route() -> None:
    """An upgrade has no ticket, so its URL needs a request of the same site."""
    made = forge()
    start = f"{BASE}/connectors/forge/oauth/start"
    for query, site, status in (
        ("?ticket=x", "cross-site", 403),
        ("?account=default", "cross-site", 403),
        ("?account=default", None, 403),
        ("?account=default", "same-site", 403),
        ("?account=default", "none", 404),
        ("?account=default", "same-origin", 404),
    ):
        headers = () if site is None else (("Sec-Fetch-Site", site),)
        request = HttpRequest("GET", start + query, headers)
        assert (await handle_request(made.engine, request, ADA, None)).status == status, (
            query,
            site,
        )


async def test_a_webhook_route_takes_deliveries_with_post_only() -> None:
    """A probe is answered without a look at its body."""
    async with mailroom(MemoryStore()) as room:
        engine = room.connectors._engine
        for method, status in (("PUT", 405), ("GET", 200), ("POST", 401)):
            request = HttpRequest(method, room.endpoint.url.reveal(), body=b"{}")
            answer = await handle_request(engine, request, None, None)
            assert answer.status == status, method
