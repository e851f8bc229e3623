"""Tokens on their way to be revoked."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from igniter_connectors.core.http.messages import DEADLINE
from igniter_connectors.core.oauth.pending_revocation import CLAIM, HELD_BACK, revocation_of
from tests.core.examples import granted


def test_a_revocation_holds_the_grant_and_the_config_that_minted_it() -> None:
    """Not the row's own grant, where a refresh brought another that could not be stored."""
    record = granted()
    assert record.grant is not None
    newer = replace(record.grant, generation=7)
    pending = revocation_of(record, newer, id="id")
    assert (pending.id, pending.key, pending.row) == ("id", record.key, record.id)
    assert (pending.public_config, pending.sealed_config) == (
        record.public_config,
        record.sealed_config,
    )
    assert (pending.grant, pending.attempts) == (newer, 0)


def test_a_grant_is_held_back_longer_than_a_callback_takes() -> None:
    """Exchange and user info, each within its deadline; and a claim outlives its request."""
    assert HELD_BACK > 2 * DEADLINE
    assert CLAIM > DEADLINE
    assert timedelta(minutes=5) > HELD_BACK
