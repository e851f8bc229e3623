"""`worker` in real processes, on a SQLite file and on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from igniter_connectors import Keyring, Secret, Settings, value_or_raise
from igniter_connectors.core.webhook.schemes import StandardWebhooks
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import WebhookEvent
from tests.cli.command_line import COMMAND, ROOT, run
from tests.sample import CANARY, Organization

APP = ("worker", "--app", "tests.cli.mail_app:connectors")


class Inbox:
    """Fills the application's inbox from a process that handles no events."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def deliver(self, *ids: str) -> None:
        """Delivers one event for each id. Each is acknowledged and stays in the inbox."""
        asyncio.run(self._deliver(ids))

    def states(self) -> dict[str, str]:
        """The state of each event, by event id."""
        return {event.event_id: event.state for event in asyncio.run(self._events())}

    async def _deliver(self, ids: tuple[str, ...]) -> None:
        from tests.cli.mail_app import Mail, build, mail

        connectors = build(Settings.from_environment(self.environment))
        async with connectors.without_delivery():
            at = connectors.scope(Organization("acme")).at(mail)
            if value_or_raise(await connectors.get("mail")).connections == 0:
                value_or_raise(await at.connect(Mail(Secret(CANARY))))
            endpoint = value_or_raise(await at.create_webhook())
            for id in ids:
                request = sign_webhook(
                    StandardWebhooks(),
                    endpoint,
                    b'{"text":"dear sir"}',
                    now=datetime.now(UTC),
                    event_id=id,
                )
                assert (await connectors.handle(request)).status == 204

    async def _events(self) -> tuple[WebhookEvent, ...]:
        from tests.cli.mail_app import build, mail

        connectors = build(Settings.from_environment(self.environment))
        async with connectors.without_delivery():
            at = connectors.scope(Organization("acme")).at(mail)
            return value_or_raise(await at.webhooks.list(limit=1000)).items


@pytest.fixture(params=["sqlite", "postgres"])
def inbox(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """An empty inbox on the database of the test's parameter."""
    environment = {
        "IGNITER_SECRET": Keyring.generate().reveal(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/c.db"
        if request.param == "sqlite"
        else str(request.getfixturevalue("database_url")),
        "IGNITER_BASE_URL": "https://app.example.com",
    }
    for name, value in environment.items():  # the application builds its manager on import
        monkeypatch.setenv(name, value)
    return Inbox(environment)


@contextmanager
def running_worker(inbox: Inbox, *arguments: str) -> Generator[subprocess.Popen[str], None, None]:
    """A worker that has printed that it works."""
    with subprocess.Popen(
        [*COMMAND, *APP, "--report-every", "0.1", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **inbox.environment},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "working\n"
            yield process
        finally:
            process.kill()


def test_once_handles_due_events_and_exits(inbox: Inbox) -> None:
    """The second run has nothing to do. This is for cron."""
    inbox.deliver("evt_1", "evt_2", "evt_3")
    first = run(*APP, "--once", **inbox.environment)
    assert (first.returncode, first.stdout) == (0, "3 webhooks handled\ndone\n"), first.stderr
    assert set(inbox.states().values()) == {"done"}
    second = run(*APP, "--once", "--json", **inbox.environment)
    assert (second.returncode, second.stdout) == (0, '{"state":"done"}\n'), second.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_handles_events_of_other_processes_until_a_signal(
    number: signal.Signals, inbox: Inbox
) -> None:
    """It prints its counts, finishes its work, and exits with 0."""
    with running_worker(inbox) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        inbox.deliver("evt_1", "evt_2")
        handled = 0
        while handled < 2:
            count, label = process.stdout.readline().rstrip().split(" ", 1)
            assert label == "webhooks handled"
            handled += int(count)
        process.send_signal(number)
        rest = process.stdout.read().splitlines()
        assert (process.wait(20), rest) == (0, ["stopping", "stopped"])
        assert process.stderr.read() == ""
    assert inbox.states() == {"evt_1": "done", "evt_2": "done"}


@pytest.mark.parametrize("swallowed", ["cancellation", "everything", "thread"])
def test_a_handler_that_does_not_end_does_not_keep_the_worker(swallowed: str, inbox: Inbox) -> None:
    """The worker exits. The next one handles the event."""
    hanging = Inbox({**inbox.environment, "MAIL_APP_HANDLER": swallowed})
    with running_worker(hanging) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        inbox.deliver("evt_1")
        assert process.stdout.readline() == "in the handler\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        assert process.stdout.read().splitlines()[-1] == "stopped"
        errors = process.stderr.read()
    assert ("the process exits without it" in errors) == (swallowed == "thread"), errors
    again = run(*APP, "--once", **inbox.environment)
    while again.stdout == "done\n":  # a handler that fails while it is ended is retried later
        again = run(*APP, "--once", **inbox.environment)
    assert (again.returncode, again.stdout) == (0, "1 webhooks handled\ndone\n"), again.stderr


def test_progress_can_be_printed_as_json(inbox: Inbox) -> None:
    """One object per line, with the counts by name."""
    inbox.deliver("evt_1")
    process = run(*APP, "--once", "--json", **inbox.environment)
    assert [json.loads(line) for line in process.stdout.splitlines()] == [
        {"handled": 1},
        {"state": "done"},
    ], process.stderr


@pytest.mark.parametrize("arguments", [(), ("--once",)])
def test_an_unreachable_database_is_reported_in_one_line(arguments: tuple[str, ...]) -> None:
    """The exit status is 1, as for other commands."""
    process = run(
        *APP,
        *arguments,
        IGNITER_SECRET=Keyring.generate().reveal(),
        IGNITER_BASE_URL="https://app.example.com",
        DATABASE_URL="postgresql://127.0.0.1:1/none",
    )
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (
        1,
        "",
        1,
    ), process.stderr
