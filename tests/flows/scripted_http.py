"""A provider's answers by endpoint, as a script, under a manual clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs

import msgspec
from returns.result import Failure, Result, Success

from igniter_connectors import HttpRequest, HttpResponse
from igniter_connectors.testing import ManualClock
from igniter_connectors.typing import HttpFailed


def answer(status: int, **body: object) -> HttpResponse:
    """An answer in JSON."""
    return HttpResponse(status, (), msgspec.json.encode(body))


@dataclass
class ScriptedHttp:
    """Each endpoint's answers, one a request, the last one for good; None: no answer comes."""

    clock: ManualClock
    answers: dict[str, deque[HttpResponse | None]] = field(default_factory=dict)
    asked: list[tuple[float, str, dict[str, str]]] = field(default_factory=list)

    def says(self, url: str, *answers: HttpResponse | None) -> None:
        """What an endpoint says from now on."""
        self.answers[url] = deque(answers)

    async def send(
        self,
        request: HttpRequest,
        *,
        deadline: timedelta = timedelta(seconds=10),
        limit_bytes: int = 1024 * 1024,
    ) -> Result[HttpResponse, HttpFailed]:
        """The library's HTTP port."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.asked.append((self.clock.monotonic(), request.url, form))
        answers = self.answers[request.url]
        found = answers.popleft() if len(answers) > 1 else answers[0]
        return Failure(HttpFailed(sent=True)) if found is None else Success(found)

    def times(self, url: str) -> list[float]:
        """When an endpoint was asked, in seconds from the start."""
        return [at for at, where, _ in self.asked if where == url]
