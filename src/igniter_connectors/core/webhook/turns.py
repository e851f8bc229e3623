"""Turns: how the free slots of a process are shared among the tenants with due events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from igniter_connectors.core.connection.record import Tenant


class Share(msgspec.Struct, frozen=True):
    """How many handlers a tenant may have in one process.

    Attributes:
        per_tenant: How many at once. The slots beyond stay free for other tenants.
        running: How many each tenant, by scope and identity, has now.
    """

    per_tenant: int
    running: Mapping[tuple[str, str], int]

    def room(self, tenant: tuple[str, str]) -> int:
        """How many more handlers the tenant may have."""
        return self.per_tenant - self.running.get(tenant, 0)


class Turn(msgspec.Struct, frozen=True):
    """A tenant and a connector that have a due event."""

    scope: str
    identity: str
    connector: str


class Turns(msgspec.Struct, frozen=True):
    """Whose events to claim, in order, and at most how many of each."""

    chosen: Sequence[Turn]
    events_each: int


def choose_turns(due: Sequence[Turn], *, share: Share | None, limit: int) -> Turns:
    """Shares `limit` events equally among the turns. No tenant gets more than its share allows.

    Args:
        due: Tenants and connectors with due events, those that wait for a turn first.
        share: None for no limit per tenant.
        limit: How many events may be claimed in all, at least 1.
    """
    room: dict[Tenant, int] = {}
    eligible: list[Turn] = []
    for turn in due:
        tenant = (turn.scope, turn.identity)
        left = room.setdefault(tenant, limit if share is None else share.room(tenant))
        if left > 0 and len(eligible) < limit:
            room[tenant] -= 1
            eligible.append(turn)
    if not eligible:
        return Turns((), 0)
    turns_of: dict[Tenant, int] = {}
    for turn in eligible:
        tenant = (turn.scope, turn.identity)
        turns_of[tenant] = turns_of.get(tenant, 0) + 1
    # Rounded down, so that the last turns are not cut off. What is left goes to the next claim.
    each = limit // len(eligible)
    for tenant, count in turns_of.items():
        each = min(each, 1 + room[tenant] // count)
    return Turns(eligible, each)
