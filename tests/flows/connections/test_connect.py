"""Connecting, reading, changing, switching and disconnecting."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from returns.result import Failure, Result, Success

from igniter_connectors import (
    Connector,
    ConnectorError,
    ConnectorManager,
    Keyring,
    MemoryStore,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.problem import (
    AlreadyConnected,
    ConfigInvalid,
    Conflict,
    DecryptFailed,
    Disabled,
    NotConnected,
    ScopeIdentifierRequired,
    ScopeInvalid,
)
from tests.sample import (
    CANARY,
    KEYRING,
    BotConfig,
    Organization,
    Say,
    System,
    bot,
    config,
    running_bot,
    say,
)

ACME = Organization("acme")


async def test_what_was_connected_is_read_back_opened() -> None:
    """The config comes back as it was given; the first version is 1."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        connected = value_or_raise(await at.connect(config()))
        assert connected == value_or_raise(await at.get())
        assert (connected.config, connected.version) == (config(), 1)
        assert (connected.enabled, connected.health) == (True, "ok")


async def test_the_stored_row_holds_no_secret_in_clear() -> None:
    """Public fields are stored in clear, secrets sealed."""
    store = MemoryStore()
    async with running_bot(store) as connectors:
        value_or_raise(await connectors.scope(ACME).at(bot).connect(config()))
        (row,) = await store.list("organization", "acme", after=None, limit=9)
        assert row.public_config == b'{"chat":"42"}'
        assert CANARY not in repr(row)
        assert CANARY.encode() not in row.sealed_config


async def test_connecting_twice_is_a_problem_and_changes_nothing() -> None:
    """The first config stays."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        first = value_or_raise(await at.connect(config()))
        assert await at.connect(config("another")) == Failure(AlreadyConnected("bot"))
        assert value_or_raise(await at.get()) == first


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (BotConfig(Secret(CANARY), ""), "$.chat"),
        (BotConfig(Secret(CANARY), 7), "$.chat"),  # type: ignore[arg-type]  # the misuse
        (BotConfig(7, "42"), "$.token"),  # type: ignore[arg-type]
        (BotConfig(Secret(CANARY + "\ud800"), "42"), "$"),
        (BotConfig(Secret("t"), "\ud800"), "$"),
    ],
)
async def test_a_config_that_does_not_fit_is_refused_before_anything_is_written(
    bad: BotConfig, path: str
) -> None:
    """Path and rule, never the value; and no row."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        problem = problem_of(await at.connect(bad))
        assert isinstance(problem, ConfigInvalid)
        assert problem.path == path
        assert CANARY not in repr(problem)
        assert await at.get() == Failure(NotConnected("bot"))


async def test_a_plain_string_where_a_secret_is_typed_becomes_one() -> None:
    """Validation wraps it, as it does for JSON."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        careless = BotConfig(CANARY, "42")  # type: ignore[arg-type]  # the misuse
        assert value_or_raise(await at.connect(careless)).config == config()


async def test_an_update_replaces_the_config_and_counts() -> None:
    """The version seen is the condition."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        first = value_or_raise(await at.connect(config()))
        second = value_or_raise(await at.update(config("new", "7"), version=1))
        assert (second.config, second.version, second.id) == (config("new", "7"), 2, first.id)
        assert await at.update(config("late"), version=1) == Failure(Conflict("bot", 2))
        assert value_or_raise(await at.get()) == second
        assert await connectors.scope(Organization("x")).at(bot).update(config()) == Failure(
            NotConnected("bot")
        )


async def test_of_many_updates_of_one_version_one_wins() -> None:
    """No update is silently overwritten."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        answers = await asyncio.gather(*(at.update(config(f"t{i}"), version=1) for i in range(9)))
        assert sum(isinstance(answer, Success) for answer in answers) == 1
        assert value_or_raise(await at.get()).version == 2


async def test_a_disabled_connection_runs_nothing() -> None:
    """Disabling twice is no mistake; enabling brings it back."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        assert await at.disable() == Failure(NotConnected("bot"))
        value_or_raise(await at.connect(config()))
        for _ in range(2):
            value_or_raise(await at.disable())
        assert await at.action(say).call(Say("hi")) == Failure(Disabled("bot"))
        assert value_or_raise(await at.get()).health == "disabled"
        value_or_raise(await at.enable())
        value_or_raise(await at.action(say).call(Say("hi")))


