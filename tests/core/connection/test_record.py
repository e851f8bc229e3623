"""A row as it is stored: its address and its health."""

from __future__ import annotations

from igniter_connectors.core.connection.record import ConnectionKey
from tests.core.examples import KEY


def test_no_two_addresses_are_equal() -> None:
    """A key is four fields, not one string in which a separator could stand."""
    assert ConnectionKey("a", "b:c", "d") != ConnectionKey("a:b", "c", "d")
    assert ConnectionKey("organization", "acme", "telegram", "default") == KEY
