"""A provider that rotates refresh tokens and ends a grant when one is used twice, as a model.

It never forgets a grant, and it knows which answers nobody received. So a schedule can be judged by
it at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import msgspec

from benchmarks.reliability.schedules.event_loop import Lane, ScheduledLoop
from igniter_connectors import HttpRequest, HttpResponse


@dataclass
class ModelGrant:
    """One grant: who authorized it, and its tokens.

    `lost_because` says why a client cannot know the current tokens; "" if it does or can.
    `sender` is the process that received tokens which no row holds yet.
    """

    number: int
    subject: str
    current: int = 0
    spent_at: dict[int, float] = field(default_factory=dict)
    ended: str = ""
    reuses: int = 0
    lost_because: str = ""
    sender: Lane | None = None
    is_adopted: bool = False

    def token(self, kind: str, number: int) -> str:
        """A token's text."""
        return f"{kind}.{self.number}.{number}"


class ModelProvider:
    """The grants, and what the endpoints do to them.

    Args:
        loop: Its time.
        grace_seconds: For how long a spent refresh token is answered again (0: never).
        ends_subject: One revocation ends every grant of this subject, as at Google.
        access_seconds: The life of an access token.

    `by_code` has the grant of each code that was exchanged.
    """

    def __init__(
        self,
        loop: ScheduledLoop,
        *,
        grace_seconds: float,
        ends_subject: bool,
        access_seconds: int,
    ) -> None:
        self.grants: list[ModelGrant] = []
        self.by_code: dict[str, ModelGrant] = {}
        self._access_seconds = access_seconds
        self._loop = loop
        self._grace = grace_seconds
        self.ends_subject = ends_subject
        self._codes: dict[str, str] = {}
        self._agreed = 0

    def code(self, subject: str) -> str:
        """A person agrees: a code, good for one exchange."""
        self._agreed += 1
        code = f"code-{self._agreed}"
        self._codes[code] = subject
        return code

    def grant_of(self, token: str) -> tuple[ModelGrant, int]:
        """The grant of a token, and the token's number."""
        _, grant, number = token.split(".")
        return self.grants[int(grant)], int(number)

    def mint(self, subject: str) -> ModelGrant:
        """A new grant."""
        grant = ModelGrant(len(self.grants), subject)
        self.grants.append(grant)
        return grant

    def answer(self, request: HttpRequest, sender: Lane) -> HttpResponse:
        """The effect of a request, and its answer."""
        path = urlsplit(request.url).path
        if path in ("/me", "/api"):
            return self._use(request)
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if path == "/revoke":
            return self._revoke(form["token"])
        if "code" in form:
            subject = self._codes.pop(form["code"], None)
            if subject is None:
                return _refused("invalid_grant")
            grant = self.by_code[form["code"]] = self.mint(subject)
            grant.sender = sender
            return self._granted(grant)
        return self._rotate(form["refresh_token"], sender)

    def stored(self, token: str) -> None:
        """A row, or the queue of revocations, holds the grant's current tokens from now on."""
        grant, number = self.grant_of(token)
        if number == grant.current:
            grant.sender = None

    def _rotate(self, token: str, sender: Lane) -> HttpResponse:
        grant, number = self.grant_of(token)
        if grant.ended:
            return _refused("invalid_grant")
        now = self._loop.time()
        if number != grant.current:
            if now - grant.spent_at[number] > self._grace:
                grant.reuses += 1
                grant.ended = "reuse"
                return _refused("invalid_grant")
        else:
            grant.spent_at[number] = now
            grant.current += 1
        grant.sender = sender
        return self._granted(grant)

    def _revoke(self, token: str) -> HttpResponse:
        grant, number = self.grant_of(token)
        is_refresh = token.startswith("refresh")
        if not grant.ended and (number == grant.current or not is_refresh):
            ended = [grant]
            if self.ends_subject:
                ended = [one for one in self.grants if one.subject == grant.subject]
            for one in ended:
                one.ended = one.ended or "revoked"
        return _json(200, {})

    def _use(self, request: HttpRequest) -> HttpResponse:
        token = (request.header("authorization") or "").partition(" ")[2]
        grant, _ = self.grant_of(token)
        if grant.ended:
            return _json(401, {"error": "invalid_token"})
        return _json(200, {"sub": grant.subject})

    def _granted(self, grant: ModelGrant) -> HttpResponse:
        return _json(
            200,
            {
                "access_token": grant.token("access", grant.current),
                "refresh_token": grant.token("refresh", grant.current),
                "token_type": "bearer",
                "expires_in": self._access_seconds,
            },
        )


def _refused(error: str) -> HttpResponse:
    return _json(400, {"error": error})


def _json(status: int, body: dict[str, object]) -> HttpResponse:
    return HttpResponse(status, (("Content-Type", "application/json"),), msgspec.json.encode(body))
