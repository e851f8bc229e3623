"""An authorization that has begun: stored sealed, taken once."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from urllib.parse import urlsplit

from msgspec.structs import replace
from returns.result import Failure

from igniter_connectors import Keyring, value_or_raise
from igniter_connectors.core.oauth.state import AuthorizationPayload
from igniter_connectors.core.sealing.cipher_cache import Ciphers
from igniter_connectors.flows.oauth import start
from igniter_connectors.flows.oauth.authorize import AuthorizationOptions, authorize
from igniter_connectors.flows.oauth.pending_authorization import (
    open_payload,
    save_authorization,
    take_authorization,
)
from igniter_connectors.problems import DatabaseFailed, DecryptFailed, OAuthStateInvalid
from tests.flows.forge import ADA, KEY, TOKEN, Team, away, forge

PAYLOAD = AuthorizationPayload(
    subject="ada",
    config=b'{"name":"core","hook":"hook"}',
    oauth_scopes=("read", "write"),
    return_to="",
    expected_grant=None,
    replace_account=False,
)
INVALID = Failure(OAuthStateInvalid("forge"))


async def test_it_is_taken_once_and_with_both_hashes() -> None:
    """A wrong binding does not burn it."""
    made = forge()
    saved = await save_authorization(made.engine, KEY, PAYLOAD, handle_hash=b"h", binding_hash=b"b")
    value_or_raise(saved)
    for handle, binding in ((b"h", b"x"), (b"x", b"b")):
        taken = await take_authorization(
            made.engine, "forge", handle_hash=handle, binding_hash=binding
        )
        assert taken == INVALID
    taken = await take_authorization(made.engine, "forge", handle_hash=b"h", binding_hash=b"b")
    assert value_or_raise(taken) == (KEY, PAYLOAD)
    taken = await take_authorization(made.engine, "forge", handle_hash=b"h", binding_hash=b"b")
    assert taken == INVALID


async def test_it_lasts_ten_minutes_and_belongs_to_one_connector() -> None:
    """Another connector's route takes it and refuses it."""
    made = forge()
    for handle in (b"1", b"2"):
        await save_authorization(made.engine, KEY, PAYLOAD, handle_hash=handle, binding_hash=b"b")
    other = await take_authorization(made.engine, "other", handle_hash=b"1", binding_hash=b"b")
    assert other == Failure(OAuthStateInvalid("other"))
    made.clock.advance(timedelta(minutes=10, seconds=1))
    late = await take_authorization(made.engine, "forge", handle_hash=b"2", binding_hash=b"b")
    assert late == INVALID


async def test_a_payload_moved_to_another_row_does_not_open() -> None:
    """Whoever writes to the database cannot give a tenant's tokens to another tenant."""
    made = forge()
    await save_authorization(made.engine, KEY, PAYLOAD, handle_hash=b"h", binding_hash=b"b")
    pending = await made.store.take_authorization(b"h", b"b")
    assert pending is not None
    assert b"hook" not in pending.sealed_payload
    moved = replace(pending, key=replace(KEY, identity="mallory"))
    await made.store.add_authorization(moved, lifetime=timedelta(minutes=1))
    taken = await take_authorization(made.engine, "forge", handle_hash=b"h", binding_hash=b"b")
    assert taken == INVALID


def test_the_provider_is_resolved_with_the_stored_config_and_scopes() -> None:
    """A config that fits the type no more is refused."""
    made = forge()
    config, provider = value_or_raise(open_payload(made.connector, PAYLOAD))
    assert config == Team()
    assert provider.oauth_scopes == ("read", "write")
    assert open_payload(made.connector, replace(PAYLOAD, config=b'{"name":7}')) == INVALID


async def test_a_process_without_the_key_leaves_it_to_the_others() -> None:
    """At the start and at the callback. The person opens the page again, and is connected."""
    made = forge()
    behind = dataclasses.replace(
        made.engine, ciphers=Ciphers(Keyring.from_secret(Keyring.generate()))
    )
    begun = await authorize(made.engine, made.connector, KEY, Team(), AuthorizationOptions("ada"))
    url = value_or_raise(begun).url
    query = urlsplit(url).query
    opened = await start.start(behind, "forge", query=query, fetch_site=None, principal=ADA)
    assert opened == Failure(DecryptFailed("forge"))
    cookie, state = await made.open_ticket(url)
    for who in (dataclasses.replace(made, engine=behind), made, made):
        back = await who.come_back(state, cookie)
        if who is not made:
            assert back == Failure(DecryptFailed("forge"))
    assert back == INVALID
    assert (await made.record()).status == "ok"
    assert len(made.sent(TOKEN)) == 1


async def test_an_authorization_that_is_put_back_lasts_one_minute() -> None:
    """A process without the key does not prolong the ten minutes much."""
    made = forge()
    behind = dataclasses.replace(
        made.engine, ciphers=Ciphers(Keyring.from_secret(Keyring.generate()))
    )
    saved = await save_authorization(made.engine, KEY, PAYLOAD, handle_hash=b"h", binding_hash=b"b")
    value_or_raise(saved)
    taken = await take_authorization(behind, "forge", handle_hash=b"h", binding_hash=b"b")
    assert taken == Failure(DecryptFailed("forge"))
    made.clock.advance(timedelta(minutes=1))
    assert (
        await take_authorization(made.engine, "forge", handle_hash=b"h", binding_hash=b"b")
        == INVALID
    )


async def test_a_database_that_is_away_is_a_problem() -> None:
    """For the callback, which then leaves the state as it is."""
    made = forge()
    made.store.take_authorization = away  # type: ignore[method-assign]  # the outage
    taken = await take_authorization(made.engine, "forge", handle_hash=b"h", binding_hash=b"b")
    assert taken == Failure(DatabaseFailed())
