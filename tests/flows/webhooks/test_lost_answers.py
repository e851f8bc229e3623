"""A call whose answer is lost after the commit may be repeated, over every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from igniter_connectors import Secret, problem_of, value_or_raise
from igniter_connectors.problems import (
    AlreadyConnected,
    Conflict,
    DatabaseFailed,
    NotConnected,
    WebhookNotFound,
)
from igniter_connectors.stores import StoreUnavailable
from igniter_connectors.webhooks import DeliveryLimits, WebhookEndpoint
from tests.flows.mailroom import Mail, Mailroom, MakeStore, Plan, mailroom, states

HOUR = timedelta(hours=1)
NEXT = Secret("whsec_" + "QUJD" * 8)
AFTER_NEXT = Secret("whsec_" + "REVG" * 8)


def lose(
    room: Mailroom, monkeypatch: pytest.MonkeyPatch, name: str, times: int = 1, part: str = ""
) -> None:
    """The next answers of a method of the store are lost after it has done its work."""
    store: Any = room.connectors.store
    holder = getattr(store, part) if part else store
    method, left = getattr(holder, name), [None] * times

    async def lost(*arguments: Any, **named: Any) -> Any:
        answer = await method(*arguments, **named)
        if left:
            left.pop()
            raise StoreUnavailable("the answer was lost")
        return answer

    monkeypatch.setattr(holder, name, lost)


async def live(room: Mailroom) -> list[str]:
    """The endpoints that do not end."""
    listed = value_or_raise(await room.at.webhooks.endpoints())
    return [one.id for one in listed if one.valid_until is None]


async def accepts(room: Mailroom, *secrets: Secret) -> list[bool]:
    """Whether deliveries signed with each of these secrets are accepted."""
    statuses = []
    for number, secret in enumerate(secrets):
        endpoint = WebhookEndpoint(room.endpoint.id, room.endpoint.url, secret)
        answer = await replace(room, endpoint=endpoint).post("hi", f"{number}")
        statuses.append(answer.status)
    assert set(statuses) <= {204, 401}
    return [status == 204 for status in statuses]


async def test_a_secret_replaced_twice_leaves_the_one_before_accepted(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without a lost answer, and until the sooner end. A third secret ends the first."""
    async with mailroom(make_store()) as room:
        old, id = room.endpoint.signing_secret, room.endpoint.id
        replace_with = room.at.replace_webhook_secret
        lose(room, monkeypatch, "save_endpoint_secret")
        assert problem_of(await replace_with(id, NEXT, overlap=HOUR)) == DatabaseFailed()
        for _ in range(2):
            value_or_raise(await replace_with(id, NEXT, overlap=HOUR))
            assert await accepts(room, old, NEXT) == [True, True]
        value_or_raise(await replace_with(id, NEXT, overlap=2 * HOUR))
        (listed,) = value_or_raise(await room.at.webhooks.endpoints())
        assert listed.previous_until is not None
        assert listed.previous_until - listed.created_at < 1.5 * HOUR
        value_or_raise(await replace_with(id, NEXT))
        assert await accepts(room, old, NEXT) == [False, True]
        value_or_raise(await replace_with(id, AFTER_NEXT, overlap=HOUR))
        assert await accepts(room, old, NEXT, AFTER_NEXT) == [False, True, True]


