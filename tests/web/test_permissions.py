"""Who may use the routes."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.exceptions import NotAuthorizedException
from litestar.routes import HTTPRoute

from igniter_connectors import (
    ConnectorManager,
    Connectors,
    HttpRequest,
    MemoryStore,
    Principal,
)
from igniter_connectors.web import ConnectorsPlugin, Permit, PrincipalOf
from tests.sample import KEYRING, Organization
from tests.web.github import GitHub, who_is_signed_in
from tests.web.mail_site import GOOD, Mail, drive, mail, open_site


async def test_nobody_and_strangers_are_refused() -> None:
    """No session, another site, a form, a person without permission, another tenant."""
    async with open_site() as (browser, _):
        await browser.put("connections/mail", json=GOOD)
        out = await browser.get("connections", headers={"x-session": ""})
        assert (out.status_code, out.json()["code"]) == (401, "CONNECTOR_PRINCIPAL_REQUIRED")
        assert out.headers["content-type"] == "application/problem+json"
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"content-type": "text/plain"},
            {"content-type": "application/x-www-form-urlencoded"},
            {"x-session": "acme/intern"},
        ):
            refused = await browser.put("connections/mail", json=GOOD, headers=headers)
            assert refused.status_code == 403, headers
        assert (await browser.get("connections", headers={"x-session": "acme/intern"})).is_success
        rival = await browser.get("connections/mail", headers={"x-session": "rival/eve"})
        assert rival.json()["code"] == "CONNECTOR_NOT_CONNECTED"


WHERE = "http://127.0.0.1:9"
ADA = {"x-session": "acme/ada", "origin": WHERE, "sec-fetch-site": "same-origin"}

ROUTES: list[tuple[str, str, str]] = [
    ("GET", "/connectors", "read"),
    ("GET", "/connectors/{key}", "read"),
    ("GET", "/connectors/{key}/oauth/start", "authorize"),
    ("GET", "/connectors/{key}/oauth/callback", "authorize"),
    ("GET", "/connections", "read"),
    ("GET", "/connections/{key}", "read"),
    ("PUT", "/connections/{key}", "connect"),
    ("PATCH", "/connections/{key}", "update"),
    ("DELETE", "/connections/{key}", "disconnect"),
    ("POST", "/connections/{key}/enable", "enable"),
    ("POST", "/connections/{key}/disable", "disable"),
    ("POST", "/connections/{key}/actions/{name}", "action"),
]


def application(
    principal: PrincipalOf | None = who_is_signed_in,
    permit: Permit | None = None,
    *,
    debug: bool = False,
) -> tuple[Litestar, Connectors[Mail | GitHub, Organization]]:
    """An application in this process, with a connector by config and one by OAuth."""
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(WHERE)
        .add_scope(Organization)
        .add_connector(mail)
        .add_connector(drive)
        .build()
    )
    plugin = ConnectorsPlugin(connectors, principal=principal, permit=permit)
    return Litestar(plugins=[plugin], logging_config=None, debug=debug), connectors


def client_of(app: Any, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client of an application in this process. httpx has a wider type for one than Litestar."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=WHERE,
        headers=ADA if headers is None else headers,
    )


def own_routes(app: Litestar) -> list[tuple[str, str]]:
    """The method and path of every route of the plugin in an application's route table."""
    return [
        (method, re.sub(r":\w+", "", route.path))
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema")
        for method in sorted(route.methods)
        if method != "OPTIONS"  # Litestar's own: it lists the methods and runs nothing of ours
    ]


def test_the_route_table_is_the_one_that_is_tested() -> None:
    """A new route fails here until it says what it does."""
    app, _ = application()
    assert sorted(own_routes(app)) == sorted((method, path) for method, path, _ in ROUTES)


@pytest.mark.parametrize(("method", "path", "operation"), ROUTES)
async def test_every_route_asks_for_its_own_operation_first(
    method: str, path: str, operation: str
) -> None:
    """With that operation refused it answers 403, whatever the body; and permits nothing else."""
    asked: list[tuple[str, str, str]] = []

    async def permit(principal: Principal, wanted: str, connector: str) -> bool:
        asked.append((principal.subject, wanted, connector))
        return wanted != operation

    app, connectors = application(permit=permit)
    url = path.format(key="github", name="send")
    async with connectors, client_of(app) as client:
        answer = await client.request(method, url, content=b"{" * 100)
    assert answer.status_code == 403
    assert answer.json()["reason"] == "the application does not permit this"
    assert asked == [("ada", operation, "github" if "{key}" in path else "")]


@pytest.mark.parametrize(("method", "path", "_"), ROUTES)
async def test_access_comes_before_the_body_and_the_query(method: str, path: str, _: str) -> None:
    """Nobody learns anything about a body or a parameter without being signed in."""
    app, connectors = application()
    stranger = {name: value for name, value in ADA.items() if name != "x-session"}
    url = path.format(key="mail", name="send") + "?limit=many&account=%00"
    async with connectors, client_of(app, stranger) as client:
        for body in (b"", b"{", b"\xff", b"x" * 10_000_001):
            answer = await client.request(
                method, url, content=body, headers={"content-type": "application/json"}
            )
            assert answer.status_code == 401, body[:10]


