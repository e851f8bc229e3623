"""The connectors of the demo, as an application would define its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from returns.pipeline import is_successful
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    OAuthConnector,
    OAuthProvider,
    Scope,
    Secret,
    Webhook,
    WebhookCall,
    WebhookFailed,
    action,
)
from igniter_connectors.core.http.messages import origin_of
from igniter_connectors.webhooks import StandardWebhooks


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
    answer = await call.http.get(call.input.url)
    if not is_successful(answer):
        return call.failed(answer.failure().message)
    me = answer.unwrap().decode(Me)
    if not is_successful(me):
        return call.failed(me.failure().message)
    return Success(me.unwrap())


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
        .with_api(origin_of(provider.userinfo_url or provider.token_url))
        .add_action(who_am_i)
        .with_oauth(provider)
        .build()
    )
