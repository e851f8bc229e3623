"""Sealing and opening the parts of a row."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from returns.result import Failure, Success

from igniter_connectors import (
    ConnectorManager,
    Keyring,
    MemoryStore,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.problem import (
    ConfigInvalid,
    DecryptFailed,
)
from igniter_connectors.flows.sealing import (
    NotOpened,
    open_bytes,
    open_config,
    open_tokens,
    place_of,
    seal_bytes,
)
from igniter_connectors.problems import EncryptFailed
from tests.flows.forge import KEY, Team, forge
from tests.sample import (
    CANARY,
    BotConfig,
    Organization,
    bot,
    config,
    running_bot,
)

ACME = Organization("acme")


async def test_a_sealed_config_opens_at_its_own_address_alone() -> None:
    """Neither another tenant nor another account opens it."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        sealed = value_or_raise(at.seal_config(config()))
        assert CANARY not in sealed.reveal()
        assert value_or_raise(at.open_config(sealed)) == config()
        for other in (
            connectors.scope(Organization("x")).at(bot),
            connectors.scope(ACME).at(bot, account="b"),
        ):
            assert other.open_config(sealed) == Failure(DecryptFailed("bot"))
        assert at.open_config(Secret("zz")) == Failure(DecryptFailed("bot"))
        assert isinstance(problem_of(at.seal_config(BotConfig(Secret("x"), ""))), ConfigInvalid)


async def test_a_key_taken_out_of_the_keyring_is_told_as_such() -> None:
    """The row is broken, not lost: the old secret as a previous one opens it again."""
    store = MemoryStore()
    old, new = Keyring.generate(), Keyring.generate()

    def manager(keyring: Keyring) -> ConnectorManagerOfBot:
        return ConnectorManagerOfBot(store, keyring)

    async with manager(Keyring.from_secret(old)).connectors as connectors:
        value_or_raise(await connectors.scope(ACME).at(bot).connect(config()))
    async with manager(Keyring.from_secret(new)).connectors as connectors:
        assert await connectors.scope(ACME).at(bot).get() == Failure(DecryptFailed("bot"))
    async with manager(Keyring.from_secret(new, previous=[old])).connectors as connectors:
        at = connectors.scope(ACME).at(bot)
        assert value_or_raise(await at.get()).config == config()
        value_or_raise(await at.update(config("resealed")))
    async with manager(Keyring.from_secret(new)).connectors as connectors:
        assert value_or_raise(await connectors.scope(ACME).at(bot).get()).config == config(
            "resealed"
        )


class ConnectorManagerOfBot:
    """The bot's manager over a store and a keyring."""

    def __init__(self, store: MemoryStore, keyring: Keyring) -> None:
        self.connectors = (
            ConnectorManager.create()
            .with_database(store)
            .with_encryption(keyring)
            .add_scope(Organization)
            .add_connector(bot)
            .build()
        )


async def test_tokens_open_for_their_row_and_generation_only() -> None:
    """An old envelope cannot be put back."""
    made = forge()
    await made.connect()
    record = await made.record()
    assert record.grant is not None
    assert value_or_raise(open_tokens(made.engine, record)).access_token.reveal() == "access-1"
    for moved in (
        replace(record, id="other"),
        replace(record, grant=replace(record.grant, generation=2)),
        replace(record, key=replace(KEY, account="other")),
        replace(record, grant=None),
    ):
        assert open_tokens(made.engine, moved) == Failure(DecryptFailed("forge"))


async def test_a_config_that_does_not_open_says_why() -> None:
    """Another key, or another type."""
    made = forge()
    await made.connect()
    record = await made.record()
    assert open_config(made.engine, made.connector, record) == Team()
    for changed, problem in (
        (replace(record, id="other"), DecryptFailed("forge")),
        (
            replace(record, public_config=b'{"name":7}'),
            ConfigInvalid("forge", "$.name", "is no string, but a number"),
        ),
    ):
        with pytest.raises(NotOpened) as caught:
            open_config(made.engine, made.connector, changed)
        assert type(caught.value.problem) is type(problem)


def test_two_seals_of_one_text_differ() -> None:
    """The nonce is fresh."""
    engine = forge().engine
    binding = place_of("config", KEY, "row")
    one, two = (value_or_raise(seal_bytes(engine, b"text", binding)) for _ in range(2))
    assert one != two
    assert open_bytes(engine, two, binding) == Success(b"text")
    assert open_bytes(engine, two, place_of("config", KEY, "row2")) == Failure(
        DecryptFailed("forge")
    )
    assert seal_bytes(engine, b"x" * (1024 * 1024 + 1), binding) == Failure(EncryptFailed("forge"))
