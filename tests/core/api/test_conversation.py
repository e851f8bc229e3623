"""One API call as a conversation, driven without a server, a clock or waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Result, Success

from igniter_connectors.core.api.access_token import AccessToken
from igniter_connectors.core.api.conversation import (
    ObtainToken,
    RenewToken,
    Reply,
    Send,
    Wait,
    api_conversation,
)
from igniter_connectors.core.api.request import PreparedRequest
from igniter_connectors.core.api.retry_policy import MAX_RETRIES
from igniter_connectors.core.http.http_limits import AtLimit
from igniter_connectors.core.http.messages import HttpFailed, HttpRequest, HttpResponse
from igniter_connectors.core.problem import (
    ApiCallsAtLimit,
    ApiProblem,
    ApiRateLimited,
    ApiResponseTooLarge,
    ApiUnauthorized,
    ApiUnreachable,
    DatabaseFailed,
    NeedsReauth,
    RefreshFailed,
    TokenProblem,
)
from igniter_connectors.core.secret import Secret
from tests.core.examples import NOW

FIRST = AccessToken(Secret("first"), "bearer", (), None)
SECOND = AccessToken(Secret("second"), "bearer", (), None)
OK = HttpResponse(200, body=b"fine")
NOT_SENT, LOST = HttpFailed(sent=False), HttpFailed(sent=True)
DEADLINE = timedelta(seconds=30)

Answer = HttpResponse | HttpFailed


def answer(status: int, retry_after: str = "") -> HttpResponse:
    """A response with this status."""
    return HttpResponse(status, (("retry-after", retry_after),) if retry_after else ())


class World:
    """Plays the driver: returns the answers in order, and adds up the waits."""

    def __init__(
        self,
        answers: Sequence[Answer],
        *,
        tokens: Sequence[AccessToken | TokenProblem | None] = (),
        jitter: float = 0.0,
        deadline: timedelta = DEADLINE,
        answer_takes: timedelta = timedelta(0),
    ) -> None:
        self.answers, self.tokens = list(answers), list(tokens)
        self.jitter, self.deadline, self.answer_takes = jitter, deadline, answer_takes
        self.elapsed = timedelta()
        self.sent: list[HttpRequest] = []
        self.begun_at: list[timedelta] = []
        self.waits: list[timedelta] = []
        self.obtained = 0
        self.refused: list[AccessToken] = []

    def run(
        self,
        method: str = "GET",
        *,
        token: AccessToken | None = None,
        has_grant: bool = False,
        is_idempotent: bool | None = None,
        needs_token: bool = True,
    ) -> Result[HttpResponse, ApiProblem]:
        """The conversation to its end."""
        may = method in ("GET", "PUT") if is_idempotent is None else is_idempotent
        request = HttpRequest(method, "https://api.example/v1", (("X", "y"),), b"body")
        conversation = api_conversation(
            PreparedRequest(request, may, needs_token),
            connector="crm",
            token=token,
            has_grant=has_grant or token is not None,
            limit_bytes=10,
        )
        try:
            step = next(conversation)
            while True:
                answered: Answer | None = None
                given: AccessToken | TokenProblem | None = None
                match step:
                    case Send(request=sent):
                        self.sent.append(sent)
                        self.begun_at.append(self.elapsed)
                        answered = self.answers.pop(0)
                        self.elapsed += self.answer_takes
                    case Wait(delay=delay):
                        self.waits.append(delay)
                        self.elapsed += delay
                    case ObtainToken():
                        self.obtained += 1
                        given = self.tokens.pop(0)
                    case RenewToken(refused=refused):
                        self.refused.append(refused)
                        given = self.tokens.pop(0)
                left = self.deadline - self.elapsed
                reply = Reply(NOW + self.elapsed, left, self.jitter, answered, given)
                step = conversation.send(reply)
        except StopIteration as ended:
            result: Result[HttpResponse, ApiProblem] = ended.value
            return result

    @property
    def authorizations(self) -> list[str | None]:
        """The `Authorization` of each request."""
        return [request.header("authorization") for request in self.sent]


def test_an_answer_is_handed_over() -> None:
    """One request, one response."""
    world = World([OK])
    assert world.run() == Success(OK)
    assert (len(world.sent), world.waits) == (1, [])


@pytest.mark.parametrize(
    "status", [204, 301, 302, 307, 308, 400, 403, 404, 409, 422, 428, 430, 499, 501, 505]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_statuses_are_the_handlers_to_judge(status: int, method: str) -> None:
    """Including a redirect, which is not followed."""
    world = World([answer(status)])
    assert world.run(method) == Success(answer(status))
    assert len(world.sent) == 1


def test_the_token_is_sent_and_everything_else_with_it() -> None:
    """Headers and body are unchanged."""
    world = World([OK])
    assert world.run("POST", token=FIRST) == Success(OK)
    (sent,) = world.sent
    assert sent.headers == (("X", "y"), ("Authorization", "Bearer first"))
    assert (sent.method, sent.url, sent.body) == ("POST", "https://api.example/v1", b"body")


def test_a_token_that_is_not_at_hand_is_asked_for() -> None:
    """A webhook handler has no token yet."""
    world = World([OK], tokens=[FIRST])
    assert world.run(has_grant=True) == Success(OK)
    assert (world.obtained, world.authorizations) == (1, ["Bearer first"])


@pytest.mark.parametrize(
    "problem", [NeedsReauth("crm", "needs_reauth"), RefreshFailed("crm", NOW), DatabaseFailed()]
)
def test_without_a_token_nothing_is_sent(problem: TokenProblem) -> None:
    """The problem is returned."""
    world = World([], tokens=[problem])
    assert world.run(has_grant=True) == Failure(problem)
    assert world.sent == []


def test_without_a_grant_no_token_is_sent() -> None:
    """A 401 then concerns the handler's own credentials."""
    world = World([answer(401)])
    assert world.run() == Failure(ApiUnauthorized("crm"))
    assert (world.authorizations, world.obtained, world.refused) == ([None], 0, [])


