"""Connecting with a config, and finding what to connect."""

from __future__ import annotations

import msgspec
import pytest
from returns.result import Failure, Result

from igniter_connectors import (
    Connector,
    ConnectorError,
    ConnectorManager,
    MemoryStore,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.problem import (
    AlreadyConnected,
    ConfigInvalid,
    NotConnected,
    ScopeIdentifierRequired,
    ScopeInvalid,
)
from tests.sample import (
    CANARY,
    KEYRING,
    BotConfig,
    Organization,
    bot,
    config,
    running_bot,
)

ACME = Organization("acme")


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


@pytest.mark.parametrize(
    ("returned", "says"),
    [(None, "NoneType"), (True, "bool"), (Failure(5), "Failure(int)"), (Failure(None), "Failure")],
)
async def test_a_validation_hook_that_returns_no_result_refuses_and_says_why(
    returned: object, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A check whose verdict is not known accepts nothing. The log says what to return."""

    class ApiConfig(msgspec.Struct, frozen=True):
        key: Secret

    async def check(_given: ApiConfig) -> Result[None, str]:
        return returned  # type: ignore[return-value]  # the misuse

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
        assert isinstance(problem_of(await at.connect(ApiConfig(Secret("x")))), ConfigInvalid)
    assert f"must return Success(None) or Failure('why'), and returned {says}" in caplog.text


async def test_explain_tells_the_plain_states() -> None:
    """Not connected, working, disabled."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        assert value_or_raise(await at.explain()).remedy == "connect"
        value_or_raise(await at.connect(config()))
        assert value_or_raise(await at.explain()).state == "working"
        value_or_raise(await at.disable())
        assert value_or_raise(await at.explain()).remedy == "enable"
