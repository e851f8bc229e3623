"""The reliability figures, as tests: each is counted anew and must hold."""

from __future__ import annotations

import pytest
from benchmarks.reliability.campaigns import CAMPAIGNS


@pytest.mark.parametrize("name", CAMPAIGNS)
async def test_the_figure_holds(name: str) -> None:
    """What must never happen did not happen."""
    figure = await CAMPAIGNS[name]()
    assert figure.holds, figure
