"""`connections list`, `explain` and `disconnect` in real processes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from igniter_connectors import ConnectorManager, Keyring, Settings, value_or_raise
from tests.cli.command_line import run
from tests.sample import CANARY, Organization, bot, config


@pytest.fixture
def database(tmp_path: Path) -> dict[str, str]:
    """A database with one connection, as environment variables."""
    environment = {
        "IGNITER_SECRET": Keyring.generate().reveal(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/c.db",
    }

    async def fill() -> None:
        connectors = (
            ConnectorManager.create()
            .with_settings(Settings.from_environment(environment))
            .add_scope(Organization)
            .add_connector(bot)
            .build()
        )
        async with connectors:
            at = connectors.scope(Organization("acme")).at(bot)
            value_or_raise(await at.connect(config()))

    asyncio.run(fill())
    return environment


def test_connections_are_listed_explained_and_deleted(database: dict[str, str]) -> None:
    """As text and as JSON. Secrets are masked."""
    app = ("--app", "tests.cli.sample_app:connectors")
    listed = run("connections", "list", *app, "organization:acme", **database)
    assert listed.stdout.split() == ["bot", "default", "ok"], listed.stderr
    row = json.loads(
        run("connections", "list", *app, "organization:acme", "--json", **database).stdout
    )
    assert row["config"] == {"chat": "42", "token": "••••••••"}
    assert CANARY not in json.dumps(row)
    explained = run("connections", "explain", *app, "organization:acme", "bot", **database)
    assert explained.stdout.startswith("working:")
    ended = run("connections", "disconnect", *app, "organization:acme", "bot", "--yes", **database)
    assert ended.stdout == "bot (default) is disconnected\n"
    again = run("connections", "disconnect", *app, "organization:acme", "bot", "--yes", **database)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    explained = run(
        "connections", "explain", *app, "organization:acme", "bot", "--json", **database
    )
    assert json.loads(explained.stdout)["state"] == "not_connected"
