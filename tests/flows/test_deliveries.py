"""The slots of one process for webhook attempts."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest
from msgspec.structs import replace

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.webhook.retry_policy import Delivery, DeliveryLimits
from igniter_connectors.flows.deliveries import Deliveries
from igniter_connectors.flows.stop_tasks import stop_tasks
from igniter_connectors.stores import StoreUnavailable

KEY = ConnectionKey("organization", "acme", "mail", "default")
DELIVERY = Delivery(KEY, "event", "owner", 1, timedelta(days=1))


def deliveries(slots: int) -> Deliveries:
    """An open process with this many slots."""
    limits = DeliveryLimits(handlers_at_once=slots, handlers_per_tenant=slots)
    made = Deliveries(limits, logging.getLogger("tests.flows"))
    made.owner = "owner"
    return made


def test_no_more_slots_are_reserved_than_the_limit() -> None:
    """A slot that is given back can be reserved again."""
    made = deliveries(2)
    assert [made.reserve(KEY) for _ in range(3)] == ["owner", "owner", ""]
    made.free("owner", KEY)
    made.free("", KEY)
    assert (made.taken, made.reserve(KEY)) == (1, "owner")


def test_a_closed_process_reserves_nothing() -> None:
    """Its events wait in the inbox."""
    made = deliveries(2)
    made.owner = ""
    assert (made.reserve(KEY), made.taken) == ("", 0)


async def test_an_attempt_gives_its_slot_back() -> None:
    """And its tenant has it no longer."""
    made = deliveries(1)

    async def attempt(again: bool) -> bool:  # the attempt's own result
        return again

    for again in (False, True):
        assert made.reserve(KEY) == "owner"
        made.start(attempt(again), DELIVERY)
        assert list(made.running.values()) == [DELIVERY]
        await asyncio.sleep(0.001)
        assert (made.taken, made.running) == (0, {})
        assert made.taken_by == {}


async def test_an_attempt_that_raises_is_logged_and_the_worker_looks_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Only the type of the exception: its text may hold a secret."""

    async def broken(error: Exception) -> bool:
        raise error

    for error in (RuntimeError("canary"), StoreUnavailable("away")):
        made = deliveries(1)
        made.reserve(KEY)
        made.start(broken(error), DELIVERY)
        await asyncio.sleep(0.001)
        assert made.woken.is_set()
    assert "canary" not in caplog.text
    assert "broke off: RuntimeError" in caplog.text
    assert "broke off: away" in caplog.text


def test_waking_waits_for_a_free_slot() -> None:
    """The event is remembered meanwhile."""
    made = deliveries(1)
    made.reserve(KEY)
    made.wake()
    assert (made.is_behind, made.woken.is_set()) == (True, False)
    made.free("owner", KEY)
    made.wake()
    assert made.woken.is_set()


def test_one_tenant_gets_its_share_of_the_slots() -> None:
    """The rest stays free for the others."""
    made = deliveries(3)
    made.limits = DeliveryLimits(handlers_at_once=3, handlers_per_tenant=2)
    other = replace(KEY, identity="other")
    assert [made.reserve(KEY) for _ in range(3)] == ["owner", "owner", ""]
    assert [made.reserve(other) for _ in range(3)] == ["owner", "", ""]
    made.free("owner", KEY)
    assert made.reserve(other) == "owner"


async def test_the_worker_is_woken_if_another_event_may_be_due() -> None:
    """Or if the tenant had all of its slots: a claim may have left its events out."""
    for again, share, is_woken in ((True, 2, True), (False, 2, False), (False, 1, True)):
        made = deliveries(2)
        made.limits = DeliveryLimits(handlers_at_once=2, handlers_per_tenant=share)

        async def attempt(answer: bool = again) -> bool:  # the attempt's result
            return answer

        made.reserve(KEY)
        made.start(attempt(), DELIVERY)
        await asyncio.sleep(0.001)
        assert made.woken.is_set() is is_woken, (again, share)


async def test_an_attempt_that_is_ended_by_force_wakes_the_worker() -> None:
    """An event that waits for the slot does not wait for the next sweep."""
    made = deliveries(2)

    async def attempt() -> bool:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    assert made.reserve(KEY) == "owner"
    made.start(attempt(), DELIVERY)
    await asyncio.sleep(0.001)
    _ = await stop_tasks(*made.running, within_seconds=0)
    assert (made.taken, made.woken.is_set()) == (0, True)
