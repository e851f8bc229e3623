"""What the methods of a store raise."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The database did not answer in time, or refused. `reason` contains no value of a row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeliveryLost(Exception):
    """The attempt is no longer its event's latest: another process has it, or it has ended.

    Raised where a transaction completes the event. Do not catch it: then nothing is written.
    """
