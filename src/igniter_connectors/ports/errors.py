"""What the methods of a store raise."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The database did not answer in time, or refused. `reason` contains no value of a row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoreRefused(StoreUnavailable):
    """The database refused a value or a statement, and will do so however often it is repeated.

    For example: a value that its column cannot hold, a missing table, a missing privilege. A
    plain `StoreUnavailable` is transient: the same call may succeed a second later.
    """


class DeliveryLost(Exception):
    """The attempt is no longer its event's latest: another process has it, or it has ended.

    Raised where a transaction completes the event. Do not catch it: then nothing is written.
    """
