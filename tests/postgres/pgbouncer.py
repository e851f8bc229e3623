"""The real pgbouncer in transaction mode in front of our server, if it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg

from tests.postgres.process import start_child, unprivileged
from tests.postgres.server import Server

_PORT = 6432
_START_SECONDS = 10.0

# Fewer server connections than the store has links, so that each statement may meet another.
_CONFIG = """
[databases]
* = host={server} user=postgres

[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
logfile = {folder}/pgbouncer.log
"""


def find_pgbouncer() -> str | None:
    """The path of the program; packages install it outside PATH too."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def pgbouncer(program: str, server: Server) -> Generator[str, None, None]:
    """A URL of the running pgbouncer, with `{}` for the name of the database."""
    folder = server.folder / "pgbouncer"
    folder.mkdir(mode=0o755)
    config = folder / "pgbouncer.ini"
    config.write_text(_CONFIG.format(server=server.folder, folder=folder, port=_PORT))
    owner = unprivileged()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    process = start_child([program, config], folder / "output")
    try:
        url = f"postgresql://postgres@/{{}}?host={quote(str(folder), safe='')}&port={_PORT}"
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(url.format("postgres")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"pgbouncer did not start:\n{(folder / 'output').read_text()}")
            time.sleep(0.02)
        yield url
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
