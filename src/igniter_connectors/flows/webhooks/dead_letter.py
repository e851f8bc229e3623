"""What happens after a failed attempt: a retry, or the event becomes a dead letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from igniter_connectors.core.connection.record import ConnectionKey
from igniter_connectors.core.event import WebhookDeadLettered, WebhookFailedEvent
from igniter_connectors.core.problem import Problem
from igniter_connectors.core.problem.problem import pause_asked_by
from igniter_connectors.core.webhook.failure_reason import failure_reason
from igniter_connectors.core.webhook.retry_policy import Delivery, Retries, retry_pause
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.event_bus import event_fields
from igniter_connectors.ports import StoreRefused, StoreUnavailable

_WRITE_RETRY_SECONDS: Final = (0.2, 1.0, 3.0)


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A failed attempt: the provider's id of the event, why it failed, and the reason to store.

    The reason has no secret; `failure_reason` makes it.
    """

    event_id: str
    problem: Problem
    reason: str

    @staticmethod
    def of(event_id: str, problem: Problem) -> Failed:
        """A failure of ours: its problem holds no secret."""
        return Failed(event_id, problem, failure_reason(problem))


async def retry_or_dead_letter(
    engine: Engine, retries: Retries, delivery: Delivery, failed: Failed
) -> bool:
    """Schedules another attempt. After the last attempt, makes the event a dead letter.

    Returns:
        Whether another attempt was scheduled.
    """
    pause = retry_pause(
        retries,
        delivery.attempt,
        fraction=engine.entropy.fraction(),
        at_least=pause_asked_by(failed.problem, now=engine.clock.now()),
    )
    if pause is None:
        return await dead_letter(engine, delivery, failed)
    publish_failed(engine, delivery.key, failed.event_id, failed.problem)
    inbox, code = engine.store.inbox, failed.problem.code
    return await write_outcome(
        engine,
        lambda latest: inbox.retry(latest, code=code, pause=pause, reason=failed.reason),
        delivery,
    )


async def dead_letter(engine: Engine, delivery: Delivery, failed: Failed) -> bool:
    """Makes the event a dead letter. It is not tried again until it is replayed.

    The next event with the same order key may be due now. Returns False: no other attempt of
    this event follows.
    """
    key, inbox, code = delivery.key, engine.store.inbox, failed.problem.code
    publish_failed(engine, key, failed.event_id, failed.problem)
    is_written = await write_outcome(
        engine,
        lambda latest: inbox.dead_letter(latest, code=code, reason=failed.reason),
        delivery,
    )
    if not is_written:
        return False
    engine.logger.error(
        "%s: webhook event %s is dead after %d attempts: %s",
        key.connector,
        delivery.id,
        delivery.attempt,
        code,
    )
    engine.event_bus.publish(
        WebhookDeadLettered(
            at=engine.clock.now(),
            event_id=failed.event_id,
            code=code,
            attempts=delivery.attempt,
            **event_fields(key),
        )
    )
    return False


async def write_outcome(
    engine: Engine, write: Callable[[Delivery], Awaitable[bool]], delivery: Delivery
) -> bool:
    """Writes an attempt's outcome. Retries for a few seconds while the database is unavailable.

    If the outcome is not written, the handler runs once more when the lease ends. Returns
    False if the attempt is no longer the latest.

    Raises:
        StoreUnavailable: the last retry failed too, or the database refuses the write.
    """
    for pause in _WRITE_RETRY_SECONDS:
        try:
            return await write(delivery)
        except StoreRefused:
            raise
        except StoreUnavailable as error:
            engine.logger.error("the database failed: %s", error.reason)
            await engine.clock.sleep(pause)
    return await write(delivery)


def publish_failed(engine: Engine, key: ConnectionKey, event_id: str, problem: Problem) -> None:
    """Publishes that a webhook was refused, or that an attempt failed."""
    engine.event_bus.publish(
        WebhookFailedEvent(
            at=engine.clock.now(),
            event_id=event_id,
            code=problem.code,
            **event_fields(key),
        )
    )
