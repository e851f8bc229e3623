"""What is seen of a wrong handler when it is registered, and what is said of a wrong return."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

import pytest
from returns.result import Failure, Result, Success

from igniter_connectors.core.connector.handler_check import is_not_async, require_async
from igniter_connectors.core.problem import ActionFailed, WrongWiring

Answer = Result[None, ActionFailed]


async def good(_call: object) -> Answer:
    return Success(None)


async def good_with_option(_call: object, limit: int = 5) -> Answer:
    return Success(None) if limit else Failure(ActionFailed("c", "a", "no"))


def passes_on(call: object) -> Awaitable[Answer]:
    return good(call)


def coroutine_of(call: object) -> Coroutine[object, None, Answer]:
    return good(call)


def unannotated(call):  # type: ignore[no-untyped-def]  # as untyped code is
    return good(call)


@functools.wraps(good)
def decorated(*args: object) -> object:
    return good(*args)


class Callee:
    async def __call__(self, _call: object) -> Answer:
        return Success(None)

    async def method(self, _call: object) -> Answer:
        return Success(None)

    def plain(self, _call: object) -> Answer:
        return Success(None)


class PlainCallee:
    def __call__(self, _call: object) -> Answer:
        return Success(None)


def plain(_call: object) -> Answer:
    return Success(None)


def plain_without_future(_call: object) -> object:
    return Success(None)


plain_without_future.__annotations__["return"] = Answer


def plain_of_unknown(_call: Unknown) -> Answer:  # type: ignore[name-defined]  # noqa: F821
    return Success(None)


plain_of_unknown.__annotations__["return"] = "Result[None, ActionFailed]"


def nothing(_call: object) -> None:
    return None


async def generates(_call: object) -> AsyncIterator[Answer]:
    yield Success(None)


def generates_plainly(_call: object) -> Iterator[Answer]:
    yield Success(None)


async def no_argument() -> Answer:
    return Success(None)


async def two_arguments(_call: object, _other: object) -> Answer:
    return Success(None)


@pytest.mark.parametrize(
    "handler",
    [
        good,
        good_with_option,
        passes_on,
        coroutine_of,
        unannotated,
        decorated,
        Callee(),
        Callee().method,
        functools.partial(good_with_option, limit=1),
        lambda call: good(call) if call else passes_on(call),
    ],
)
def test_what_can_be_awaited_is_accepted(handler: object) -> None:
    """Functions, methods, callables, wrappers, and plain functions that return an awaitable."""
    require_async(handler, "send: the handler")


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (plain, "is not async: write `async def`"),
        (plain_without_future, "is not async: write `async def`"),
        (plain_of_unknown, "is not async: write `async def`"),
        (nothing, "is not async: write `async def`"),
        (Callee().plain, "is not async: write `async def`"),
        (PlainCallee(), "is not async: write `async def`"),
        (functools.partial(plain), "is not async: write `async def`"),
        (generates, "is a generator: it must return, not yield"),
        (generates_plainly, "is a generator: it must return, not yield"),
        (no_argument, "must take one argument"),
        (two_arguments, "must take one argument"),
        (Success(None), "is Success, and must be an async function"),
        (None, "is NoneType, and must be an async function"),
    ],
)
def test_what_cannot_be_awaited_is_refused(handler: object, says: str) -> None:
    """The message names the handler and says what to write."""
    with pytest.raises(WrongWiring) as refused:
        require_async(handler, "send: the handler")
    assert refused.value.problem.message == f"send: the handler {says}"


@pytest.mark.parametrize(
    ("handler", "expected"), [(plain, True), (no_argument, True), (good, False)]
)
async def test_a_call_that_cannot_be_awaited_is_told_apart(
    handler: Callable[[object], Awaitable[object]], expected: bool
) -> None:
    """By its traceback, which ends where the handler is called."""
    raised: BaseException | None = None
    try:
        await handler(None)
    except TypeError as error:
        raised = error
    assert (raised is not None and is_not_async(raised)) is expected
