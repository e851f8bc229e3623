"""The limits of HTTP requests: which are valid."""

from __future__ import annotations

import pytest

from igniter_connectors import HttpLimits
from igniter_connectors.core.http.http_limits import http_limits_fault


@pytest.mark.parametrize(
    ("limits", "is_valid"),
    [
        (HttpLimits(), True),
        (HttpLimits(requests_at_once=1, requests_per_tenant=1, requests_per_origin=1), True),
        (HttpLimits(requests_per_tenant=0), False),
        (HttpLimits(requests_per_origin=0), False),
        (HttpLimits(requests_at_once=100), True),
        (HttpLimits(requests_at_once=99), False),
        (HttpLimits(requests_at_once=19, requests_per_origin=19), False),
    ],
)
def test_a_share_is_at_least_one_and_at_most_all(limits: HttpLimits, is_valid: bool) -> None:
    """A share above the whole would be a limit that is never reached."""
    assert (http_limits_fault(limits) is None) == is_valid
