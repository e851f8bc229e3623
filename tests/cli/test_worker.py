"""`worker` as an operator and cron meet it: real processes on one SQLite file or PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from igniter_connectors import Keyring, Secret, Settings, value_or_raise
from igniter_connectors.core.webhook.schemes import StandardWebhooks
from igniter_connectors.testing import sign_webhook
from igniter_connectors.webhooks import WebhookEvent
from tests.cli.test_command_line import run
from tests.sample import CANARY, Organization

APP = ("worker", "--app", "tests.cli.mail_app:connectors")
ROOT = Path(__file__).parents[2]


class Post:
    """Deliveries to the application's database, by a process that handles none."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def deliver(self, *ids: str) -> None:
        """Each is acknowledged and left in the inbox."""
        asyncio.run(self._deliver(ids))

    def states(self) -> dict[str, str]:
        """Each event's state."""
        return {one.event_id: one.state for one in asyncio.run(self._events())}

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
def post(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Post:
    environment = {
        "IGNITER_SECRET": Keyring.generate().reveal(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/c.db"
        if request.param == "sqlite"
        else str(request.getfixturevalue("database_url")),
        "IGNITER_BASE_URL": "https://app.example.com",
    }
    for name, value in environment.items():  # the module builds a manager when it is imported
        monkeypatch.setenv(name, value)
    return Post(environment)


@contextmanager
def working(post: Post, *words: str) -> Generator[subprocess.Popen[str], None, None]:
    """A worker that has begun."""
    with subprocess.Popen(
        [sys.executable, "-m", "igniter_connectors.cli", *APP, "--tell-every", "0.1", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **post.environment},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "working\n"
            yield process
        finally:
            process.kill()


def test_once_handles_what_is_due_and_ends(post: Post) -> None:
    """And the second time there is nothing to do. For cron."""
    post.deliver("evt_1", "evt_2", "evt_3")
    first = run(*APP, "--once", **post.environment)
    assert (first.returncode, first.stdout) == (0, "3 webhooks handled\ndone\n"), first.stderr
    assert set(post.states().values()) == {"done"}
    second = run(*APP, "--once", "--json", **post.environment)
    assert (second.returncode, second.stdout) == (0, '{"state":"done"}\n'), second.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_takes_what_others_receive_until_it_is_told_to_stop(
    number: signal.Signals, post: Post
) -> None:
    """It says what it did, finishes, and ends with 0."""
    with working(post) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        post.deliver("evt_1", "evt_2")
        handled = 0
        while handled < 2:
            count, words = process.stdout.readline().rstrip().split(" ", 1)
            assert words == "webhooks handled"
            handled += int(count)
        process.send_signal(number)
        rest = process.stdout.read().splitlines()
        assert (process.wait(20), rest) == (0, ["stopping", "stopped"])
        assert process.stderr.read() == ""
    assert post.states() == {"evt_1": "done", "evt_2": "done"}


def test_what_it_did_can_be_read_by_programs(post: Post) -> None:
    """One JSON object a line, the counts by their names."""
    post.deliver("evt_1")
    told = run(*APP, "--once", "--json", **post.environment)
    assert [json.loads(line) for line in told.stdout.splitlines()] == [
        {"handled": 1},
        {"state": "done"},
    ], told.stderr


@pytest.mark.parametrize("words", [(), ("--once",)])
def test_a_database_that_does_not_answer_is_one_line_and_a_status(words: tuple[str, ...]) -> None:
    """As for the other commands."""
    told = run(
        *APP,
        *words,
        IGNITER_SECRET=Keyring.generate().reveal(),
        IGNITER_BASE_URL="https://app.example.com",
        DATABASE_URL="postgresql://127.0.0.1:1/none",
    )
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (1, "", 1), told.stderr
