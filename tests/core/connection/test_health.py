"""The health of a connection."""

from __future__ import annotations

import pytest

from igniter_connectors.core.connection.health import Health, health_of
from igniter_connectors.core.connection.record import Status
from tests.core.examples import record


@pytest.mark.parametrize("status", ["ok", "needs_reauth", "lost_rotation"])
def test_an_enabled_row_is_as_healthy_as_its_grant(status: Status) -> None:
    """A user sees the status of the grant."""
    assert health_of(record(status=status)) == status


@pytest.mark.parametrize("status", ["ok", "needs_reauth", "lost_rotation"])
def test_a_disabled_row_is_disabled_whatever_its_grant(status: Status) -> None:
    """The switch comes before the status of the grant."""
    expected: Health = "disabled"
    assert health_of(record(enabled=False, status=status)) == expected
