"""An authorization that a person finishes on another device."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, final

import msgspec
from returns.result import Result
from typing_extensions import TypeVar

from igniter_connectors.core.connection.view import Connection
from igniter_connectors.core.problem import DeviceProblem
from igniter_connectors.flows.engine import Engine
from igniter_connectors.flows.oauth import device

Conf = TypeVar("Conf", bound=msgspec.Struct)


@final
class PendingDevice(Generic[Conf]):
    """A user code, valid until the provider's time for it is over (RFC 8628).

    It exists in this process only: after a restart the tenant begins again.
    """

    __slots__ = ("_engine", "_flow")

    def __init__(self, engine: Engine, flow: device.DeviceFlow[Conf]) -> None:
        self._engine = engine
        self._flow = flow

    @property
    def user_code(self) -> str:
        """The code that the person enters."""
        return self._flow.device.user_code

    @property
    def verification_uri(self) -> str:
        """Where the person enters the code: an https URL, short enough to type."""
        return self._flow.device.verification_uri

    @property
    def verification_uri_complete(self) -> str | None:
        """The URL with the code in it, for a link or a QR code; None if the provider sent none."""
        return self._flow.device.verification_uri_complete

    @property
    def expires_at(self) -> datetime:
        """When the code expires; aware."""
        return self._flow.device.expires_at

    async def finished(self) -> Result[Connection[Conf], DeviceProblem]:
        """Waits until the person agreed, and connects.

        Polls the provider every 5 s, or at the interval that the provider sets, and 5 s
        more slowly after each `slow_down`. May be cancelled: the request that is running is
        awaited, 10 s at most, and its tokens are stored. After a cancellation or
        `DatabaseFailed` it may be awaited again, but never by two tasks at once.

        Returns:
            The connection, or
            - `TokenRefused`: `access_denied`, `expired_token`, or another code of the provider.
            - `TokenMalformed`: the tokens cannot be read.
            - `ProviderUnreachable`, `ProviderAnswerMalformed`, `UserInfoMalformed`,
              `IdTokenInvalid`: the account is not known.
            - `IdentityMismatch`: another account is connected here and must not be replaced.
            - `Conflict`: another authorization or a disconnect came first.
            - `ConfigInvalid`, `EncryptFailed`, `DecryptFailed`, `DatabaseFailed`.
        """
        return await device.finish(self._engine, self._flow)

    def __repr__(self) -> str:
        return f"PendingDevice(expires_at={self.expires_at.isoformat()})"
