"""Names the application in every request, whichever HTTP client sends it."""

from __future__ import annotations

from datetime import timedelta
from typing import final

from msgspec.structs import replace
from returns.result import Result

from igniter_connectors.core.http.messages import (
    DEADLINE,
    RESPONSE_LIMIT_BYTES,
    HttpClient,
    HttpFailed,
    HttpRequest,
    HttpResponse,
)
from igniter_connectors.core.http.user_agent import default_user_agent


@final
class UserAgentClient:
    """Replaces the default `User-Agent` by the application's, and adds it where there is none.

    Attributes:
        inner: The client that sends.
    """

    def __init__(self, inner: HttpClient, user_agent: str) -> None:
        self.inner = inner
        self._header = ("User-Agent", user_agent)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = DEADLINE,
        limit_bytes: int = RESPONSE_LIMIT_BYTES,
    ) -> Result[HttpResponse, HttpFailed]:
        """As `HttpClient.send`."""
        own = request.header("user-agent")
        if own is None or own == default_user_agent():
            others = [one for one in request.headers if one[0].lower() != "user-agent"]
            request = replace(request, headers=(*others, self._header))
        return await self.inner.send(request, deadline=deadline, limit_bytes=limit_bytes)
