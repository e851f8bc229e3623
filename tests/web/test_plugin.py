"""The plugin in an application."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get
from litestar.params import FromPath
from litestar.testing import AsyncTestClient

from igniter_connectors import (
    ConnectorError,
    ConnectorManager,
    MemoryStore,
    Principal,
    WrongWiring,
)
from igniter_connectors.problems import BuildInvalid, NotConnected, RefreshFailed, RouteFailed
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import CANARY, KEYRING, Organization, bot, running_bot
from tests.web.mail_site import open_site


async def test_the_plugin_needs_a_base_url() -> None:
    """The error is raised while the application is built."""
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring, match="with_base_url"):
            ConnectorsPlugin(connectors)
    assert bot.key == "bot"


def site(**options: Any) -> Litestar:
    """An application with the plugin, and with routes of its own that raise."""
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(bot)
        .build()
    )

    @get("/own/{kind:str}")
    async def own(kind: FromPath[str]) -> None:
        if kind == "wiring":
            raise WrongWiring(BuildInvalid(CANARY))
        later = datetime(2030, 1, 1, tzinfo=UTC)
        raise ConnectorError(NotConnected("bot") if kind == "404" else RefreshFailed("bot", later))

    return Litestar([own], plugins=[ConnectorsPlugin(connectors)], **options)


@pytest.mark.parametrize("debug", [False, True])
async def test_a_connector_error_in_a_route_of_the_application_is_answered(debug: bool) -> None:
    """As the plugin's own routes answer: the problem's status and details."""
    async with AsyncTestClient(site(debug=debug)) as browser:
        answer = await browser.get("/own/404")
        assert (answer.status_code, answer.json()["code"]) == (404, "CONNECTOR_NOT_CONNECTED")
        assert answer.headers["content-type"] == "application/problem+json"
        later = await browser.get("/own/503")
        assert (later.status_code, later.headers["retry-after"]) == (
            503,
            "Tue, 01 Jan 2030 00:00:00 GMT",
        )
        wrong = await browser.get("/own/wiring")
        assert (wrong.status_code, wrong.json()["code"]) == (500, "CONNECTOR_ROUTE_FAILED")
        assert CANARY not in wrong.text


async def test_the_applications_own_handler_of_a_connector_error_takes_precedence() -> None:
    """The plugin adds one; it replaces none."""

    def teapot(_: Request[Any, Any, Any], error: ConnectorError) -> Response[str]:
        return Response(error.problem.code, status_code=418)

    async with AsyncTestClient(site(exception_handlers={ConnectorError: teapot})) as browser:
        assert (await browser.get("/own/404")).status_code == 418


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("user-7", "must return a Principal or None, and returned str"),
        ({"subject": "u"}, "must return a Principal or None, and returned dict"),
    ],
)
async def test_a_principal_hook_that_returns_another_type_is_named(
    returned: object, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the plugin and in `handle`: one line in the log, and a plain 500."""

    async def who(_: object) -> Principal | None:
        return returned  # type: ignore[return-value]  # the misuse

    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url("https://app.example.com")
        .add_scope(Organization)
        .add_connector(bot)
        .build()
    )
    app = Litestar(plugins=[ConnectorsPlugin(connectors, principal=who)], logging_config=None)
    async with AsyncTestClient(app) as browser:
        assert (await browser.get("/connections")).status_code == 500
        assert caplog.text.count(says) == 1
    checked = await connectors.check_access(returned, "read")  # type: ignore[arg-type]
    assert isinstance(checked.failure(), RouteFailed)
    assert caplog.text.count(says) == 2


async def test_the_openapi_document_names_every_route() -> None:
    """The application's own document has them."""
    async with open_site() as (browser, _):
        document = (await browser.get("schema/openapi.json")).json()
        assert {
            "/connectors",
            "/connectors/{key}",
            "/connections",
            "/connections/{key}",
            "/connections/{key}/enable",
            "/connections/{key}/actions/{name}",
            "/connectors/{key}/oauth/start",
        } <= set(document["paths"])
