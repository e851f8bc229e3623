"""The plugin in an application."""

from __future__ import annotations

import pytest

from igniter_connectors import WrongWiring
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import bot, running_bot
from tests.web.mail_site import open_site


async def test_the_plugin_needs_a_base_url() -> None:
    """The error is raised while the application is built."""
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring, match="with_base_url"):
            ConnectorsPlugin(connectors)
    assert bot.key == "bot"


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
