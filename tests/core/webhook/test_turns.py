"""Turns: what each tenant gets of the slots that are free."""

from __future__ import annotations

import pytest

from igniter_connectors.core.webhook.turns import Share, Turn, choose_turns

A, B, C = (Turn("organization", name, "mail") for name in "abc")
A2 = Turn("organization", "a", "shop")


@pytest.mark.parametrize(
    ("due", "share", "limit", "chosen", "each"),
    [
        ([], None, 8, [], 0),
        ([A], None, 8, [A], 8),
        ([A, B], None, 8, [A, B], 4),
        ([A, B, C], None, 8, [A, B, C], 2),
        ([A, B, C], None, 2, [A, B], 1),
        ([A], Share(6, {}), 8, [A], 6),
        ([A], Share(6, {("organization", "a"): 5}), 8, [A], 1),
        ([A, B], Share(6, {("organization", "a"): 6}), 8, [B], 6),
        ([A, A2], Share(6, {("organization", "a"): 5}), 8, [A], 1),
        ([A, A2, B], Share(4, {}), 9, [A, A2, B], 2),
        ([A], Share(6, {("organization", "a"): 7}), 8, [], 0),
    ],
)
def test_slots_are_shared_among_the_tenants(
    due: list[Turn], share: Share | None, limit: int, chosen: list[Turn], each: int
) -> None:
    """In equal parts, in order, and no tenant gets more than its share."""
    turns = choose_turns(due, share=share, limit=limit)
    assert (list(turns.chosen), turns.events_each) == (chosen, each)