async def test_disconnecting_leaves_nothing() -> None:
    """The row is gone and another may be made."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        first = value_or_raise(await at.connect(config()))
        value_or_raise(await at.disconnect())
        assert await at.get() == Failure(NotConnected("bot"))
        assert await at.disconnect() == Failure(NotConnected("bot"))
        assert value_or_raise(await at.connect(config())).id != first.id


async def test_tenants_and_accounts_are_apart() -> None:
    """Neither another tenant, nor another kind of one, nor another account sees it."""
    async with running_bot() as connectors:
        value_or_raise(await connectors.scope(ACME).at(bot, account="work").connect(config()))
        for at in (
            connectors.scope(ACME).at(bot),
            connectors.scope(Organization("acme2")).at(bot, account="work"),
            connectors.scope(System("acme")).at(bot, account="work"),
        ):
            assert isinstance(problem_of(await at.get()), NotConnected)
        assert value_or_raise(await connectors.scope(ACME).count()) == 1
        assert value_or_raise(await connectors.scope(System()).count()) == 0


async def test_a_row_moved_to_another_tenant_does_not_open() -> None:
    """Whoever can write to the database still cannot read another tenant's secrets."""
    store = MemoryStore()
    async with running_bot(store) as connectors:
        value_or_raise(await connectors.scope(ACME).at(bot).connect(config()))
        (row,) = await store.list("organization", "acme", after=None, limit=9)
        moved = msgspec.structs.replace(
            row, key=msgspec.structs.replace(row.key, identity="mallory")
        )
        assert await store.insert(moved)
        mallory = connectors.scope(Organization("mallory")).at(bot)
        assert await mallory.get() == Failure(DecryptFailed("bot"))
        assert await mallory.action(say).call(Say("hi")) == Failure(DecryptFailed("bot"))
        assert value_or_raise(await mallory.explain()).state == "broken"


async def test_one_broken_row_leaves_the_others_listed() -> None:
    """It is listed too, as broken, without its config."""
    store = MemoryStore()
    async with running_bot(store) as connectors:
        acme = connectors.scope(ACME)
        for i in range(5):
            value_or_raise(await acme.at(bot, account=f"a{i}").connect(config()))
        rows = await store.list("organization", "acme", after=None, limit=9)
        await store.disconnect(rows[2].key, revocation=None, now=rows[2].updated_at)
        await store.insert(msgspec.structs.replace(rows[2], sealed_config=b"\x01garbage"))
        page = value_or_raise(await acme.list())
        assert [one.health for one in page.items] == ["ok", "ok", "broken", "ok", "ok"]
        assert [one.config for one in page.items][2] == {}
        assert page.items[0].config == {"chat": "42", "token": "••••••••"}
        assert CANARY not in repr(page)


async def test_pages_follow_one_another() -> None:
    """Each connection once, and no cursor after the last."""
    async with running_bot() as connectors:
        acme = connectors.scope(ACME)
        for i in range(7):
            value_or_raise(await acme.at(bot, account=f"a{i}").connect(config()))
        seen: list[str] = []
        cursor: str | None = None
        while True:
            page = value_or_raise(await acme.list(limit=3, after=cursor))
            seen += [one.account for one in page.items]
            if (cursor := page.next) is None:
                break
        assert seen == [f"a{i}" for i in range(7)]
        assert value_or_raise(await acme.list(after="no cursor")).items[0].account == "a0"


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


async def test_strings_find_what_values_name() -> None:
    """Unknown kinds, connectors and identities are problems, not exceptions."""
    async with running_bot() as connectors:
        tenant = value_or_raise(connectors.tenant("organization", "acme"))
        found = value_or_raise(connectors.find("bot"))
        value_or_raise(await connectors.scope(ACME).at(bot).connect(config()))
        assert value_or_raise(await tenant.at(found).get()).config == config()
        assert isinstance(problem_of(connectors.tenant("planet", "earth")), ScopeInvalid)
        assert isinstance(
            problem_of(connectors.tenant("organization", "")), ScopeIdentifierRequired
        )
        assert isinstance(problem_of(connectors.tenant("organization", "a\nb")), ScopeInvalid)
        assert value_or_raise(connectors.tenant("system", "")) is not None
        assert problem_of(connectors.find("nothing")) is not None
        with pytest.raises(ConnectorError, match="CONNECTOR_ACCOUNT_INVALID"):
            tenant.at(found, account="")


async def test_the_catalogue_counts_connections_over_all_tenants() -> None:
    """By key, in pages."""
    async with running_bot() as connectors:
        for name in ("a", "b", "c"):
            value_or_raise(await connectors.scope(Organization(name)).at(bot).connect(config()))
        entry = value_or_raise(await connectors.get("bot"))
        assert (entry.connections, entry.has_oauth, entry.has_webhook) == (3, False, False)
        assert value_or_raise(await connectors.list()).items == (entry,)
        assert problem_of(await connectors.get("x")) is not None


async def test_a_validation_hook_refuses_with_its_reason_redacted() -> None:
    """Its reason reaches the caller without the secret it quotes; an exception's text does not."""

    class ApiConfig(msgspec.Struct, frozen=True):
        key: Secret

    async def check(given: ApiConfig) -> Result[None, str]:
        if given.key.reveal() == "boom":
            raise ValueError("boom happened")
        return Failure(f"the provider says {given.key.reveal()} is unknown")

    api = Connector.create("api").with_config(ApiConfig).on_validate(check).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(api)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(api)
        problem = problem_of(await at.connect(ApiConfig(Secret(CANARY))))
        assert isinstance(problem, ConfigInvalid)
        assert problem.reason == "the provider says [secret] is unknown"
        raised = problem_of(await at.connect(ApiConfig(Secret("boom"))))
        assert isinstance(raised, ConfigInvalid)
        assert "boom" not in raised.reason


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


async def test_explain_tells_the_plain_states() -> None:
    """Not connected, working, disabled."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        assert value_or_raise(await at.explain()).remedy == "connect"
        value_or_raise(await at.connect(config()))
        assert value_or_raise(await at.explain()).state == "working"
        value_or_raise(await at.disable())
        assert value_or_raise(await at.explain()).remedy == "enable"
