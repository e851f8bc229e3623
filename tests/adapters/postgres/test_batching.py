"""Statements that several callers share: what each caller gets when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from igniter_connectors.adapters.postgres.batching import Batches
from igniter_connectors.ports import StoreRefused, StoreUnavailable


@pytest.mark.parametrize("kind", [StoreUnavailable, StoreRefused])
async def test_a_failure_keeps_its_kind(kind: type[StoreUnavailable]) -> None:
    """What is refused for good is not retried as an outage is. Each caller gets its own object."""

    async def run_one(_: int, until: float) -> int:
        raise kind(f"alone, until {until:.0f}")

    async def run_many(_: Sequence[int], until: float) -> Sequence[int]:
        raise kind(f"together, until {until:.0f}")

    batches = Batches(asyncio.get_running_loop().time, run_one, run_many)
    outcomes = await asyncio.gather(*map(batches.submit, range(5)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [kind] * 5
    assert len(set(map(id, outcomes))) == 5
    await batches.close()
