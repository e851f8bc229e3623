"""Running actions: what is checked, what fails, what is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import msgspec
import pytest
from returns.result import Failure, Result, Success

from igniter_connectors import (
    ActionCall,
    Connector,
    ConnectorManager,
    MemoryStore,
    Secret,
    action,
    problem_of,
    value_or_raise,
)
from igniter_connectors.core.event import ErrorOccurred, Event
from igniter_connectors.core.problem import (
    ActionFailed,
    ActionInputInvalid,
    ActionNotFound,
    ActionOutputInvalid,
    ApiRateLimited,
    ApiUnreachable,
    Conflict,
    DatabaseFailed,
    DefaultConfigRequired,
    HandlerProblem,
    MissingScopes,
    NeedsReauth,
    NotConnected,
    RefreshFailed,
    ResponseUnexpected,
)
from igniter_connectors.ports import StoreUnavailable
from tests.sample import (
    CANARY,
    KEYRING,
    BotConfig,
    Organization,
    Said,
    Say,
    blow_up,
    bot,
    config,
    fail,
    lie,
    running_bot,
    say,
)

ACME = Organization("acme")


async def test_an_action_gets_the_opened_config_and_answers() -> None:
    """The whole way, with the secret at the handler."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        assert await at.action(say).call(Say("hi")) == Failure(NotConnected("bot"))
        value_or_raise(await at.connect(config()))
        assert await at.action(say).call(Say("hi")) == Success(Said("42: hi", len(CANARY)))


@pytest.mark.parametrize("text", ["", "x" * 21, 7])
async def test_a_bad_input_never_reaches_the_handler(text: str) -> None:
    """A struct made in Python is checked as one from JSON is."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        problem = problem_of(await at.action(blow_up).call(Say(text)))
        assert isinstance(problem, ActionInputInvalid)
        assert (problem.action, problem.path) == ("blow_up", "$.text")


async def test_a_bad_output_is_told() -> None:
    """The original never looks."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        problem = problem_of(await at.action(lie).call(Say("hi")))
        assert isinstance(problem, ActionOutputInvalid)
        assert problem.path == "$.length"


Handler = Callable[[ActionCall[BotConfig, object, Say]], Awaitable[Result[Said, HandlerProblem]]]


