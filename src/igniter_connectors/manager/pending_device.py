"""An authorization that somebody finishes on another device."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, final

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.record import ConnectionRecord
from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.problem import ConfigInvalid, DecryptFailed, DeviceProblem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth.device import DeviceFlow, finish_device
from igniter_connectors.flows.store_errors import guarded

Conf = TypeVar("Conf", bound=msgspec.Struct)


@final
class PendingDevice(Generic[Conf]):
    """A code to be typed in, until the provider's time for it is over (RFC 8628).

    It lives in this process alone: after a restart the tenant begins again.
    """

    __slots__ = ("_engine", "_flow", "_open")

    def __init__(
        self,
        engine: Engine,
        flow: DeviceFlow[Conf],
        open_record: Callable[
            [ConnectionRecord], Result[Connection[Conf], ConfigInvalid | DecryptFailed]
        ],
    ) -> None:
        self._engine = engine
        self._flow = flow
        self._open = open_record

    @property
    def user_code(self) -> str:
        """What the person types in."""
        return self._flow.device.user_code

    @property
    def verification_uri(self) -> str:
        """Where: https, short enough to be typed in too."""
        return self._flow.device.verification_uri

    @property
    def verification_uri_complete(self) -> str | None:
        """The address with the code in it, for a link or a QR code; None where there is none."""
        return self._flow.device.verification_uri_complete

    @property
    def expires_at(self) -> datetime:
        """When the code ends; aware."""
        return self._flow.device.expires_at

    async def finished(self) -> Result[Connection[Conf], DeviceProblem]:
        """Waits until somebody agreed, and connects.

        The provider is asked every 5 s, or as it wants, and 5 s more seldom each time it
        says `slow_down`. May be cancelled; a question under way is waited for, 10 s at
        most, and what it brought is stored. After a cancellation or `DatabaseFailed` it may be
        awaited again; never by two at once.

        Returns:
            The connection, or
            - `TokenRefused`: `access_denied`, `expired_token`, or what else the provider said.
            - `TokenMalformed`: tokens that cannot be read.
            - `ProviderUnreachable`, `ProviderAnswerMalformed`, `UserInfoMalformed`,
              `IdTokenInvalid`: whose tokens they are cannot be told.
            - `IdentityMismatch`: another account is connected here, and was not to be replaced.
            - `Conflict`: something else was authorized or disconnected meanwhile.
            - `ConfigInvalid`, `EncryptFailed`, `DecryptFailed`, `DatabaseFailed`.
        """
        return await guarded(self._engine, self._finish())

    async def _finish(self) -> Result[Connection[Conf], DeviceProblem]:
        stored = await finish_device(self._engine, self._flow)
        return self._open(stored.unwrap()) if is_successful(stored) else Failure(stored.failure())

    def __repr__(self) -> str:
        return f"PendingDevice(expires_at={self.expires_at.isoformat()})"
