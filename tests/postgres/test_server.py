"""The test server: no set-up, nothing is left behind, and tests can break it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from tests.postgres.folder import ServerFolder
from tests.postgres.process import children_of
from tests.postgres.server import DURABLE, Server

SCRIPT = """
import sys, time
from tests.postgres.server import Server
with Server() as server:
    if "paused" in sys.argv:
        server.pause()
    print(server.process_id, server.folder, flush=True)
    time.sleep(60)
"""


@contextmanager
def another_run(*arguments: str) -> Generator[tuple[subprocess.Popen[str], int, Path], None, None]:
    """A test run in another process, and its server."""
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        try:
            yield run, int(pid), Path(folder)
        finally:
            run.kill()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_killed_run_leaves_no_process_and_its_folder_is_deleted(state: str) -> None:
    """`kill -9` of the run also ends its server, even if that is paused."""
    with another_run(state) as (run, pid, folder):
        everyone = [pid, *children_of(pid)]
        assert len(everyone) > 3
        run.send_signal(signal.SIGKILL)
        deadline = monotonic() + 15
        while any(map(is_running, everyone)):
            assert monotonic() < deadline, "the server outlived its run"
            sleep(0.05)
    # This run or another at the same time: whoever starts next clears it away.
    ServerFolder().remove()
    assert not folder.exists()


def test_two_runs_at_once_use_different_folders() -> None:
    """Neither deletes the folder of the other as abandoned."""
    with another_run() as (_, pid, folder), Server() as server:
        assert server.folder != folder
        assert server.process_id != pid
        assert folder.exists()
        assert is_running(pid)


def test_a_restart_breaks_sessions_and_keeps_what_was_committed(own_server: Server) -> None:
    """Without a checkpoint, so the server recovers from its log."""
    with psycopg.connect(own_server.url(), autocommit=True) as before:
        before.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        own_server.restart_immediately()
        with pytest.raises(psycopg.OperationalError):
            before.execute("SELECT 1")
    with psycopg.connect(own_server.url(), autocommit=True) as after:
        assert after.execute("SELECT answer FROM kept").fetchall() == [(42,)]
        after.execute("DROP TABLE kept")


def test_a_paused_server_continues(own_server: Server) -> None:
    """Sessions that were open work again."""
    with psycopg.connect(own_server.url(), autocommit=True) as session:
        own_server.pause()
        try:
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                psycopg.connect(own_server.url(), connect_timeout=2)
        finally:
            own_server.resume()
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_durable_server_writes_to_the_disk() -> None:
    """The settings for tests are not the only ones."""
    with Server(DURABLE) as server, psycopg.connect(server.url()) as session:
        assert session.execute("SHOW fsync").fetchone() == ("on",)
