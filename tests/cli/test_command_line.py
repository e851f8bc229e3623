"""The command line as a person and a script meet it: real processes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from igniter_connectors import ConnectorManager, Keyring, Settings, value_or_raise
from tests.interop.oidc_provider import OidcClient, running_oidc_provider, sign_in_and_consent
from tests.postgres.databases import Databases
from tests.sample import CANARY, Organization, bot, config

SECRET = Keyring.generate().reveal()


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, from the repository's root, with this environment besides."""
    return subprocess.run(
        [sys.executable, "-m", "igniter_connectors.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **environment},
    )


@pytest.fixture
def database(tmp_path: Path) -> dict[str, str]:
    """A database with one connection, and the environment that names it."""
    environment = {"IGNITER_SECRET": SECRET, "DATABASE_URL": f"sqlite:///{tmp_path}/c.db"}

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


def test_help_tells_every_command() -> None:
    """With its purpose in a line."""
    told = run("--help").stdout
    for command in ("demo", "connections", "generate-secret", "worker"):
        assert command in told
    assert "igniter-connectors" in run("--version").stdout


def test_a_generated_secret_starts_a_keyring() -> None:
    """And no two are the same."""
    one, other = run("generate-secret").stdout.strip(), run("generate-secret").stdout.strip()
    Keyring.from_secret(one)
    assert one != other


def test_the_demo_tells_its_story_and_checks_it() -> None:
    """Seven steps, and the end."""
    told = run("demo", "--json")
    assert told.returncode == 0, told.stderr
    steps = [json.loads(line)["step"] for line in told.stdout.splitlines()]
    assert len(steps) == 8
    assert steps[-1].startswith("Done")
    plain = run("demo")
    assert plain.stdout.count("✓") == 8
    assert plain.stderr == ""


def test_the_demo_says_when_its_port_is_taken() -> None:
    """One line, exit 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = run("demo", "--port", str(port))
    assert told.returncode == 1
    assert told.stderr == f"igniter-connectors: port {port} is in use: give another with --port\n"


def test_the_demo_says_when_the_provider_is_not_there() -> None:
    """One line, exit 1; and half an identity is a wrong command line."""
    told = run("demo", "--issuer", "http://127.0.0.1:9", "--client-id", "x")
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in told.stderr
    assert run("demo", "--issuer", "https://x").returncode == 2


def test_the_demo_runs_its_oauth_part_at_a_real_provider() -> None:
    """The certified one: discovery, login page, consent, callback, user info."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    callback = f"http://127.0.0.1:{port}/connectors/drive/oauth/callback"
    client = OidcClient("demo", "a secret of some length", "client_secret_basic", (callback,))
    with running_oidc_provider(clients=[client]) as real:
        words = ["demo", "--json", "--issuer", real.issuer, "--client-id", client.client_id]
        words += ["--client-secret", str(client.client_secret), "--port", str(port)]
        with subprocess.Popen(
            [sys.executable, "-m", "igniter_connectors.cli", *words],
            stdout=subprocess.PIPE,
            text=True,
        ) as demo:
            assert demo.stdout is not None
            lines = [json.loads(line) for line in iter_until(demo, "open")]
            go_through(lines[-1]["open"])
            rest = [json.loads(line)["step"] for line in demo.stdout]
    assert demo.returncode == 0
    assert any("at the real provider" in step for step in rest)


def iter_until(demo: subprocess.Popen[str], key: str) -> list[str]:
    """The lines up to the one that has this key."""
    lines: list[str] = []
    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line)
        if key in json.loads(line):
            return lines
    raise AssertionError(lines)


def go_through(url: str) -> None:
    """What the person does in the browser."""
    import httpx

    with httpx.Client() as browser:
        begun = browser.get(url)
        returned = sign_in_and_consent(begun.headers["location"], login="ada")
        finished = browser.get(returned)
        assert "connected=drive" in finished.headers["location"]


def test_connections_are_listed_explained_and_ended(database: dict[str, str]) -> None:
    """For a person and for a script; secrets masked."""
    app = ("--app", "tests.cli.sample_app:connectors")
    listed = run("connections", "list", *app, "organization:acme", **database)
    assert listed.stdout.split() == ["bot", "default", "ok"], listed.stderr
    row = json.loads(
        run("connections", "list", *app, "organization:acme", "--json", **database).stdout
    )
    assert row["config"] == {"chat": "42", "token": "••••••••"}
    assert CANARY not in json.dumps(row)
    told = run("connections", "explain", *app, "organization:acme", "bot", **database)
    assert told.stdout.startswith("working:")
    ended = run("connections", "disconnect", *app, "organization:acme", "bot", "--yes", **database)
    assert ended.stdout == "bot (default) is disconnected\n"
    again = run("connections", "disconnect", *app, "organization:acme", "bot", "--yes", **database)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    told = run("connections", "explain", *app, "organization:acme", "bot", "--json", **database)
    assert json.loads(told.stdout)["state"] == "not_connected"


def test_migrating_plans_applies_and_ends(databases: Databases, tmp_path: Path) -> None:
    """From empty; once more is nothing; a SQLite file needs none; a server away is one line."""
    with databases.empty() as url:
        planned = run("migrate", "--plan", DATABASE_URL=url)
        assert planned.stdout.startswith("would apply 0001"), planned.stderr
        assert run("migrate", DATABASE_URL=url).stdout.startswith("applied 0001")
        assert run("migrate", DATABASE_URL=url).stdout == "the schema is up to date\n"
    assert "nothing to do" in run("migrate", DATABASE_URL=f"sqlite:///{tmp_path}/c.db").stdout
    away = run("migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert (away.returncode, away.stderr.count("\n")) == (1, 1), away.stderr


@pytest.mark.parametrize(
    ("app", "tenant", "environment", "said"),
    [
        ("tests.cli.sample_app:connectors", "planet:earth", {}, "no such kind of tenant"),
        ("tests.cli.sample_app:connectors", "organization:", {}, "needs an identity"),
        ("tests.cli.sample_app:not_a_manager", "organization:a", {}, "is not a built manager"),
        ("tests.cli.nowhere:connectors", "organization:a", {}, "there is no module"),
        ("nonsense", "organization:a", {}, "is written package.module:connectors"),
        ("tests.cli.sample_app:connectors", "organization:a", {"IGNITER_SECRET": ""}, "no secret"),
        ("tests.cli.sample_app:connectors", "organization:a", {"IGNITER_SECRET": "x" * 31}, "31"),
        ("tests.cli.sample_app:connectors", "organization:a", {"DATABASE_URL": ""}, "not set"),
        (
            "tests.cli.sample_app:connectors",
            "organization:a",
            {"DATABASE_URL": "mysql://u:pw@h"},
            "sqlite",
        ),
        (
            "tests.cli.sample_app:connectors",
            "organization:a",
            {"DATABASE_URL": "sqlite:////no/such/dir/x.db"},
            "SQLite",
        ),
    ],
)
def test_bad_input_is_one_clear_line(
    app: str, tenant: str, environment: dict[str, str], said: str, database: dict[str, str]
) -> None:
    """Exit 1, no traceback, and no value of a secret."""
    told = run("connections", "list", "--app", app, tenant, **{**database, **environment})
    assert told.returncode == 1
    assert told.stderr.startswith("igniter-connectors: ")
    assert told.stderr.count("\n") == 1, told.stderr
    assert said in told.stderr
    assert "pw" not in told.stderr
