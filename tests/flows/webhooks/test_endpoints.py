"""Webhook endpoints of a connection: create, list, rotate and retire, over every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from igniter_connectors import Secret, Webhook, problem_of, value_or_raise
from igniter_connectors.core.webhook.webhook import webhook_fault
from igniter_connectors.problems import WebhookNotFound, WebhookSecretInvalid
from igniter_connectors.webhooks import GITHUB
from tests.flows.mailroom import Letter, MakeStore, Plan, accept, mailroom

LONG = "0123456789abcdef"


async def test_a_rotated_endpoint_works_until_its_overlap_ends(make_store: MakeStore) -> None:
    """The new endpoint has another URL and secret; both receive during the overlap."""
    async with mailroom(make_store()) as room:
        old = room.endpoint
        hooks = room.at.webhooks
        new = value_or_raise(await hooks.rotate(old.id, overlap=timedelta(hours=1)))
        assert new.id != old.id
        assert new.url != old.url
        assert new.signing_secret != old.signing_secret
        listed = {one.id: one for one in value_or_raise(await hooks.endpoints())}
        assert listed.keys() == {old.id, new.id}
        assert (listed[old.id].valid_until is None, listed[new.id].valid_until) == (False, None)
        assert (await room.post("old", "1")).status == 204
        assert (await replace(room, endpoint=new).post("new", "2")).status == 204
        value_or_raise(await hooks.retire(old.id))
        assert (await room.post("old", "3")).status == 404
        await room.connectors.settled()
        assert sorted(room.texts) == ["new", "old"]


async def test_an_unknown_endpoint_is_neither_rotated_nor_retired(make_store: MakeStore) -> None:
    """And the connection's own endpoint stays as it is."""
    async with mailroom(make_store()) as room:
        hooks = room.at.webhooks
        before = value_or_raise(await hooks.endpoints())
        assert problem_of(await hooks.rotate("none")) == WebhookNotFound()
        assert problem_of(await hooks.retire("none")) == WebhookNotFound()
        assert value_or_raise(await hooks.endpoints()) == before


async def test_a_signing_secret_must_have_the_format_of_the_scheme(make_store: MakeStore) -> None:
    """Nothing is created for another one."""
    async with mailroom(make_store()) as room:
        created = await room.at.create_webhook(signing_secret=Secret("short"))
        assert problem_of(created) == WebhookSecretInvalid("mail")
        assert len(value_or_raise(await room.at.webhooks.endpoints())) == 1


@pytest.mark.parametrize(
    "text", [" ", "", "a", "whsec_", "whsec_test_5f1d", f" {LONG}", f"{LONG}\n"]
)
async def test_a_secret_that_protects_nothing_is_never_stored(
    text: str, make_store: MakeStore
) -> None:
    """At an endpoint that is created, rotated, or gets another secret. The old one still works."""
    async with mailroom(make_store(), Plan(scheme=GITHUB)) as room:
        at, secret = room.at, Secret(text)
        problems = [
            problem_of(await at.create_webhook(signing_secret=secret)),
            problem_of(await at.replace_webhook_secret(room.endpoint.id, secret)),
            problem_of(await at.webhooks.rotate(room.endpoint.id, signing_secret=secret)),
        ]
        assert {type(problem) for problem in problems} == {WebhookSecretInvalid}
        assert len({problem and problem.message for problem in problems}) == 1
        assert len(value_or_raise(await at.webhooks.endpoints())) == 1
        assert (await room.post("hi")).status == 204


def test_an_applications_secret_must_protect_something() -> None:
    """One line when the connector is built."""
    good = Webhook(
        payload=Letter,
        verification=GITHUB,
        handler=accept,
        route=lambda letter: letter.sender,
        application_secrets=(Secret(LONG),),
        account_of=lambda config: config.key.reveal(),
    )
    assert webhook_fault(good) is None
    for text in (" ", "", "a", "whsec_", f"{LONG}\n"):
        fault = webhook_fault(msgspec.structs.replace(good, application_secrets=(Secret(text),)))
        assert fault is not None
        assert fault.startswith("an application secret ")
