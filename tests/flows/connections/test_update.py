"""Changing a connection: its config, enabled or disabled."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from returns.result import Failure, Success

from igniter_connectors import (
    Secret,
    mask,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.problem import (
    ConfigInvalid,
    Conflict,
    Disabled,
    NotConnected,
)
from igniter_connectors.flows.connections.update import disable, enable, update
from igniter_connectors.problems import DatabaseFailed
from tests.flows.forge import KEY, Team, away, forge, granted
from tests.sample import (
    CANARY,
    Organization,
    Say,
    bot,
    config,
    running_bot,
    say,
)

ACME = Organization("acme")


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


async def test_a_change_that_feeds_an_endpoint_ends_the_grant() -> None:
    """Its tokens are queued for revocation, and the tenant has to authorize again."""
    made = forge(
        authorization_url="https://{name}.forge.example/authorize",
        token_url="https://{name}.forge.example/token",
        userinfo_url=None,
    )
    made.answers["https://core.forge.example/token"] = [granted(1)]
    await made.connect()
    kept = await update(made.engine, made.connector, KEY, Team(hook=Secret("new")), version=None)
    assert value_or_raise(kept).health == "ok"
    moved = await update(made.engine, made.connector, KEY, Team("other"), version=None)
    assert value_or_raise(moved).health == "config_changed"
    assert (await made.record()).status == "config_changed"
    made.clock.advance(timedelta(hours=1))
    assert len(await made.store.revocations.claim(limit=9, duration=timedelta(1))) == 1


async def test_enabling_publishes_an_event_and_disabling_another() -> None:
    """None for a tenant that is not connected."""
    made = forge()
    assert await enable(made.engine, made.connector, KEY) == Failure(NotConnected("forge"))
    assert await disable(made.engine, KEY) == Failure(NotConnected("forge"))
    await made.connect()
    made.events.seen.clear()
    value_or_raise(await disable(made.engine, KEY))
    value_or_raise(await enable(made.engine, made.connector, KEY))
    assert made.events.names() == ["connector.disabled", "connector.enabled"]


async def test_a_database_that_is_away_is_a_problem() -> None:
    """For each of the three."""
    made = forge()
    made.store.find = away  # type: ignore[method-assign]  # the outage
    made.store.set_enabled = away  # type: ignore[method-assign]
    away_now = Failure(DatabaseFailed())
    assert await update(made.engine, made.connector, KEY, Team(), version=None) == away_now
    assert await enable(made.engine, made.connector, KEY) == away_now
    assert await disable(made.engine, KEY) == away_now


async def test_a_mask_is_never_stored_in_place_of_the_secret() -> None:
    """`connect`, `update` and `seal_config` refuse it, as the routes do."""
    async with running_bot() as connectors:
        at = connectors.scope(Organization("masked")).at(bot)
        masked = config(mask(config())["token"])  # type: ignore[arg-type]  # a mask is text
        for refused in (await at.connect(masked), at.seal_config(masked)):
            problem = problem_of(refused)
            assert isinstance(problem, ConfigInvalid)
            assert problem.path == "$.token"
        value_or_raise(await at.connect(config()))
        assert isinstance(problem_of(await at.update(masked)), ConfigInvalid)
        assert value_or_raise(await at.get()).config.token == Secret(CANARY)
