"""`webhooks list`, `show` and `replay` in real processes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from igniter_connectors import Keyring, Secret, Settings, value_or_raise
from igniter_connectors.core.webhook.schemes import StandardWebhooks
from igniter_connectors.testing import sign_webhook
from tests.cli.command_line import run
from tests.sample import CANARY, Organization

AT = ("--app", "tests.cli.mail_app:connectors", "organization:acme", "mail")
SECRET = Keyring.generate().reveal()


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A database with one handled event and one pending one, as environment variables."""
    environment = {
        "IGNITER_SECRET": SECRET,
        "DATABASE_URL": f"sqlite:///{tmp_path}/c.db",
        "IGNITER_BASE_URL": "https://app.example.com",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    from tests.cli.mail_app import Mail, build, mail

    async def fill() -> None:
        connectors = build(Settings.from_environment(environment))
        async with connectors:
            at = connectors.scope(Organization("acme")).at(mail)
            value_or_raise(await at.connect(Mail(Secret(CANARY))))
            endpoint = value_or_raise(await at.create_webhook())
            body, now = b'{"text":"dear sir"}', datetime.now(UTC)
            first = sign_webhook(StandardWebhooks(), endpoint, body, now=now, event_id="evt_1")
            assert (await connectors.handle(first)).status == 204
            await connectors.settled()
        async with connectors.without_delivery():
            second = sign_webhook(StandardWebhooks(), endpoint, body, now=now, event_id="evt_2")
            assert (await connectors.handle(second)).status == 204

    asyncio.run(fill())
    return environment


def test_events_are_listed_shown_and_replayed(database: dict[str, str]) -> None:
    """No command handles an event. The body is printed only with `--body`."""
    listed = run("webhooks", "list", *AT, "--json", **database)
    events = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(event["event_id"], event["state"]) for event in events] == [
        ("evt_2", "pending"),
        ("evt_1", "done"),
    ], listed.stderr
    only = run("webhooks", "list", *AT, "--state", "done", **database).stdout.splitlines()
    assert len(only) == 1
    assert all(word in only[0] for word in (events[1]["id"], "done", "evt_1"))
    id = events[1]["id"]
    shown = run("webhooks", "show", *AT, id, **database)
    assert "evt_1" in shown.stdout
    assert "dear sir" not in shown.stdout
    with_body = run("webhooks", "show", *AT, id, "--body", "--json", **database)
    assert json.loads(with_body.stdout)["body"] == '{"text":"dear sir"}'
    checked = run("webhooks", "replay", *AT, id, "--dry-run", **database)
    assert checked.stdout == f"{id} would be replayed\n"
    replayed = run("webhooks", "replay", *AT, id, "--json", **database)
    assert json.loads(replayed.stdout) == {"id": id, "replayed": True}
    pending = run("webhooks", "list", *AT, "--state", "pending", **database).stdout.splitlines()
    assert len(pending) == 2


def test_a_body_from_outside_reaches_the_terminal_escaped(database: dict[str, str]) -> None:
    """ESC, the one-byte CSI, DEL, a bidi override and a line separator; JSON keeps the value."""
    hostile = '{"text":"\x7f\x9b31m\u202edlo\u2028done \xa0Grüße"}'
    from tests.cli.mail_app import build, mail

    async def receive() -> str:
        connectors = build(Settings.from_environment(database))
        async with connectors.without_delivery():
            at = connectors.scope(Organization("acme")).at(mail)
            endpoint = value_or_raise(await at.create_webhook())
            body, now = hostile.encode(), datetime.now(UTC)
            request = sign_webhook(StandardWebhooks(), endpoint, body, now=now, event_id="evt_3")
            assert (await connectors.handle(request)).status == 204
            return value_or_raise(await at.webhooks.list()).items[0].id

    id = asyncio.run(receive())
    shown = run("webhooks", "show", *AT, id, "--body", **database)
    as_json = run("webhooks", "show", *AT, id, "--body", "--json", **database)
    for process in (shown, as_json):
        assert all(line.isprintable() for line in process.stdout.split("\n")), process.stdout
    assert "\\x7f\\x9b31m\\u202edlo\\u2028done \\xa0Grüße" in shown.stdout
    assert json.loads(as_json.stdout)["body"] == hostile
    unknown = run("webhooks", "show", *AT[:3], "ma\x1b[31mil\u202e", id, **database)
    assert unknown.returncode == 1
    assert unknown.stderr.rstrip("\n").isprintable()


def test_the_reason_of_a_failure_is_listed_and_shown(database: dict[str, str]) -> None:
    """On one line, and without the tenant's secret."""
    failing = {**database, "MAIL_APP_HANDLER": "failure"}
    done = run("worker", "--app", AT[1], "--once", **failing)
    assert done.returncode == 0, done.stderr
    reason = "no room \\x9b for [secret]"
    line = run("webhooks", "list", *AT, "--state", "pending", **database).stdout.splitlines()[0]
    assert line.endswith(f"CONNECTOR_WEBHOOK_FAILED {reason}")
    id = line.split()[0]
    assert f"last_reason      {reason}\n" in run("webhooks", "show", *AT, id, **database).stdout
    shown = json.loads(run("webhooks", "show", *AT, id, "--json", **database).stdout)
    assert shown["last_reason"] == reason


@pytest.mark.parametrize("command", ["show", "replay"])
def test_an_unknown_event_is_reported_in_one_line(command: str, database: dict[str, str]) -> None:
    """The exit status is 1."""
    process = run("webhooks", command, *AT, "none", **database)
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (1, "", 1)
    assert "no such webhook event" in process.stderr


def test_wrong_routes_are_reported_and_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit status is 1 until they are repaired. Text from outside is escaped."""
    environment = {
        "IGNITER_SECRET": SECRET,
        "DATABASE_URL": f"sqlite:///{tmp_path}/routes.db",
        "IGNITER_BASE_URL": "https://app.example.com",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    from tests.cli.mail_app import Team, build, team

    async def fill() -> None:
        connectors = build(Settings.from_environment(environment))
        async with connectors.without_delivery():
            for tenant in ("acme", "brand"):
                at = connectors.scope(Organization(tenant)).at(team)
                value_or_raise(await at.connect(Team(Secret(CANARY), tenant)))
            store = connectors.store
            (row,) = await store.routing.find_by_account("team", "acme")
            assert await store.routing.correct_account(
                row.key, row=row.id, version=row.version, account="other"
            )

    asyncio.run(fill())
    app = ("--app", "tests.cli.mail_app:connectors")
    checked = run("webhooks", "check-routes", *app, **environment)
    expected = "organization:acme team (default): stored other, config names acme\n"
    assert (checked.returncode, checked.stdout) == (1, expected), checked.stderr
    repaired = run("webhooks", "check-routes", *app, "--repair", "--json", **environment)
    assert repaired.returncode == 0, repaired.stderr
    assert json.loads(repaired.stdout)["stored"] == "other"
    again = run("webhooks", "check-routes", *app, **environment)
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