async def test_secrets_replaced_in_between_are_seen(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two callers with the same new secret: the second finds what the first wrote."""
    async with mailroom(make_store()) as room:
        old, id = room.endpoint.signing_secret, room.endpoint.id
        store: Any = room.connectors.store
        listed, is_first = store.list_endpoints, [True]

        async def then_another(*arguments: Any) -> Any:
            found = await listed(*arguments)
            if is_first:
                is_first.clear()
                value_or_raise(await room.at.replace_webhook_secret(id, NEXT, overlap=HOUR))
            return found

        monkeypatch.setattr(store, "list_endpoints", then_another)
        value_or_raise(await room.at.replace_webhook_secret(id, NEXT, overlap=HOUR))
        assert await accepts(room, old, NEXT) == [True, True]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_rotation_repeated_leaves_one_live_endpoint(
    times: int, make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lost answer is mended at once; after two the caller repeats the call."""
    async with mailroom(make_store()) as room:
        old, hooks = room.endpoint, room.at.webhooks
        lose(room, monkeypatch, "rotate_endpoint", times)
        answer = await hooks.rotate(old.id, overlap=HOUR)
        assert problem_of(answer) == (None if times == 1 else DatabaseFailed())
        if times == 2:
            answer = await hooks.rotate(old.id, overlap=HOUR)
        new = value_or_raise(answer)
        assert await live(room) == [new.id]
        assert (await replace(room, endpoint=new).post("new", "1")).status == 204
        assert (await room.post("old", "2")).status == 204
        listed = {one.id: one for one in value_or_raise(await hooks.endpoints())}
        assert len(listed) == 1 + times
        after = listed[old.id].replaced_by
        assert after is not None
        assert new.id in (after, listed[after].replaced_by)


async def test_two_rotations_of_one_endpoint_leave_the_last_one(make_store: MakeStore) -> None:
    """The other one ends after its overlap, and the endpoint itself after the shorter overlap."""
    async with mailroom(make_store()) as room:
        old, hooks = room.endpoint, room.at.webhooks
        first = value_or_raise(await hooks.rotate(old.id, overlap=HOUR))
        second = value_or_raise(await hooks.rotate(old.id, overlap=timedelta(0)))
        assert await live(room) == [second.id]
        statuses = [
            (await replace(room, endpoint=one).post("x", one.id)).status
            for one in (old, first, second)
        ]
        assert statuses == [404, 404, 204]
        value_or_raise(await hooks.retire(second.id))
        third = value_or_raise(await hooks.rotate(old.id))
        assert await live(room) == [third.id]


@pytest.mark.parametrize("times", [1, 2])
async def test_an_endpoint_that_nobody_was_shown_is_deleted(
    times: int, make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One lost answer is mended at once; after two the endpoint goes, and the caller repeats."""
    async with mailroom(make_store()) as room:
        lose(room, monkeypatch, "add_endpoint", times)
        answer = await room.at.create_webhook()
        if times == 2:
            assert problem_of(answer) == DatabaseFailed()
            await room.connectors._engine.owned_tasks.close()
            assert await live(room) == [room.endpoint.id]
            answer = await room.at.create_webhook()
        new = value_or_raise(answer)
        assert await live(room) == [room.endpoint.id, new.id]
        assert (await replace(room, endpoint=new).post("new")).status == 204


async def test_an_update_repeated_is_one_change(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a version. With the version that was seen, the caller learns that it is an old one:
    its change cannot be told from an equal one of somebody else, which must not count twice."""
    async with mailroom(make_store()) as room:
        lose(room, monkeypatch, "replace_config")
        mail = Mail(Secret("new"))
        assert problem_of(await room.at.update(mail, version=1)) == DatabaseFailed()
        assert problem_of(await room.at.update(mail, version=1)) == Conflict("mail", 2)
        for version in (None, 2):
            connection = value_or_raise(await room.at.update(mail, version=version))
            assert (connection.version, connection.config) == (2, mail)
        other = Mail(Secret("other"))
        assert problem_of(await room.at.update(other, version=1)) == Conflict("mail", 2)
        assert value_or_raise(await room.at.update(other)).version == 3
        assert problem_of(await room.at.update(other, version=1)) == Conflict("mail", 3)


async def test_switching_retiring_and_leaving_may_be_repeated(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call finds what the first one did."""
    async with mailroom(make_store()) as room:
        at = room.at
        for switch, is_enabled in ((at.disable, False), (at.enable, True)):
            lose(room, monkeypatch, "set_enabled")
            assert problem_of(await switch()) == DatabaseFailed()
            value_or_raise(await switch())
            assert value_or_raise(await at.get()).enabled is is_enabled
        assert value_or_raise(await at.get()).version == 3
        lose(room, monkeypatch, "retire_endpoint")
        assert problem_of(await at.webhooks.retire(room.endpoint.id)) == DatabaseFailed()
        value_or_raise(await at.webhooks.retire(room.endpoint.id))
        assert await live(room) == []
        lose(room, monkeypatch, "disconnect")
        assert problem_of(await at.disconnect()) == DatabaseFailed()
        assert problem_of(await at.disconnect()) == NotConnected("mail", "default")
        assert problem_of(await at.webhooks.retire(room.endpoint.id)) == WebhookNotFound()
        lose(room, monkeypatch, "insert")
        mail = Mail(Secret("again"))
        assert problem_of(await at.connect(mail)) == DatabaseFailed()
        assert problem_of(await at.connect(mail)) == AlreadyConnected("mail", "default")
        assert value_or_raise(await at.get()).config == mail


async def test_held_events_are_released_by_the_call_that_is_repeated(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the switch or the release lost its answer."""
    async with mailroom(make_store()) as room:
        for number, (part, name) in enumerate((("", "set_enabled"), ("inbox", "release"))):
            value_or_raise(await room.at.disable())
            assert (await room.post(f"text-{number}", f"msg_{number}")).status == 204
            lose(room, monkeypatch, name, part=part)
            assert problem_of(await room.at.enable()) == DatabaseFailed()
            value_or_raise(await room.at.enable())
            await room.connectors.settled()
            assert room.texts == [f"text-{each}" for each in range(number + 1)]


async def test_a_replay_may_be_repeated_until_the_event_runs(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is due once, however often that is asked for."""
    idle = Plan(limits=DeliveryLimits(handlers_at_once=0))
    async with mailroom(make_store()) as room:
        assert (await room.post("hi")).status == 204
        await room.connectors.settled()
    async with mailroom(make_store(), idle, endpoint=room.endpoint) as other:
        hooks = other.at.webhooks
        event = value_or_raise(await hooks.list()).items[0]
        lose(other, monkeypatch, "replay", part="inbox")
        assert problem_of(await hooks.replay(event.id)) == DatabaseFailed()
        for _ in range(2):
            value_or_raise(await hooks.replay(event.id))
        assert await states(other) == [("pending", 0, "")]
    async with mailroom(make_store(), endpoint=room.endpoint) as last:
        await last.connectors.settled()
        assert (last.texts, await states(last)) == (["hi"], [("done", 1, "")])
