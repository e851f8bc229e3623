"""Calling an action on the memory store: look up, open, decode, validate, hand over, validate.

The floor does by hand what the call has to do and nothing else, on the same store and with the
same handler: one look-up, one decryption with a cipher kept for good and constant associated data,
two typed JSON decoders made once, and the input and the output each checked against their type. It
keeps what is not free and is part of the work: the secret reaches the handler in a type that
redacts itself, and a disabled connection is refused. Nothing in it is looked up, built or awaited
that the work does not need.
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
    """The action's input, as in the README's first example."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class MessageSent(msgspec.Struct, frozen=True):
    """The action's output. A right answer needs both the input and the opened secret."""

    message_id: int


Call: TypeAlias = Callable[[SendMessage], Awaitable[object]]

INPUT = SendMessage("hello")
OUTPUT = MessageSent(len(INPUT.text) + len(BOT_TOKEN))


class Organization(Scope, frozen=True, tag="organization"):
    """The tenant."""


class TelegramConfig(msgspec.Struct, frozen=True):
    """What the tenant gave: one secret, one plain field."""

    bot_token: Secret
    chat_id: str


@action("send_message", input=SendMessage, output=MessageSent)
async def send_message_action(
    call: ActionCall[TelegramConfig, object, SendMessage],
) -> Result[MessageSent, ActionFailed]:
    """Needs both the input and the opened secret, and does nothing else."""
    return Success(MessageSent(len(call.input.text) + len(call.config.bot_token.reveal())))


@asynccontextmanager
async def ours_call() -> AsyncGenerator[Call, None]:
    """`at.action(send_message).call(input)`, both steps each time, on the library's memory store.

    Connected once, outside the clock. The config has one `Secret`, `bot_token`, and a plain
    `chat_id`; the handler answers `MessageSent(len(text) + len(bot_token))`.
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
    """What someone careful would keep a token in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Redacted()"


class SecretPart(msgspec.Struct, frozen=True):
    """What lies in the sealed blob."""

    bot_token: str


class PublicPart(msgspec.Struct, frozen=True):
    """What lies in the record in clear."""

    chat_id: str


class Config(msgspec.Struct, frozen=True):
    """What the handler gets."""

    bot_token: Redacted
    chat_id: str


async def send_message(config: Config, message: SendMessage) -> Result[MessageSent, ActionFailed]:
    """The same handler, with the config and the input alone."""
    return Success(MessageSent(len(message.text) + len(config.bot_token.reveal())))


async def hand_written() -> Call:
    """The floor: everything that can be made once is made here. The store is the same."""
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
    """The original does the same on its mock store, except that it leaves the output unchecked."""
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
