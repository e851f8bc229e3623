"""The root command: help, version, generated secrets, and errors as one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from igniter_connectors import Keyring
from tests.cli.command_line import run


@pytest.fixture
def database(tmp_path: Path) -> dict[str, str]:
    """The environment of an application with an empty database."""
    return {
        "IGNITER_SECRET": Keyring.generate().reveal(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/c.db",
    }


def test_help_lists_every_command() -> None:
    """`--version` names the package."""
    output = run("--help").stdout
    for command in ("demo", "connections", "generate-secret", "worker"):
        assert command in output
    assert "igniter-connectors" in run("--version").stdout


def test_a_generated_secret_starts_a_keyring() -> None:
    """Two generated secrets differ."""
    one, other = run("generate-secret").stdout.strip(), run("generate-secret").stdout.strip()
    Keyring.from_secret(one)
    assert one != other


@pytest.mark.parametrize(
    ("app", "tenant", "environment", "message"),
    [
        ("tests.cli.sample_app:connectors", "planet:earth", {}, "no such kind of tenant"),
        ("tests.cli.sample_app:connectors", "organization:", {}, "needs an identity"),
        ("tests.cli.sample_app:not_a_manager", "organization:a", {}, "is not a built manager"),
        ("tests.cli.nowhere:connectors", "organization:a", {}, "there is no module"),
        ("nonsense", "organization:a", {}, "must have the form package.module:connectors"),
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
def test_an_invalid_setting_is_reported_in_one_line(
    app: str, tenant: str, environment: dict[str, str], message: str, database: dict[str, str]
) -> None:
    """The exit status is 1. There is no traceback, and no secret value in the output."""
    process = run("connections", "list", "--app", app, tenant, **{**database, **environment})
    assert process.returncode == 1
    assert process.stderr.startswith("igniter-connectors: ")
    assert process.stderr.count("\n") == 1, process.stderr
    assert message in process.stderr
    assert "pw" not in process.stderr
