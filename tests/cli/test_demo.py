"""`demo` in real processes, against the fake provider and a real one."""

from __future__ import annotations

import json
import socket
import subprocess

import httpx

from tests.cli.command_line import COMMAND, run
from tests.interop.oidc_provider import OidcClient, running_oidc_provider, sign_in_and_consent


def test_the_demo_runs_and_checks_every_step() -> None:
    """Seven steps, then the last line; as JSON and as text."""
    process = run("demo", "--json")
    assert process.returncode == 0, process.stderr
    steps = [json.loads(line)["step"] for line in process.stdout.splitlines()]
    assert len(steps) == 8
    assert steps[-1].startswith("Done")
    plain = run("demo")
    assert plain.stdout.count("✓") == 8
    assert plain.stderr == ""


def test_a_port_in_use_is_reported_in_one_line() -> None:
    """The exit status is 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = run("demo", "--port", str(port))
    assert process.returncode == 1
    assert (
        process.stderr == f"igniter-connectors: port {port} is in use: choose another with --port\n"
    )


def test_an_unreachable_provider_is_reported_in_one_line() -> None:
    """The exit status is 1. An issuer without a client ID is a usage error, status 2."""
    process = run("demo", "--issuer", "http://127.0.0.1:9", "--client-id", "x")
    assert (process.returncode, process.stderr.count("\n")) == (1, 1)
    assert "cannot be reached" in process.stderr
    assert run("demo", "--issuer", "https://x").returncode == 2


def test_the_demo_authorizes_at_a_real_provider() -> None:
    """The certified one: discovery, login page, consent, callback, user info."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    callback = f"http://127.0.0.1:{port}/connectors/drive/oauth/callback"
    client = OidcClient("demo", "a secret of some length", "client_secret_basic", (callback,))
    with running_oidc_provider(clients=[client]) as real:
        arguments = ["demo", "--json", "--issuer", real.issuer, "--client-id", client.client_id]
        arguments += ["--client-secret", str(client.client_secret), "--port", str(port)]
        with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None
            lines = [json.loads(line) for line in read_until(demo, "open")]
            consent_in_browser(lines[-1]["open"])
            rest = [json.loads(line)["step"] for line in demo.stdout]
    assert demo.returncode == 0
    assert any("at the real provider" in step for step in rest)


def read_until(demo: subprocess.Popen[str], key: str) -> list[str]:
    """The lines up to and including the first one that has this key."""
    lines: list[str] = []
    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line)
        if key in json.loads(line):
            return lines
    raise AssertionError(lines)


def consent_in_browser(url: str) -> None:
    """Signs in, consents, and follows the callback, as a user does."""
    with httpx.Client() as browser:
        started = browser.get(url)
        returned = sign_in_and_consent(started.headers["location"], login="ada")
        finished = browser.get(returned)
        assert "connected=drive" in finished.headers["location"]
