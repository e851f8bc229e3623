"""Bodies that arrive in parts, too slowly, too many at once, or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import pytest

from igniter_connectors.flows.body_reader import BodyFault, BodyReader, NextPart, parts_of
from igniter_connectors.webhooks import DeliveryLimits

SOON = DeliveryLimits(body_within=timedelta(milliseconds=50))


def giving(*parts: bytes | None, ends: bool = True) -> NextPart:
    """These parts, in order; None is a client that has gone. Without an end, it waits for ever."""
    left: list[bytes | None] = list(parts)

    async def next_part() -> tuple[bytes, bool] | None:
        if not left:
            await asyncio.Event().wait()
        part = left.pop(0)
        return None if part is None else (part, bool(left) or not ends)

    return next_part


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((b"",), b""),
        ((b"abcd",), b"abcd"),
        ((b"abcde",), BodyFault.TOO_LARGE),
        ((b"ab", b"", b"cd"), b"abcd"),
        ((b"ab", b"cd", b"e"), BodyFault.TOO_LARGE),
        ((b"abcde", b""), BodyFault.TOO_LARGE),
        ((None,), BodyFault.GONE),
        ((b"ab", None), BodyFault.GONE),
    ],
)
async def test_a_body_is_read_up_to_its_limit(
    parts: Sequence[bytes | None], expected: bytes | BodyFault
) -> None:
    """In one part or in several; nothing stays counted."""
    reader = BodyReader()
    assert await reader.read(giving(*parts), limit_bytes=4, limits=DeliveryLimits()) == expected
    assert reader._held == 0


@pytest.mark.parametrize("parts", [(), (b"a",), (b"a", b"b")])
async def test_a_body_that_never_ends_is_given_up(parts: tuple[bytes, ...]) -> None:
    """However much of it came. Those after it have a deadline of their own."""
    reader = BodyReader()
    for _ in range(3):
        async with asyncio.timeout(10):
            read = await reader.read(giving(*parts, ends=False), limit_bytes=4, limits=SOON)
        assert read == BodyFault.TOO_SLOW
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert (reader._held, reader._due, reader._late) == (0, {}, set())


async def test_a_drip_does_not_move_the_deadline() -> None:
    """It counts from the first look at the body."""

    async def next_part() -> tuple[bytes, bool]:
        await asyncio.sleep(0.005)
        return b"x", True

    async with asyncio.timeout(10):
        read = await BodyReader().read(next_part, limit_bytes=10**6, limits=SOON)
    assert read == BodyFault.TOO_SLOW


async def test_a_cancelled_caller_is_not_a_slow_body() -> None:
    """The cancellation goes on."""
    reader = BodyReader()
    limits = DeliveryLimits()
    reading = asyncio.create_task(reader.read(giving(ends=False), limit_bytes=4, limits=limits))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert reader._due == {}


async def test_bodies_that_are_partly_there_share_a_limit() -> None:
    """One alone may pass it; with another beside it, it is asked to come again."""
    limits = DeliveryLimits(unfinished_bodies_bytes=10)
    reader = BodyReader()
    alone = await reader.read(giving(b"x" * 50, b"y"), limit_bytes=100, limits=limits)
    assert alone == b"x" * 50 + b"y"
    first = asyncio.create_task(
        reader.read(giving(b"x" * 6, ends=False), limit_bytes=100, limits=limits)
    )
    await asyncio.sleep(0)
    exact = await reader.read(giving(b"x" * 4, b""), limit_bytes=100, limits=limits)
    assert exact == b"xxxx"
    over = await reader.read(giving(b"x" * 5, b""), limit_bytes=100, limits=limits)
    assert over == BodyFault.TOO_MANY
    whole = await reader.read(giving(b"x" * 50), limit_bytes=100, limits=limits)
    assert whole == b"x" * 50
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert reader._held == 0


def test_each_event_loop_has_its_own_timer() -> None:
    """A manager that is opened again on another loop still ends slow bodies."""
    reader = BodyReader()

    async def read(limits: DeliveryLimits) -> bytes | BodyFault:
        async with asyncio.timeout(10):
            return await reader.read(
                giving(b"a", ends=limits is not SOON), limit_bytes=4, limits=limits
            )

    assert asyncio.run(read(DeliveryLimits())) == b"a"
    assert asyncio.run(read(SOON)) == BodyFault.TOO_SLOW


async def test_the_parts_of_a_framework_are_read() -> None:
    """An exception of its own means that the client has gone."""

    async def stream(*, breaks: bool) -> AsyncGenerator[bytes, None]:
        yield b"ab"
        if breaks:
            raise ConnectionResetError
        yield b"c"

    reader, limits = BodyReader(), DeliveryLimits()
    whole = await reader.read(parts_of(stream(breaks=False)), limit_bytes=4, limits=limits)
    assert whole == b"abc"
    gone = await reader.read(parts_of(stream(breaks=True)), limit_bytes=4, limits=limits)
    assert gone == BodyFault.GONE
