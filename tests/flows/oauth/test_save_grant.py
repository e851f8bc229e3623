"""Saving tokens, or queueing them for revocation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from returns.result import Failure

from igniter_connectors import Secret, problem_of, value_or_raise
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.oauth.token_response import TokenSet
from igniter_connectors.flows.oauth.save_grant import (
    GrantSource,
    NewGrant,
    conflict,
    save_grant,
    unsaved_revocation,
)
from igniter_connectors.problems import Conflict, IdentityMismatch
from tests.flows.forge import KEY, PROVIDER, Forge, Team, forge


def new(**changes: Any) -> NewGrant[Team]:
    """A grant for the account `u1`, where nothing was connected before."""
    made = NewGrant(
        config=Team(),
        provider=PROVIDER,
        tokens=TokenSet(Secret("access"), Secret("refresh")),
        expected_grant=None,
        account=UpstreamAccount("u1"),
    )
    return replace(made, **changes)


async def queued(made: Forge) -> int:
    """How many revocations wait."""
    made.clock.advance(timedelta(hours=1))
    return len(await made.store.revocations.claim(limit=9, duration=timedelta(1)))


async def test_a_first_grant_makes_a_row() -> None:
    """With an id of its own, of generation 1."""
    made = forge()
    record = value_or_raise(await save_grant(made.engine, made.connector, KEY, new()))
    assert record.grant is not None
    assert (record.grant.generation, record.grant.subject) == (1, "u1")
    assert record.grant.oauth_scopes == ("read",)
    assert (record.grant.client_id, record.grant.token_url) == ("app", PROVIDER.token_url)
    assert await made.store.last_grant(KEY) == record.grant.grant_id
    assert await queued(made) == 0


@pytest.mark.parametrize(
    ("source", "refresh", "is_refreshable", "is_shared"),
    [
        ("authorization", True, True, False),
        ("authorization", False, False, False),
        ("client_credentials", False, True, False),
        ("adopted", True, True, False),
        ("adopted_shared", False, False, True),
    ],
)
async def test_the_source_decides_who_refreshes(
    source: GrantSource, refresh: bool, is_refreshable: bool, is_shared: bool
) -> None:
    """The client's own tokens are requested again without a refresh token."""
    made = forge()
    tokens = TokenSet(Secret("access"), Secret("refresh") if refresh else None)
    grant = value_or_raise(
        await save_grant(made.engine, made.connector, KEY, new(source=source, tokens=tokens))
    ).grant
    assert grant is not None
    assert (grant.refreshable, grant.is_shared) == (is_refreshable, is_shared)


async def test_a_new_grant_replaces_the_old_one() -> None:
    """Under the next generation; the old tokens are queued for revocation."""
    made = forge()
    first = value_or_raise(await save_grant(made.engine, made.connector, KEY, new()))
    assert first.grant is not None
    again = new(expected_grant=first.grant.grant_id)
    second = value_or_raise(await save_grant(made.engine, made.connector, KEY, again))
    assert second.grant is not None
    assert (second.id, second.grant.generation) == (first.id, 2)
    assert second.grant.grant_id != first.grant.grant_id
    assert await queued(made) == 1


async def test_another_account_is_refused_unless_it_may_replace_this_one() -> None:
    """Its tokens are queued for revocation."""
    made = forge()
    first = value_or_raise(await save_grant(made.engine, made.connector, KEY, new()))
    assert first.grant is not None
    other = new(expected_grant=first.grant.grant_id, account=UpstreamAccount("u2"))
    assert await save_grant(made.engine, made.connector, KEY, other) == Failure(
        IdentityMismatch("forge")
    )
    assert await queued(made) == 1
    allowed = replace(other, may_replace_account=True)
    saved = value_or_raise(await save_grant(made.engine, made.connector, KEY, allowed))
    assert saved.grant is not None
    assert saved.grant.subject == "u2"


async def test_a_grant_that_changed_meanwhile_is_a_conflict() -> None:
    """With the version that is stored now; adopted tokens are not revoked."""
    made = forge()
    value_or_raise(await save_grant(made.engine, made.connector, KEY, new()))
    late = await save_grant(made.engine, made.connector, KEY, new())
    assert late == Failure(Conflict("forge", 1))
    assert await conflict(made.engine, KEY) == Conflict("forge", 1)
    assert await queued(made) == 1
    adopted = new(source="adopted")
    assert problem_of(await save_grant(made.engine, made.connector, KEY, adopted)) is not None
    assert await queued(made) == 0


async def test_a_refresh_in_between_does_not_lose_the_authorization() -> None:
    """It raises the generation of the same grant, so the write is tried again."""
    made = forge()
    first = value_or_raise(await save_grant(made.engine, made.connector, KEY, new()))
    assert first.grant is not None
    grant = first.grant
    save = made.store.save_authorized
    tries = 0

    async def after_a_refresh(*args: Any, **kwargs: Any) -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            renewed = replace(grant, generation=2)
            assert await made.store.save_renewed(KEY, row=first.id, generation=1, grant=renewed)
        return await save(*args, **kwargs)

    made.store.save_authorized = after_a_refresh  # type: ignore[method-assign]  # the race
    again = new(expected_grant=grant.grant_id)
    saved = value_or_raise(await save_grant(made.engine, made.connector, KEY, again))
    assert saved.grant is not None
    assert (tries, saved.grant.generation) == (2, 3)


def test_only_the_provider_s_own_tokens_can_be_revoked() -> None:
    """Adopted tokens are the application's; and the provider must be able to revoke."""
    for changes, source, is_queued in (
        ({}, "authorization", True),
        ({}, "client_credentials", True),
        ({}, "adopted", False),
        ({}, "adopted_shared", False),
        ({"revocation_url": None}, "authorization", False),
    ):
        made = forge(**changes)
        pending = unsaved_revocation(made.engine, made.connector, KEY, new(source=source))
        assert (pending is not None) is is_queued, (changes, source)
