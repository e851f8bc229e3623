"""How often and when an event is handed to its handler, and what one attempt is known by."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey

_MOST_DOUBLINGS: Final = 32


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How a handler that fails is tried again.

    Attributes:
        attempts: The first one included, 1 or more; after the last the event is dead, until
            somebody replays it.
        first_after: The pause after the first failure. Each further one is twice as long.
        longest: No pause is longer.
    """

    attempts: int = 12
    first_after: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=1)


class DeliveryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How a process receives and handles webhooks, all connectors together.

    Attributes:
        handlers_at_once: Further events wait in the inbox, for this process or another; with
            0 it receives and handles nothing.
        received_at_once: Further deliveries are answered 503 with Retry-After.
        lease: For how long an event is one process's; it holds on to what still runs. An
            event whose process died is handled by another after this time at most.
        sweep_every: How often a process looks for what others left, at the least.
        stop_within: How long closing waits for handlers that run; those cut off begin anew
            in the next process.
    """

    handlers_at_once: int = 128
    received_at_once: int = 256
    lease: timedelta = timedelta(seconds=15)
    sweep_every: timedelta = timedelta(seconds=30)
    stop_within: timedelta = timedelta(seconds=10)


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One attempt at one event: what a store completes, and only while it is the latest.

    `owner` names the process that has it, by a random name of its present run; `attempt`
    counts from 1, and anew after a replay. `keep_body_for` is how long the body stays once
    the event is done.
    """

    key: ConnectionKey
    id: str
    owner: str
    attempt: int
    keep_body_for: timedelta


def retry_pause(retries: Retries, attempt: int, *, fraction: float) -> timedelta | None:
    """How long to wait after a failed attempt; None where it was the last.

    Args:
        retries: The connector's.
        attempt: The number of the attempt that failed, from 1.
        fraction: From 0 to 1, random: the pause is between half of its full length and all
            of it, so that what failed together is not tried together.
    """
    if attempt >= retries.attempts:
        return None
    doublings = min(attempt - 1, _MOST_DOUBLINGS)
    full = min(retries.first_after.total_seconds() * 2**doublings, retries.longest.total_seconds())
    return timedelta(seconds=full * (0.5 + fraction / 2))


def limits_fault(limits: DeliveryLimits) -> str | None:
    """Why limits could not be kept to; None where they can."""
    if limits.handlers_at_once < 0 or limits.received_at_once < 1:
        return "a process handles 0 webhooks at once or more, and receives 1 or more"
    if min(limits.lease, limits.sweep_every) <= timedelta(0) or limits.stop_within < timedelta(0):
        return "the lease and the time between sweeps are over 0, and stopping takes 0 or longer"
    return None


def retries_fault(retries: Retries) -> str | None:
    """Why retries could not be kept to; None where they can."""
    if retries.attempts < 1:
        return "an event is tried once at least"
    if retries.first_after <= timedelta(0) or retries.longest < retries.first_after:
        return (
            "the pauses between attempts are over 0, and the longest is no shorter than the first"
        )
    return None