@pytest.mark.parametrize(("method", "path", "_"), ROUTES)
@pytest.mark.parametrize(
    "variant", ["HEAD", "OPTIONS", "TRACE", "get", "slash", "encoded", "double"]
)
async def test_no_other_way_to_write_a_request_passes_the_check(
    method: str, path: str, _: str, variant: str
) -> None:
    """Another method, or another spelling of the path, is refused or does nothing."""

    async def permit(principal: Principal, operation: str, connector: str) -> bool:
        return False

    app, connectors = application(permit=permit)
    url = path.format(key="mail", name="send")
    if variant == "slash":
        url += "/"
    elif variant == "encoded":
        url = url.replace("mail", "%6Dail").replace("connect", "%63onnect")
    elif variant == "double":
        url = "/" + url.replace("mail", "/mail")
    else:
        method = variant
    async with connectors, client_of(app) as client:
        answer = await client.request(method, f"{WHERE}{url}")
    if method == "OPTIONS":
        assert (answer.status_code, answer.content) == (204, b"")
    else:
        assert answer.status_code in (403, 404, 405)


@pytest.mark.parametrize(
    ("connector", "is_connected", "refused"),
    [("mail", True, "update"), ("github", False, "authorize")],
)
async def test_a_put_asks_for_everything_that_it_does(
    connector: str, is_connected: bool, refused: str
) -> None:
    """Replacing a config is an update, and beginning an authorization is an authorize."""
    denied: set[str] = set()

    async def permit(principal: Principal, operation: str, connector: str) -> bool:
        return operation not in denied

    app, connectors = application(permit=permit)
    config = {"key": "k", "sender": "a", "webhook_secret": "s"}
    good = {
        name: config[name]
        for name in (("webhook_secret",) if connector == "github" else ("key", "sender"))
    }
    async with connectors, client_of(app) as client:
        if is_connected:
            assert (await client.put(f"/connections/{connector}", json=good)).status_code == 201
        denied.add(refused)
        assert (await client.put(f"/connections/{connector}", json=good)).status_code == 403
        denied.clear()
        assert (await client.put(f"/connections/{connector}", json=good)).is_success


@pytest.mark.parametrize("station", ["start?ticket=x", "start?account=default", "callback?state=x"])
async def test_handle_asks_permit_too(station: str) -> None:
    """An application without the plugin gives `handle` the same rule."""
    asked: list[tuple[str, str]] = []

    async def permit(principal: Principal, operation: str, connector: str) -> bool:
        asked.append((operation, connector))
        return False

    _, connectors = application()
    request = HttpRequest("GET", f"{WHERE}/connectors/github/oauth/{station}")
    async with connectors:
        who = Principal(Organization("acme"), "intern")
        answer = await connectors.handle(request, principal=who, permit=permit)
        assert answer.status == 403
        assert asked == [("authorize", "github")]
        assert (await connectors.handle(request, permit=permit)).status == 401
        assert len(asked) == 1


SECRET = "canary-of-a-posted-secret"


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
@pytest.mark.parametrize("hook", ["principal", "permit"])
async def test_a_hook_that_raises_never_reaches_the_debug_page(
    hook: str, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with type and frames; a plain 500. The page would show text and source code."""

    async def broken(*_: object) -> Any:
        raise ValueError(f"no session for {SECRET}")

    app, connectors = application(
        principal=broken if hook == "principal" else who_is_signed_in,
        permit=broken if hook == "permit" else None,
        debug=True,
    )
    async with connectors, client_of(app) as client:
        for method, path, _ in ROUTES:
            caplog.clear()
            url = path.format(key="mail" if "oauth" not in path else "github", name="send")
            answer = await client.request(
                method, f"{url}?ticket={SECRET}", json={"key": SECRET}, headers={"accept": accept}
            )
            assert (answer.status_code, answer.json()["code"]) == (500, "CONNECTOR_ROUTE_FAILED")
            assert SECRET not in answer.text
            lines = [one for one in caplog.records if one.name == "igniter_connectors"]
            assert len(lines) == 1
            line = lines[0].getMessage()
            assert f"{hook} raised ValueError" in line
            assert "test_permissions.py" in line
            assert SECRET not in line


async def test_an_application_s_own_answer_passes() -> None:
    """A hook may raise Litestar's 4xx, such as a 401 with a challenge of its own."""

    async def strict(_: object) -> Principal | None:
        raise NotAuthorizedException("sign in", headers={"WWW-Authenticate": "Basic"})

    app, connectors = application(principal=strict, debug=True)
    async with connectors, client_of(app) as client:
        answer = await client.get("/connections")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Basic")


async def test_a_permit_that_forgets_its_answer_permits_nothing() -> None:
    """None and a coroutine that nobody awaited are no permission."""

    async def permit(*_: object) -> Any:
        return None

    app, connectors = application(permit=permit)
    async with connectors, client_of(app) as client:
        assert (await client.get("/connections")).status_code == 403
