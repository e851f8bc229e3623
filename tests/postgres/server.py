"""Our own PostgreSQL server, as a child process on a Unix socket."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import psycopg

from tests.postgres.binaries import find_binaries, open_to_others
from tests.postgres.folder import ServerFolder
from tests.postgres.process import children_of, start_child, unprivileged

FAST: Final = {"fsync": "off", "full_page_writes": "off"}
"""A crash of the server loses nothing, a crash of the machine everything: right for tests."""

DURABLE: Final[Mapping[str, str]] = {}
"""As in production: what was acknowledged is on the disk."""

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class Server:
    """An empty server. `with Server() as server:` starts and stops it.

    It listens on no network. The server and its folder are removed at the end of the block. If this
    process is killed, the server ends at once, and the next server's start deletes the folder.
    """

    def __init__(self, settings: Mapping[str, str] = FAST) -> None:
        self._settings = {
            "listen_addresses": "",
            "unix_socket_permissions": "0777",
            "max_connections": "200",
            "log_min_messages": "warning",
            **settings,
        }
        self._folder: ServerFolder | None = None
        self._binaries = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped: list[int] = []

    def __enter__(self) -> Self:
        self._folder = ServerFolder()
        try:
            self._initialize()
            self.start()
        except BaseException:
            self._folder.remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_immediately()
        if self._folder is not None:
            self._folder.remove()

    @property
    def folder(self) -> Path:
        """Where the socket is."""
        assert self._folder is not None, "the server has not been started"
        return self._folder.path

    @property
    def process_id(self) -> int:
        """The id of the main process."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def start(self) -> None:
        """Starts the server and waits until it accepts connections, about a second."""
        settings = [
            part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")
        ]
        self._process = start_child(
            [
                self._binaries / "postgres",
                "-D",
                self.folder / "data",
                "-k",
                self.folder,
                *settings,
            ],
            self.folder / "log",
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text()[-2000:]
                raise RuntimeError(f"Postgres did not start:\n{log}")
            time.sleep(0.02)

    def stop_immediately(self) -> None:
        """Ends every process of the server without a checkpoint (`pg_ctl -m immediate`)."""
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart_immediately(self) -> None:
        """Breaks every session, recovers from the log, and accepts connections again."""
        self.stop_immediately()
        self.start()

    def pause(self) -> None:
        """Stops every process of the server (SIGSTOP): sockets stay open, none responds."""
        # The postmaster first, so that it starts no other while the list is made.
        os.kill(self.process_id, signal.SIGSTOP)
        self._stopped = [self.process_id, *children_of(self.process_id)]
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continues what `pause` stopped."""
        self._signal(signal.SIGCONT)
        self._stopped = []

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _initialize(self) -> None:
        folder, owner = self.folder, unprivileged()
        self._binaries = find_binaries()
        if owner:
            self._binaries = open_to_others(self._binaries, folder)
            # The socket's lock file is the server's too.
            os.chown(folder, owner["user"], owner["group"])
        (folder / "data").mkdir(mode=0o700)
        if owner:
            os.chown(folder / "data", owner["user"], owner["group"])
        made = subprocess.run(
            [
                self._binaries / "initdb",
                *("--pgdata", folder / "data", "--username", "postgres", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
            ],
            capture_output=True,
            check=False,
            cwd="/",
            text=True,
            **owner,
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stderr[-2000:]}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