async def result_of(handler: Handler) -> Result[Said, HandlerProblem]:
    """What the caller gets from an action with this handler."""
    one = action("one", input=Say, output=Said)(handler)
    connector = Connector.create("bare").with_config(BotConfig).add_action(one).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(connector)
        value_or_raise(await at.connect(config()))
        return await at.action(one).call(Say("hi"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Said("x", 1), "the handler returned Said, which is not a Result: return Success("),
        (None, "the handler returned None, which is not a Result: return Success("),
        (Failure(CANARY), "the handler returned Failure(str), which is not a problem: "),
        (Failure(None), "the handler returned Failure(NoneType), which is not a problem: "),
        (Failure(Conflict("bare")), "the handler returned Failure(Conflict), which no call has"),
    ],
)
async def test_a_handler_that_returns_something_else_is_told_what_to_return(
    answer: object, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Code that no type checker has read may forget to wrap. One line names the type, no value."""

    async def bare(_call: ActionCall[BotConfig, object, Say]) -> Result[Said, HandlerProblem]:
        return answer  # type: ignore[return-value]  # the misuse

    problem = problem_of(await result_of(bare))
    assert isinstance(problem, ActionFailed)
    assert problem.reason.startswith(says)
    assert "call.failed('why')" in problem.reason
    assert CANARY not in problem.reason
    assert problem.reason in caplog.text


async def test_a_handler_that_turns_out_not_to_be_async_is_told_so() -> None:
    """Where its definition does not show it, the first call does."""

    def plain(_call: object):  # type: ignore[no-untyped-def]  # as untyped code is
        return Success(Said("x", 1))

    problem = problem_of(await result_of(plain))
    assert isinstance(problem, ActionFailed)
    assert "is not an async function" in problem.reason


async def test_a_type_error_of_the_handlers_own_is_not_taken_for_that() -> None:
    """Its traceback goes into the handler."""

    async def raises(_call: ActionCall[BotConfig, object, Say]) -> Result[Said, HandlerProblem]:
        raise TypeError("own")

    problem = problem_of(await result_of(raises))
    assert isinstance(problem, ActionFailed)
    assert problem.reason == "the handler raised TypeError"


LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "problem",
    [
        NeedsReauth("other", "revoked"),
        ApiRateLimited("other", LATER),
        RefreshFailed("other", LATER),
        ApiUnreachable("other", sent=True),
        ResponseUnexpected(404, "$", "has status 404"),
        NotConnected("other"),
        DefaultConfigRequired("other"),
        MissingScopes("other", ("repo",), ""),
        ActionFailed("other", "say", "why", LATER),
        DatabaseFailed(),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_handler_passes_a_problem_on_unchanged(problem: HandlerProblem) -> None:
    """`return Failure(problem)`: the caller gets the same code, and the same `retry_at`."""

    async def pass_on(_call: ActionCall[BotConfig, object, Say]) -> Result[Said, HandlerProblem]:
        return Failure(problem)

    assert problem_of(await result_of(pass_on)) is problem


async def test_a_handlers_own_failure_reaches_the_caller() -> None:
    """As it was said."""
    async with running_bot() as connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        assert await at.action(fail).call(Say("x")) == Failure(
            ActionFailed("bot", "fail", "no such chat")
        )


async def test_an_exceptions_secret_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Not to the caller, the log, or the subscribers; the type and the frames do."""
    caplog.set_level(logging.DEBUG)
    told: list[ErrorOccurred] = []

    async def hear(error: ErrorOccurred) -> None:
        told.append(error)

    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(bot)
        .on_error(hear)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        problem = problem_of(await at.action(blow_up).call(Say("hi")))
    assert problem == ActionFailed("bot", "blow_up", "the handler raised RuntimeError")
    (event,) = told
    assert event.text == "GET https://api/bot[secret]/say failed"
    assert event.error == "RuntimeError"
    assert any("blow_up" in frame for frame in event.frames)
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text + repr(told) + msgspec.json.encode(told).decode()


async def test_cancelling_a_call_cancels_its_handler() -> None:
    """A caller's time-out is not swallowed."""
    running = asyncio.Event()
    cancelled = asyncio.Event()

    @action("wait", input=Say, output=Said)
    async def wait(call: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
        running.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        raise AssertionError

    connector = Connector.create("slow").with_config(BotConfig).add_action(wait).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(connector)
        value_or_raise(await at.connect(config()))
        task = asyncio.ensure_future(at.action(wait).call(Say("hi")))
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cancelled.is_set()


class Client:
    """A context that wants closing."""

    def __init__(self, token: Secret) -> None:
        self.token = token
        self.is_open = False
        self.was_closed = False

    async def __aenter__(self) -> Self:
        self.is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.was_closed = True


@pytest.mark.parametrize("raises", [False, True])
async def test_a_context_is_made_for_each_call_and_closed(raises: bool) -> None:
    """Entered before the handler and left after it, also when it raises."""
    clients: list[Client] = []

    async def open_client(given: BotConfig) -> Client:
        clients.append(Client(given.token))
        return clients[-1]

    @action("use", input=Say, output=Said)
    async def use(call: ActionCall[BotConfig, Client, Say]) -> Result[Said, ActionFailed]:
        assert call.context.is_open
        assert not call.context.was_closed
        if raises:
            raise RuntimeError
        return Success(Said(call.context.token.reveal(), 1))

    connector = (
        Connector.create("ctx")
        .with_config(BotConfig)
        .on_context(open_client)
        .add_action(use)
        .build()
    )
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(connector)
        value_or_raise(await at.connect(config()))
        for _ in range(2):
            answer = await at.action(use).call(Say("hi"))
            assert isinstance(answer, Failure) == raises
    assert len(clients) == 2
    assert all(client.was_closed for client in clients)


async def test_a_context_hook_that_raises_fails_the_call() -> None:
    """As a handler that raises does."""

    async def broken(given: BotConfig) -> Client:
        raise OSError(given.token.reveal())

    @action("use", input=Say, output=Said)
    async def use(call: ActionCall[BotConfig, Client, Say]) -> Result[Said, ActionFailed]:
        raise AssertionError

    connector = (
        Connector.create("ctx").with_config(BotConfig).on_context(broken).add_action(use).build()
    )
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(connector)
        value_or_raise(await at.connect(config()))
        problem = problem_of(await at.action(use).call(Say("hi")))
        assert problem == ActionFailed("ctx", "use", "the handler raised OSError")


async def test_the_default_config_serves_calls_without_a_tenant() -> None:
    """And only those: a tenant that is not connected stays so."""
    connector = (
        Connector.create("bot")
        .with_config(BotConfig)
        .with_default_config(config("application's own"))
        .add_action(say)
        .build()
    )
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        assert await connectors.action(connector, say).call(Say("hi")) == Success(
            Said("42: hi", len("application's own"))
        )
        assert isinstance(
            problem_of(await connectors.action(connector, say).call(Say(""))), ActionInputInvalid
        )
        assert isinstance(
            problem_of(await connectors.action(connector, fail).call(Say("x"))), ActionNotFound
        )
        at = connectors.scope(ACME).at(connector)
        assert await at.action(say).call(Say("hi")) == Failure(NotConnected("bot"))
    async with running_bot() as without:
        assert await without.action(bot, say).call(Say("hi")) == Failure(
            DefaultConfigRequired("bot")
        )


async def test_events_tell_of_a_call_in_order() -> None:
    """Started, then completed or failed, with the problem's code."""
    told: list[Event] = []

    async def hear(event: Event) -> None:
        told.append(event)

    async with running_bot() as connectors:
        subscription = connectors.scope(ACME).subscribe(hear)
        at = connectors.scope(ACME).at(bot)
        value_or_raise(await at.connect(config()))
        value_or_raise(await at.action(say).call(Say("hi")))
        await at.action(fail).call(Say("hi"))
        await asyncio.sleep(0.01)
        subscription.cancel()
        await at.action(fail).call(Say("hi"))
        await asyncio.sleep(0.01)
    assert [event.name for event in told] == [
        "connector.connected",
        "action.started",
        "action.completed",
        "action.started",
        "action.failed",
    ]
    assert "CONNECTOR_ACTION_FAILED" in repr(told[-1])


def store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A store whose database does not answer."""

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the server is away")

    for name in ("find", "insert", "set_enabled", "disconnect", "list", "count"):
        monkeypatch.setattr(MemoryStore, name, away)
    return MemoryStore()


async def test_a_database_that_is_away_is_one_problem_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every operation says so, and none raises."""
    async with running_bot(store_that_is_away(monkeypatch)) as connectors:
        acme = connectors.scope(ACME)
        at = acme.at(bot)
        for answer in (
            await at.connect(config()),
            await at.get(),
            await at.update(config()),
            await at.enable(),
            await at.disconnect(),
            await at.explain(),
            await at.action(say).call(Say("hi")),
            await acme.list(),
            await acme.count(),
        ):
            assert answer == Failure(DatabaseFailed())


@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
async def test_whatever_a_handler_raises_is_its_own_failure(error: type[BaseException]) -> None:
    """A `CancelledError` too, unless the caller itself is cancelled."""

    @action("raising", input=Say, output=Said)
    async def raising(_: ActionCall[BotConfig, object, Say]) -> Result[Said, ActionFailed]:
        raise error

    connector = Connector.create("bot").with_config(BotConfig).add_action(raising).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    async with connectors:
        at = connectors.scope(ACME).at(connector)
        value_or_raise(await at.connect(config()))
        problem = problem_of(await at.action(raising).call(Say("hi")))
    assert problem == ActionFailed("bot", "raising", f"the handler raised {error.__name__}")
