"""A served application with a connector by config and one by OAuth."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import msgspec
from litestar import Litestar
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    MemoryStore,
    OAuthProvider,
    Principal,
    Secret,
    action,
    http_action,
)
from igniter_connectors.web import ConnectorsPlugin
from igniter_connectors.webhooks import DeliveryLimits
from tests.sample import CANARY, KEYRING, Organization
from tests.web.documented import Documented
from tests.web.github import github, who_is_signed_in
from tests.web.served import bound_socket, port_of, served


class Mail(msgspec.Struct, frozen=True):
    """A config with an optional secret beside a required one."""

    key: Secret
    sender: str
    spare: Secret | None = None


class Send(msgspec.Struct, frozen=True):
    """The input."""

    to: str


class Card(msgspec.Struct, frozen=True):
    """The metadata in the catalogue."""

    name: str
    icon: str


@http_action("send", input=Send, output=dict[str, str])
async def send(call: ActionCall[Mail, object, Send]) -> Result[dict[str, str], ActionFailed]:
    """Open to the tenant's users."""
    if call.input.to == "nobody":
        return call.failed("no such person")
    return Success({"to": call.input.to, "from": call.config.sender})


@action("purge", input=Send, output=None)
async def purge(call: ActionCall[Mail, object, Send]) -> Result[None, ActionFailed]:
    """Only for the application's own code."""
    return Success(None)


mail = (
    Connector.create("mail")
    .with_config(Mail)
    .with_metadata(Card("Mail", "mail.svg"))
    .add_action(send)
    .add_action(purge)
    .build()
)
drive = github(
    OAuthProvider(
        authorization_url="https://drive.example/authorize",
        token_url="https://drive.example/token",
        client_id="app",
        client_secret=Secret(CANARY + "-client"),
    )
)


@asynccontextmanager
async def open_site(
    path: str = "/", *, app_path: str = "", limits: DeliveryLimits | None = None
) -> AsyncGenerator[tuple[httpx.AsyncClient, str], None]:
    """A browser of Ada of acme, on our own site. Each answer is checked against the document."""
    listener = bound_socket()
    origin = f"http://127.0.0.1:{port_of(listener)}"
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(origin + app_path + path)
        .with_delivery_limits(limits or DeliveryLimits())
        .add_scope(Organization)
        .add_connector(mail)
        .add_connector(drive)
        .build()
    )

    async def permit(principal: Principal, operation: str, connector: str) -> bool:
        return principal.subject != "intern" or operation == "read"

    plugin = ConnectorsPlugin(connectors, principal=who_is_signed_in, permit=permit, path=path)
    app = Litestar(path=app_path, plugins=[plugin], logging_config=None)
    headers = {"x-session": "acme/ada", "origin": origin}
    async with served(app, listener):
        hooks = {"response": [Documented(app).check]}
        async with httpx.AsyncClient(
            base_url=origin + app_path + path, headers=headers, event_hooks=hooks
        ) as browser:
            yield browser, origin


GOOD = {"key": CANARY, "sender": "a@b.example"}