def test_a_handlers_own_authorization_is_sent_alone() -> None:
    """Without our token, and without a refresh after a 401."""
    world = World([answer(401)])
    assert world.run(token=FIRST, needs_token=False) == Failure(ApiUnauthorized("crm"))
    assert (world.authorizations, world.refused) == ([None], [])
    unasked = World([OK])
    assert unasked.run(has_grant=True, needs_token=False) == Success(OK)
    assert unasked.obtained == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_401_renews_once_and_tries_once_more(method: str) -> None:
    """With any method, because a 401 did nothing. The same bytes are sent again."""
    world = World([answer(401), OK], tokens=[SECOND])
    assert world.run(method, token=FIRST) == Success(OK)
    assert world.authorizations == ["Bearer first", "Bearer second"]
    assert world.refused == [FIRST]
    assert [request.body for request in world.sent] == [b"body", b"body"]
    assert world.waits == []


def test_a_second_401_is_the_end() -> None:
    """There is no second refresh."""
    world = World([answer(401), answer(401)], tokens=[SECOND])
    assert world.run(token=FIRST) == Failure(ApiUnauthorized("crm"))
    assert (len(world.sent), world.refused) == (2, [FIRST])


def test_one_renewal_a_call_with_repetitions_between() -> None:
    """401, then 503, then 401 again."""
    world = World([answer(401), answer(503), answer(401)], tokens=[SECOND])
    assert world.run(token=FIRST) == Failure(ApiUnauthorized("crm"))
    assert (len(world.sent), len(world.refused)) == (3, 1)


@pytest.mark.parametrize("problem", [NeedsReauth("crm", "needs_reauth"), RefreshFailed("crm")])
def test_a_renewal_that_fails_says_why(problem: TokenProblem) -> None:
    """Nothing more is sent."""
    world = World([answer(401)], tokens=[problem])
    assert world.run(token=FIRST) == Failure(problem)
    assert len(world.sent) == 1


