"""What the methods of a store raise."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The database did not answer in time, or refused. `reason` holds no value of a row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeliveryLost(Exception):
    """The attempt is no longer its event's latest: another process has it, or it has ended.

    Raised where a transaction would complete the event; let it through, and nothing is written.
    """
