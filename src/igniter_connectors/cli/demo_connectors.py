"""The connectors of the demo, as an application would define its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from returns.pipeline import is_successful
from returns.result import Result, Success

from igniter_connectors.api import (
    ActionCall,
    ActionFailed,
    Connector,
    HttpRequest,
    OAuthConnector,
    OAuthProvider,
    Scope,
    Secret,
    StandardWebhooks,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
)


class Organization(Scope, frozen=True, tag="organization"):
    """The kind of tenant."""


class Bot(msgspec.Struct, frozen=True):
    """What a tenant gives to connect the bot."""

    token: Secret
    chat: str


class Drive(msgspec.Struct, frozen=True):
    """Nothing to configure: the tenant authorizes."""


class Greet(msgspec.Struct, frozen=True):
    """Whom to greet."""

    name: Annotated[str, msgspec.Meta(min_length=1)]


class Greeted(msgspec.Struct, frozen=True):
    """What was said."""

    text: str


class WhoAmI(msgspec.Struct, frozen=True):
    """Where the provider tells whose token it is."""

    url: str


class Me(msgspec.Struct, frozen=True):
    """The account."""

    sub: str


class BotMessage(msgspec.Struct, frozen=True):
    """A webhook's payload."""

    text: str


received: list[BotMessage] = []
"""What the webhook's handler was given."""


@action("greet", input=Greet, output=Greeted)
async def greet(call: ActionCall[Bot, object, Greet]) -> Result[Greeted, ActionFailed]:
    """Would call the bot's service with `call.config.token`."""
    return Success(Greeted(f"Hello {call.input.name}, from chat {call.config.chat}"))


@action("who_am_i", input=WhoAmI, output=Me)
async def who_am_i(call: ActionCall[Drive, object, WhoAmI]) -> Result[Me, ActionFailed]:
    """Calls the provider with the connection's access token."""
    if call.access_token is None:
        return call.failed("there is no token")
    header = call.access_token.authorization_header()
    answer = await call.http.send(HttpRequest("GET", call.input.url, (header,)))
    if not is_successful(answer) or answer.unwrap().status != 200:
        return call.failed("the provider did not take the token")
    return Success(msgspec.json.decode(answer.unwrap().body, type=Me))


async def on_message(
    call: WebhookCall[Bot, object, BotMessage],
) -> Result[None, WebhookFailed]:
    """Keeps what came."""
    received.append(call.payload)
    return Success(None)


bot = (
    Connector.create("bot")
    .with_config(Bot)
    .add_action(greet)
    .with_webhook(Webhook(payload=BotMessage, verification=StandardWebhooks(), handler=on_message))
    .build()
)


def drive(provider: OAuthProvider) -> OAuthConnector[Drive, None, Drive]:
    """The OAuth connector at a provider."""
    return (
        Connector.create("drive")
        .with_config(Drive)
        .add_action(who_am_i)
        .with_oauth(provider)
        .build()
    )
