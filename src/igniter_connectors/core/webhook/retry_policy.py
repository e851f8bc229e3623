"""The retry policy of webhook handlers, and the limits of a process that runs them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey

_MAX_DOUBLINGS: Final = 32
_LONGEST_ASKED: Final = timedelta(days=1)


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How a failed handler is retried: exponential back-off with jitter.

    Attributes:
        attempts: How many attempts in all, at least 1. After the last one the event is a dead
            letter, until it is replayed.
        first_after: The pause after the first failure. Each further pause is twice as long.
        longest: The longest pause.
    """

    attempts: int = 12
    first_after: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=1)


class DeliveryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one process for receiving and handling webhooks of all connectors.

    Attributes:
        handlers_at_once: How many handlers run concurrently. Further events wait in the inbox
            for this process or another. With 0, this process receives and handles nothing.
        handlers_per_tenant: How many of them one tenant may have at once. The rest stays free for
            other tenants, so that their events start at once whatever one tenant piles up. None
            for three quarters of `handlers_at_once`, rounded up.
        received_at_once: How many deliveries are received concurrently. Further ones get a
            503 with Retry-After.
        body_within: How long a request's body may take to arrive. A later one gets a 408.
        unfinished_bodies_bytes: The limit of all bodies together that are only partly there.
            Beyond it, a body that arrives in parts gets a 503 with Retry-After.
        lease: How long a process owns an event. It renews the lease while the handler runs.
            If the process dies, another one handles the event after this time at most.
        sweep_every: The longest time between two looks for events that other processes left.
        stop_within: How long closing waits for running handlers. Then they are cancelled, and
            the next process runs them again.
    """

    handlers_at_once: int = 128
    handlers_per_tenant: int | None = None
    received_at_once: int = 256
    body_within: timedelta = timedelta(seconds=10)
    unfinished_bodies_bytes: int = 16 * 1024 * 1024
    lease: timedelta = timedelta(seconds=15)
    sweep_every: timedelta = timedelta(seconds=30)
    stop_within: timedelta = timedelta(seconds=10)


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One attempt to handle one event. A store changes an event only for its latest attempt.

    `owner` is the random name of the process that runs it. `attempt` counts from 1, and from
    1 again after a replay. `keep_body_for` is how long the body is kept after the event is
    done.
    """

    key: ConnectionKey
    id: str
    owner: str
    attempt: int
    keep_body_for: timedelta


def retry_pause(
    retries: Retries, attempt: int, *, fraction: float, at_least: timedelta = timedelta(0)
) -> timedelta | None:
    """The pause after a failed attempt; None after the last attempt.

    Args:
        retries: The connector's retry policy.
        attempt: The number of the failed attempt, from 1.
        fraction: The jitter, random from 0 to 1. The pause is between half of its full length
            and its full length, so that events that failed together are not retried together.
        at_least: How long the handler asked to wait, of which a day counts at most.
    """
    if attempt >= retries.attempts:
        return None
    doublings = min(attempt - 1, _MAX_DOUBLINGS)
    full = min(retries.first_after.total_seconds() * 2**doublings, retries.longest.total_seconds())
    pause = timedelta(seconds=full * (0.5 + fraction / 2))
    return max(pause, min(at_least, _LONGEST_ASKED))


def share_of(limits: DeliveryLimits) -> int:
    """How many handlers one tenant may have at once."""
    if limits.handlers_per_tenant is not None:
        return limits.handlers_per_tenant
    return (limits.handlers_at_once * 3 + 3) // 4


def limits_fault(limits: DeliveryLimits) -> str | None:
    """Why the limits are not valid; None if they are."""
    if limits.handlers_at_once < 0 or limits.received_at_once < 1:
        return "handlers_at_once must be at least 0, and received_at_once at least 1"
    if limits.handlers_per_tenant is not None and limits.handlers_per_tenant < 1:
        return "handlers_per_tenant must be at least 1"
    if limits.body_within <= timedelta(0) or limits.unfinished_bodies_bytes < 1:
        return "body_within must be over 0, and unfinished_bodies_bytes at least 1"
    if min(limits.lease, limits.sweep_every) <= timedelta(0) or limits.stop_within < timedelta(0):
        return "lease and sweep_every must be over 0, and stop_within at least 0"
    return None


def retries_fault(retries: Retries) -> str | None:
    """Why the retry policy is not valid; None if it is."""
    if retries.attempts < 1:
        return "retries.attempts must be at least 1"
    if retries.first_after <= timedelta(0) or retries.longest < retries.first_after:
        return "the pauses of retries must be over 0, and longest at least first_after"
    return None