def test_a_token_that_is_not_renewed_stays_refused() -> None:
    """A token younger than a minute, or one that cannot be refreshed."""
    world = World([answer(401)], tokens=[None])
    assert world.run(token=FIRST) == Failure(ApiUnauthorized("crm"))
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    "trouble", [answer(s) for s in (429, 500, 502, 503, 504)] + [LOST, NOT_SENT]
)
def test_what_may_be_done_twice_is_repeated(trouble: Answer) -> None:
    """After 0.5 s, 1 s and 2 s. Then the fourth answer is final."""
    world = World([trouble] * 3 + [OK])
    assert world.run("GET") == Success(OK)
    assert world.waits == [timedelta(seconds=one) for one in (0.5, 1, 2)]
    keyed = World([trouble, OK])
    assert keyed.run("POST", is_idempotent=True) == Success(OK)


@pytest.mark.parametrize("trouble", [answer(429), NOT_SENT])
def test_what_did_nothing_is_repeated_for_any_method(trouble: Answer) -> None:
    """429 precedes any processing, and a request that was not sent did nothing."""
    world = World([trouble, OK])
    assert world.run("POST") == Success(OK)
    assert len(world.sent) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_post_is_not_repeated_after_a_5xx(status: int) -> None:
    """Not even with `Retry-After`, because its effect is unknown."""
    world = World([answer(status, "1")])
    assert world.run("POST") == Success(answer(status, "1"))
    assert (len(world.sent), world.waits) == (1, [])


def test_a_post_is_not_repeated_after_its_answer_was_lost() -> None:
    """It may have been processed."""
    world = World([LOST])
    assert world.run("POST") == Failure(ApiUnreachable("crm", sent=True))
    assert len(world.sent) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_trouble_that_stays_is_the_answer(status: int) -> None:
    """The fourth response is returned unchanged."""
    world = World([answer(status)] * 4)
    assert world.run() == Success(answer(status))
    assert len(world.sent) == 1 + MAX_RETRIES


def test_a_limit_that_stays_says_when_to_come_back() -> None:
    """At the time that the API names, or after the next back-off."""
    world = World([answer(429)] * 3 + [answer(429, "20")])
    at = NOW + timedelta(seconds=3.5)
    assert world.run() == Failure(ApiRateLimited("crm", at + timedelta(seconds=20)))
    silent = World([answer(429)] * 4)
    assert silent.run() == Failure(ApiRateLimited("crm", at + timedelta(seconds=4)))


@pytest.mark.parametrize(
    ("failures", "sent"),
    [
        ([NOT_SENT] * 4, False),
        ([LOST, NOT_SENT, NOT_SENT, NOT_SENT], True),
        ([answer(500), NOT_SENT, NOT_SENT, NOT_SENT], True),
        ([answer(429), NOT_SENT, NOT_SENT, NOT_SENT], False),
    ],
)
def test_whether_it_may_have_arrived_counts_every_try(failures: list[Answer], sent: bool) -> None:
    """One attempt that may have arrived is enough. A 429 does not count."""
    assert World(failures).run("PUT") == Failure(ApiUnreachable("crm", sent))


def test_an_answer_that_is_too_large_is_not_asked_for_again() -> None:
    """It would be too large again."""
    world = World([HttpFailed(sent=True, is_too_large=True)])
    assert world.run("GET") == Failure(ApiResponseTooLarge("crm", 10))
    assert len(world.sent) == 1


def test_a_call_that_only_waited_says_which_limit_is_reached() -> None:
    """If an attempt before it may have arrived, that matters more."""
    waited = HttpFailed(sent=False, at_limit=AtLimit("tenant", 20))
    assert World([waited] * 4).run("PUT") == Failure(ApiCallsAtLimit("crm", "tenant", 20))
    assert World([LOST, *[waited] * 3]).run("PUT") == Failure(ApiUnreachable("crm", True))


def test_what_the_api_asks_for_is_waited_in_full() -> None:
    """In seconds or as a date. A shorter delay does not shorten the back-off."""
    world = World([answer(503, "7"), answer(503, "0"), OK], jitter=1.0)
    assert world.run() == Success(OK)
    assert world.waits == [timedelta(seconds=7), timedelta(seconds=0.5)]
    date = format_datetime(NOW + timedelta(seconds=9), usegmt=True)
    dated = World([answer(429, date), OK])
    assert dated.run("POST") == Success(OK)
    assert dated.waits == [timedelta(seconds=9)]


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 0.5), (0.5, 0.375), (1.0, 0.25)])
def test_jitter_takes_off_up_to_half(jitter: float, seconds: float) -> None:
    """So that many clients do not retry together."""
    world = World([answer(503), OK], jitter=jitter)
    assert world.run() == Success(OK)
    assert world.waits == [timedelta(seconds=seconds)]


