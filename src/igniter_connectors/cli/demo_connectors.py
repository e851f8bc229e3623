"""The demo's tenant kind and connectors, defined as an application defines its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    ConfigConnector,
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
from igniter_connectors.problems import HandlerProblem
from igniter_connectors.webhooks import StandardWebhooks


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class Bot(msgspec.Struct, frozen=True):
    """Config of the bot connector."""

    token: Secret
    chat: str


class Drive(msgspec.Struct, frozen=True):
    """Config of the drive connector. It is empty, because the tenant authorizes instead."""


class Greet(msgspec.Struct, frozen=True):
    """Input of `greet`."""

    name: Annotated[str, msgspec.Meta(min_length=1)]


class Greeted(msgspec.Struct, frozen=True):
    """Output of `greet`."""

    text: str


class WhoAmI(msgspec.Struct, frozen=True):
    """Input of `who_am_i`: the provider's user info endpoint."""

    url: str


class Me(msgspec.Struct, frozen=True):
    """Output of `who_am_i`: the account that the token belongs to."""

    sub: str


class BotMessage(msgspec.Struct, frozen=True):
    """Payload of the bot's webhook."""

    text: str


received: list[BotMessage] = []
"""The payloads that the webhook handler got."""


@action("greet", input=Greet, output=Greeted)
async def greet(call: ActionCall[Bot, object, Greet]) -> Result[Greeted, ActionFailed]:
    """A real action would call the bot's API with `call.config.token`."""
    return Success(Greeted(f"Hello {call.input.name}, from chat {call.config.chat}"))


@action("who_am_i", input=WhoAmI, output=Me)
async def who_am_i(call: ActionCall[Drive, object, WhoAmI]) -> Result[Me, HandlerProblem]:
    """Calls the provider with the connection's access token."""
    response = await call.http.get(call.input.url)
    if not is_successful(response):
        return Failure(response.failure())
    me = response.unwrap().decode(Me)
    if not is_successful(me):
        return Failure(me.failure())
    return Success(me.unwrap())


async def on_message(
    call: WebhookCall[Bot, object, BotMessage],
) -> Result[None, WebhookFailed]:
    """Keeps the payload for the demo's check."""
    received.append(call.payload)
    return Success(None)


bot: ConfigConnector[Bot, None, Bot] = (
    Connector.create("bot")
    .with_config(Bot)
    .add_action(greet)
    .with_webhook(Webhook(payload=BotMessage, verification=StandardWebhooks(), handler=on_message))
    .build()
)


def drive(provider: OAuthProvider) -> OAuthConnector[Drive, None, Drive]:
    """An OAuth connector for the given provider."""
    return (
        Connector.create("drive")
        .with_config(Drive)
        .with_api(origin_of(provider.userinfo_url or provider.token_url))
        .add_action(who_am_i)
        .with_oauth(provider)
        .build()
    )
