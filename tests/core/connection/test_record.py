"""A row as it is stored: its address and its health."""

from __future__ import annotations

import pytest

from igniter_connectors.core.connection.record import ConnectionKey, Health, Status, health_of
from tests.core.examples import KEY, record


@pytest.mark.parametrize("status", ["ok", "needs_reauth", "lost_rotation"])
def test_an_enabled_row_is_as_healthy_as_its_grant(status: Status) -> None:
    """The status of the grant is what a user sees."""
    assert health_of(record(status=status)) == status


@pytest.mark.parametrize("status", ["ok", "needs_reauth", "lost_rotation"])
def test_a_disabled_row_is_disabled_whatever_its_grant(status: Status) -> None:
    """Somebody's own switch is told before anything else."""
    expected: Health = "disabled"
    assert health_of(record(enabled=False, status=status)) == expected


def test_no_two_addresses_are_equal() -> None:
    """A key is four fields, not one string in which a separator could stand."""
    assert ConnectionKey("a", "b:c", "d") != ConnectionKey("a:b", "c", "d")
    assert ConnectionKey("organization", "acme", "telegram", "default") == KEY
