"""A provider that rotates refresh tokens and revokes a grant when one is used twice, as a model.

It answers the library's own requests without a network, under a manual clock, so that a test can
choose for each request what happens and when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import parse_qs

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors import HttpRequest, HttpResponse
from igniter_connectors.testing import ManualClock
from igniter_connectors.typing import HttpFailed

Weather = Literal[
    "answers",
    "answers late",
    "loses the answer",
    "rotates behind a 502",
    "503",
    "429",
    "502",
    "refused",
]


@dataclass
class ModelProvider:
    """One grant, its current refresh token, and those that were spent.

    `grace` is for how long a spent token is answered again with what it brought (0: never; using
    it again revokes the grant).
    """

    clock: ManualClock
    grace: timedelta = timedelta(0)
    weather: Callable[[], Weather] = lambda: "answers"
    current: str = "refresh-0"
    is_revoked: bool = False
    requests: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    reuses: int = 0
    lost: int = 0
    spent: dict[str, float] = field(default_factory=dict)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),
        limit_bytes: int = 0,
    ) -> Result[HttpResponse, HttpFailed]:
        """The library's HTTP port."""
        self.requests += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(request, deadline)
        finally:
            self.in_flight -= 1

    async def _answer(
        self, request: HttpRequest, deadline: timedelta
    ) -> Result[HttpResponse, HttpFailed]:
        weather = self.weather()
        await self.clock.sleep(0.2)
        if weather == "refused":
            return Failure(HttpFailed(sent=False))
        if weather in ("503", "429", "502"):
            return Success(HttpResponse(int(weather)))
        answer = self._rotate(parse_qs(request.body.decode())["refresh_token"][0])
        self.lost += weather in ("loses the answer", "rotates behind a 502")
        if weather == "loses the answer":
            return Failure(HttpFailed(sent=True))
        if weather == "rotates behind a 502":
            return Success(HttpResponse(502))
        if weather == "answers late":
            await self.clock.sleep(deadline.total_seconds() - 1)
        return Success(answer)

    def _rotate(self, token: str) -> HttpResponse:
        now = self.clock.monotonic()
        if token in self.spent and now - self.spent[token] > self.grace.total_seconds():
            self.reuses += 1
            self.is_revoked = True
        if self.is_revoked:
            return HttpResponse(400, (), b'{"error":"invalid_grant"}')
        if token == self.current:
            self.spent[token] = now
            self.current = f"refresh-{len(self.spent)}"
        body = {
            "access_token": f"access-for-{self.current}",
            "refresh_token": self.current,
            "expires_in": 3600,
        }
        return HttpResponse(200, (), msgspec.json.encode(body))