@pytest.mark.parametrize(
    ("retry_after", "is_waited"),
    [("29", True), ("30", False), ("31", False), ("9999999999", False)],
)
def test_a_wait_that_ends_at_the_deadline_is_not_begun(retry_after: str, is_waited: bool) -> None:
    """Then the caller gets the result immediately. A wait one second shorter is made."""
    world = World([answer(429, retry_after), OK])
    given = world.run("POST")
    assert (given == Success(OK)) == is_waited
    assert world.waits == ([timedelta(seconds=29)] if is_waited else [])
    if not is_waited:
        longest = min(int(retry_after), 3600)
        assert given == Failure(ApiRateLimited("crm", NOW + timedelta(seconds=longest)))


def test_time_that_answers_took_counts() -> None:
    """After a slow 503, less time is left for waits."""
    world = World([answer(503, "5"), OK], answer_takes=timedelta(seconds=25))
    assert world.run() == Success(answer(503, "5"))
    assert world.waits == []


ANSWERS = st.one_of(
    st.sampled_from([OK, NOT_SENT, LOST, HttpFailed(sent=True, is_too_large=True)]),
    st.builds(
        answer,
        st.sampled_from([200, 302, 401, 404, 429, 500, 503]),
        st.sampled_from(["", "0", "3", "40", "nonsense"]),
    ),
)


@given(
    st.lists(ANSWERS, min_size=8, max_size=8),
    st.sampled_from(["GET", "POST"]),
    st.floats(0, 1),
    st.integers(0, 40),
)
def test_no_answers_make_it_do_too_much(
    answers: list[Answer], method: str, jitter: float, seconds: int
) -> None:
    """At most one refresh and five requests, each started before the deadline.

    A POST is never repeated if it may have been processed. The last answer is the result.
    """
    world = World(answers, tokens=[SECOND], jitter=jitter, deadline=timedelta(seconds=seconds or 1))
    given = world.run(method, token=FIRST)
    assert len(world.refused) <= 1
    assert len(world.sent) <= 2 + MAX_RETRIES
    assert all(begun < world.deadline for begun in world.begun_at)
    assert world.elapsed < world.deadline
    if method == "POST":
        for done in answers[: len(world.sent) - 1]:
            assert done == NOT_SENT or (
                isinstance(done, HttpResponse) and done.status in (401, 429)
            )
    if isinstance(given, Success):
        assert given.unwrap() == answers[len(world.sent) - 1]


@given(st.text(min_size=8))
def test_no_problem_of_a_conversation_shows_a_token(value: str) -> None:
    """No `repr` of a step shows it either."""
    token = AccessToken(Secret(f"canary-{value}"), "bearer", (), None)
    for trouble in (answer(401), answer(429, "99"), LOST):
        world = World([trouble], tokens=[None])
        problem = world.run("POST", token=token).failure()
        shown = repr(problem) + problem.message + msgspec.json.encode(problem).decode()
        assert "canary" not in shown + repr(world.sent) + repr(RenewToken(token)) + repr(
            Send(world.sent[0])
        )


def test_a_date_counts_from_the_answers_arrival() -> None:
    """Not from the start of the call."""
    date = format_datetime(NOW + timedelta(seconds=12), usegmt=True)
    world = World([answer(503, date), OK], answer_takes=timedelta(seconds=10))
    assert world.run() == Success(OK)
    assert world.waits == [timedelta(seconds=2)]


def test_now_is_aware() -> None:
    """The caller compares `retry_at` with its own clock."""
    problem = World([answer(429, "99")]).run().failure()
    assert isinstance(problem, ApiRateLimited)
    assert isinstance(problem.retry_at, datetime)
    assert problem.retry_at.tzinfo is not None
