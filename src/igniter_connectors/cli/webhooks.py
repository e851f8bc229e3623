"""`webhooks list`, `show`, `replay` and `check-routes`."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import msgspec

from igniter_connectors.cli.application import AtAnyConnector, load_application, run_at_connector
from igniter_connectors.cli.output import print_json, print_line
from igniter_connectors.core.pagination import MAX_PAGE_SIZE
from igniter_connectors.core.problem import value_or_raise
from igniter_connectors.core.webhook.endpoint import WrongRoute
from igniter_connectors.core.webhook.inbox import EventState, WebhookEvent


def list_events(
    app: str, tenant: str, connector: str, account: str, state: str | None, *, as_json: bool
) -> None:
    """Prints the events of a connection, newest first.

    Args:
        app: `package.module:attribute`.
        tenant: `kind:identity`.
        connector: The connector's key.
        account: The tenant's account at that connector.
        state: Print only events in this state; None prints all.
        as_json: Print one JSON object per event.
    """

    async def run(at: AtAnyConnector) -> None:
        cursor: str | None = None
        wanted = cast("EventState | None", state)  # click accepts only the known states
        while True:
            page = value_or_raise(
                await at.webhooks.list(state=wanted, limit=MAX_PAGE_SIZE, after=cursor)
            )
            for event in page.items:
                if as_json:
                    print_json(event)
                else:
                    print_line(_line(event))
            cursor = page.next
            if cursor is None:
                return

    run_at_connector(app, tenant, connector, account, run)


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
    """Prints the fields of one event, and its body if `with_body` is set."""

    async def run(at: AtAnyConnector) -> None:
        event = value_or_raise(await at.webhooks.find(id))
        body = value_or_raise(await at.webhooks.body(id)) if with_body else None
        fields: dict[str, object] = msgspec.to_builtins(event)
        if body is not None:
            fields["body"] = body.decode("utf-8", "replace")
        if as_json:
            print_json(fields)
            return
        for name, value in fields.items():
            print_line(f"{name:<16} {'' if value is None else value}")

    run_at_connector(app, tenant, connector, account, run)


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
    """Makes an event due again, or with `only_check` prints whether that is possible."""

    async def run(at: AtAnyConnector) -> None:
        event = value_or_raise(await at.webhooks.check_replay(id))
        if not only_check:
            value_or_raise(await at.webhooks.replay(id))
        if as_json:
            print_json({"id": event.id, "replayed": not only_check})
        elif only_check:
            print_line(f"{event.id} would be replayed")
        else:
            print_line(f"{event.id} is due: the next process that handles webhooks takes it")

    run_at_connector(app, tenant, connector, account, run)


def check_routes(app: str, *, repair: bool, as_json: bool) -> None:
    """Prints the connections whose stored account is not the one that their config names.

    Exits with 1 if there are some and `repair` is not set.
    """
    connectors = load_application(app)

    async def run() -> tuple[WrongRoute, ...]:
        async with connectors.without_delivery():
            if repair:
                return value_or_raise(await connectors.repair_webhook_routes())
            return value_or_raise(await connectors.check_webhook_routes())

    wrong = asyncio.run(run())
    for one in wrong:
        if as_json:
            print_json(one)
        else:
            tenant = f"{one.scope}:{one.identity}"
            routes = f"stored {one.stored or '-'}, config names {one.named or '-'}"
            print_line(f"{tenant} {one.connector} ({one.account}): {routes}")
    if wrong and not repair:
        sys.exit(1)


def _line(event: WebhookEvent) -> str:
    received_at = f"{event.received_at:%Y-%m-%d %H:%M:%S}"
    result = f"{event.attempts:>3} {event.last_code} {event.last_reason}"
    return f"{event.id} {received_at} {event.state:<8} {event.event_id:<32} {result}".rstrip()
