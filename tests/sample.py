"""The connectors and tenant kinds that tests share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    Connector,
    ConnectorManager,
    Connectors,
    Keyring,
    MemoryStore,
    Scope,
    Secret,
    action,
)
from igniter_connectors.core.problem import ActionFailed
from igniter_connectors.ports import Store

CANARY = "canary-7f3a-do-not-leak"


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant with an identity."""


class System(Scope, frozen=True, tag="system"):
    """The kind of the one tenant that is the application itself."""

    identity: str = ""


class BotConfig(msgspec.Struct, frozen=True):
    """Config of the bot: one secret, one plain field."""

    token: Secret
    chat: Annotated[str, msgspec.Meta(min_length=1)]


class Say(msgspec.Struct, frozen=True):
    """Input of the actions."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Said(msgspec.Struct, frozen=True):
    """Output of the actions."""

    echo: str
    length: int


@action("say", input=Say, output=Said)
async def say(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Returns values that need the opened config."""
    return Success(Said(f"{call.config.chat}: {call.input.text}", len(call.config.token.reveal())))


@action("fail", input=Say, output=Said)
async def fail(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Fails with a reason."""
    return call.failed("no such chat")


@action("blow_up", input=Say, output=Said)
async def blow_up(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Raises an exception whose text contains the secret."""
    raise RuntimeError(f"GET https://api/bot{call.config.token.reveal()}/say failed")


@action("lie", input=Say, output=Said)
async def lie(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Returns an output that does not match its type. msgspec does not check on creation."""
    return Success(Said("x", "not a number"))  # type: ignore[arg-type]  # wrong on purpose


bot = (
    Connector.create("bot")
    .with_config(BotConfig)
    .add_action(say)
    .add_action(fail)
    .add_action(blow_up)
    .add_action(lie)
    .build()
)

KEYRING = Keyring.from_secret(Keyring.generate())


@asynccontextmanager
async def running_bot(
    store: Store | None = None,
) -> AsyncGenerator[Connectors[BotConfig, Organization | System], None]:
    """A running manager with the bot."""
    connectors = (
        ConnectorManager.create()
        .with_database(store or MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_scope(System)
        .add_connector(bot)
        .build()
    )
    async with connectors:
        yield connectors


def config(token: str = CANARY, chat: str = "42") -> BotConfig:
    """A config whose secret must not appear anywhere."""
    return BotConfig(Secret(token), chat)
