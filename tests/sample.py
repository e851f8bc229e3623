"""Connectors that the tests share: a bot with a token, and tenants of two kinds."""

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
    """A tenant with an identity."""


class System(Scope, frozen=True, tag="system"):
    """The tenant that is the application itself."""

    identity: str = ""


class BotConfig(msgspec.Struct, frozen=True):
    """One secret, one plain field."""

    token: Secret
    chat: Annotated[str, msgspec.Meta(min_length=1)]


class Say(msgspec.Struct, frozen=True):
    """The input."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Said(msgspec.Struct, frozen=True):
    """The output."""

    echo: str
    length: int


@action("say", input=Say, output=Said)
async def say(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Proves that it was given the opened config."""
    return Success(Said(f"{call.config.chat}: {call.input.text}", len(call.config.token.reveal())))


@action("fail", input=Say, output=Said)
async def fail(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Says that it could not."""
    return call.failed("no such chat")


@action("blow_up", input=Say, output=Said)
async def blow_up(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Raises with the secret in its text, as careless code does."""
    raise RuntimeError(f"GET https://api/bot{call.config.token.reveal()}/say failed")


@action("lie", input=Say, output=Said)
async def lie(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
    """Returns what does not fit its type; msgspec does not look when it is made."""
    return Success(Said("x", "not a number"))  # type: ignore[arg-type]  # the lie


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
    """A manager of the bot."""
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
    """A config with a secret that must not be found anywhere."""
    return BotConfig(Secret(token), chat)
