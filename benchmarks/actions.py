"""Calling an action on the memory store: look up, open, decode, validate, call, validate.

The floor is hand-written, with the same store and the same handler, and does only the necessary
work: one look-up, one decryption with a reused cipher and constant associated data, two reused
typed JSON decoders, and a check of input and output against their types. It keeps the parts that
cost time and belong to the work: the secret reaches the handler in a type that redacts itself, and
a disabled connection is refused.
"""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from returns.result import Result, Success

from benchmarks.measure import AtMost, Benchmark, Sides, repeat_awaited
from benchmarks.original import node_batch
from igniter_connectors import (
    ActionCall,
    Connector,
    ConnectorManager,
    Keyring,
    MemoryStore,
    Scope,
    Secret,
    action,
    value_or_raise,
)
from igniter_connectors.core.connection.record import ConnectionKey, ConnectionRecord
from igniter_connectors.core.problem import ActionFailed

BOT_TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8"
CHAT_ID = "42"


class SendMessage(msgspec.Struct, frozen=True):
    """Input of the action, as in the README's first example."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class MessageSent(msgspec.Struct, frozen=True):
    """Output of the action. A correct value needs both the input and the opened secret."""

    message_id: int


Call: TypeAlias = Callable[[SendMessage], Awaitable[object]]

INPUT = SendMessage("hello")
OUTPUT = MessageSent(len(INPUT.text) + len(BOT_TOKEN))


class Organization(Scope, frozen=True, tag="organization"):
    """A kind of tenant."""


class TelegramConfig(msgspec.Struct, frozen=True):
    """Config of the connector: one secret, one plain field."""

    bot_token: Secret
    chat_id: str


@action("send_message", input=SendMessage, output=MessageSent)
async def send_message_action(
    call: ActionCall[TelegramConfig, object, SendMessage],
) -> Result[MessageSent, ActionFailed]:
    """Uses the input and the opened secret, and does nothing else."""
    return Success(MessageSent(len(call.input.text) + len(call.config.bot_token.reveal())))


@asynccontextmanager
async def ours_call() -> AsyncGenerator[Call, None]:
    """`at.action(send_message).call(input)`, both steps each time, on the library's memory store.

    The connection is made before the timing starts.
    """
    telegram = (
        Connector.create("telegram")
        .with_config(TelegramConfig)
        .add_action(send_message_action)
        .build()
    )
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(Keyring.from_secret(Keyring.generate()))
        .add_scope(Organization)
        .add_connector(telegram)
        .build()
    )
    async with connectors:
        at_telegram = connectors.scope(Organization("acme")).at(telegram)
        value_or_raise(await at_telegram.connect(TelegramConfig(Secret(BOT_TOKEN), CHAT_ID)))

        def call(message: SendMessage) -> Awaitable[object]:
            return at_telegram.action(send_message_action).call(message)

        yield call


class Redacted:
    """A hand-written type that hides a token in its repr."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Redacted()"


class SecretPart(msgspec.Struct, frozen=True):
    """The sealed part of the config."""

    bot_token: str


class PublicPart(msgspec.Struct, frozen=True):
    """The public part of the config."""

    chat_id: str


class Config(msgspec.Struct, frozen=True):
    """The config that the handler gets."""

    bot_token: Redacted
    chat_id: str


async def send_message(config: Config, message: SendMessage) -> Result[MessageSent, ActionFailed]:
    """The same handler, with only the config and the input."""
    return Success(MessageSent(len(message.text) + len(config.bot_token.reveal())))


async def hand_written() -> Call:
    """The hand-written floor. Everything reusable is created once. The store is the same."""
    cipher = AESGCM(AESGCM.generate_key(256))
    associated_data = b"organization\x00acme\x00telegram\x00default\x00config"
    nonce = os.urandom(12)
    plaintext = msgspec.json.encode(SecretPart(BOT_TOKEN))
    key = ConnectionKey("organization", "acme", "telegram")
    store = MemoryStore()
    await store.insert(
        ConnectionRecord(
            key=key,
            id="1",
            public_config=msgspec.json.encode(PublicPart(CHAT_ID)),
            sealed_config=nonce + cipher.encrypt(nonce, plaintext, associated_data),
            enabled=True,
            version=1,
            created_at=datetime.now(UTC),
            updated_at=datetime.now(UTC),
        )
    )
    find, decrypt = store.find, cipher.decrypt
    decode_public = msgspec.json.Decoder(PublicPart).decode
    decode_secret = msgspec.json.Decoder(SecretPart).decode
    convert, to_builtins = msgspec.convert, msgspec.to_builtins

    async def call(message: SendMessage) -> MessageSent:
        record = await find(key)
        if record is None or not record.enabled:
            raise PermissionError
        sealed = record.sealed_config
        secret = decode_secret(decrypt(sealed[:12], sealed[12:], associated_data))
        config = Config(Redacted(secret.bot_token), decode_public(record.public_config).chat_id)
        sent = await send_message(config, convert(to_builtins(message), SendMessage))
        return convert(to_builtins(sent.unwrap()), MessageSent)

    return call


@asynccontextmanager
async def against_by_hand() -> AsyncGenerator[Sides, None]:
    async with ours_call() as call:
        yield Sides(
            ours=await repeat_awaited(call, INPUT, Success(OUTPUT)),
            against=await repeat_awaited(await hand_written(), INPUT, OUTPUT),
        )


@asynccontextmanager
async def against_the_original() -> AsyncGenerator[Sides, None]:
    """The original does the same on its mock store, but does not check the output."""
    with node_batch("action-memory") as original:
        async with ours_call() as call:
            yield Sides(ours=await repeat_awaited(call, INPUT, Success(OUTPUT)), against=original)


ROWS = (
    Benchmark(
        name="action-memory",
        against="by hand",
        bar=AtMost(1.5),
        open_sides=against_by_hand,
    ),
    Benchmark(
        name="action-memory-original",
        against="the original on Node",
        bar=AtMost(0.45),
        open_sides=against_the_original,
    ),
)
