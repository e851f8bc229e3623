"""One figure: what was counted, and whether it meets its bar."""

from collections.abc import Callable, Coroutine

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """The result of one measurement. `figure` and `bar` are text for people."""

    name: str
    figure: str
    bar: str
    holds: bool


Measurement = Callable[[], Coroutine[object, None, Figure]]
"""Runs for at most two minutes on two cores. It needs no set-up."""
