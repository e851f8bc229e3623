"""`webhooks list`, `show` and `replay`."""

from __future__ import annotations

from typing import cast

import click
import msgspec

from igniter_connectors.cli.connections import FoundAt, run_at
from igniter_connectors.core.pagination import LARGEST_PAGE
from igniter_connectors.core.problem import value_or_raise
from igniter_connectors.core.webhook.inbox import EventState, WebhookEvent


def list_all(
    app: str, tenant: str, connector: str, account: str, state: str | None, *, as_json: bool
) -> None:
    """Prints each event of a connection, the latest first."""

    async def work(at: FoundAt) -> None:
        cursor: str | None = None
        wanted = cast("EventState | None", state)  # click knows the choices
        while True:
            page = value_or_raise(
                await at.webhooks.list(state=wanted, limit=LARGEST_PAGE, after=cursor)
            )
            for event in page.items:
                if as_json:
                    click.echo(msgspec.json.encode(event))
                else:
                    click.echo(_line(event))
            cursor = page.next
            if cursor is None:
                return

    run_at(app, tenant, connector, account, work)


def show(
    app: str,
    tenant: str,
    connector: str,
    account: str,
    id: str,
    *,
    with_body: bool,
    as_json: bool,
) -> None:
    """Prints one event, and its body where it is asked for."""

    async def work(at: FoundAt) -> None:
        event = value_or_raise(await at.webhooks.find(id))
        body = value_or_raise(await at.webhooks.body(id)) if with_body else None
        told: dict[str, object] = msgspec.to_builtins(event)
        if body is not None:
            told["body"] = body.decode("utf-8", "replace")
        if as_json:
            click.echo(msgspec.json.encode(told))
            return
        for name, value in told.items():
            click.echo(f"{name:<16} {'' if value is None else value}")

    run_at(app, tenant, connector, account, work)


def replay(
    app: str,
    tenant: str,
    connector: str,
    account: str,
    id: str,
    *,
    only_check: bool,
    as_json: bool,
) -> None:
    """Has an event handled once more by the application's processes, or says whether it could."""

    async def work(at: FoundAt) -> None:
        event = value_or_raise(await at.webhooks.check_replay(id))
        if not only_check:
            value_or_raise(await at.webhooks.replay(id))
        if as_json:
            click.echo(msgspec.json.encode({"id": event.id, "replayed": not only_check}))
        elif only_check:
            click.echo(f"{event.id} would be replayed")
        else:
            click.echo(f"{event.id} is due: the next process that handles webhooks takes it")

    run_at(app, tenant, connector, account, work)


def _line(event: WebhookEvent) -> str:
    at = f"{event.received_at:%Y-%m-%d %H:%M:%S}"
    tail = f"{event.attempts:>3} {event.last_code}"
    return f"{event.id} {at} {event.state:<8} {event.event_id:<32} {tail}".rstrip()
