"""One figure: what was counted, and whether it is what it must be."""

from collections.abc import Callable, Coroutine

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """`figure` and `bar` are for reading; `holds` is the verdict."""

    name: str
    figure: str
    bar: str
    holds: bool


Campaign = Callable[[], Coroutine[object, None, Figure]]
"""Runs for a minute or two on two cores and needs nothing set up."""
