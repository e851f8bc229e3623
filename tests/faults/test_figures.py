"""The reliability figures, as tests: each is counted anew and must hold."""

from __future__ import annotations

from functools import partial

import pytest
from benchmarks.reliability.campaigns import CAMPAIGNS
from benchmarks.reliability.figure import Campaign
from benchmarks.reliability.fuzz_signatures import fuzz_signatures
from benchmarks.reliability.zoom_oracle import zoom_oracle

REDUCED: dict[str, Campaign] = {
    "fuzz-signatures": partial(fuzz_signatures, tries=5_000),
    "zoom-oracle": partial(zoom_oracle, tries=2_000),
}
"""Those that only count: in full they are for `python -m benchmarks.reliability`."""


@pytest.mark.parametrize("name", CAMPAIGNS)
async def test_the_figure_holds(name: str) -> None:
    """What must never happen did not happen."""
    figure = await REDUCED.get(name, CAMPAIGNS[name])()
    assert figure.holds, figure
