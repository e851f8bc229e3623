"""Requests with a DPoP proof. RFC 9449."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

from returns.result import Failure, Result, Success

from igniter_connectors import HttpRequest, HttpResponse, Secret
from igniter_connectors.core.http.messages import HttpFailed
from igniter_connectors.core.oauth.dpop import KEY_OCTETS, new_dpop_key
from igniter_connectors.flows.oauth.dpop_request import send_bound
from igniter_connectors.flows.tenant_http import oauth_http
from igniter_connectors.testing import json_response
from tests.flows.forge import KEY, TOKEN, Forge, forge

DPOP_KEY = new_dpop_key(b"\x07" * KEY_OCTETS)
REQUEST = HttpRequest("POST", TOKEN)
NONCE = json_response({"error": "use_dpop_nonce"}, status=400, headers=(("DPoP-Nonce", "n-1"),))


def proofs(made: Forge) -> list[dict[str, object]]:
    """The claims of each proof that was sent."""
    tokens = [request.header("dpop") or "" for request in made.http.requests]
    parts = [token.split(".")[1] for token in tokens]
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts]


async def test_without_a_key_the_request_is_sent_as_it_is() -> None:
    """No proof."""
    made = forge()
    await send_bound(oauth_http(made.engine, KEY), REQUEST, None)
    assert made.http.requests == [REQUEST]


def demand(nonce: str) -> HttpResponse:
    """The server refuses the proof, and names the nonce that it wants."""
    return json_response({"error": "use_dpop_nonce"}, status=400, headers=(("DPoP-Nonce", nonce),))


async def test_a_nonce_that_expires_meanwhile_is_replaced() -> None:
    """While the server names a new one, at most three times; then its demand is the answer."""
    made = forge()
    made.answers[TOKEN] = [demand("n-1"), demand("n-2"), json_response({})]
    assert await send_bound(oauth_http(made.engine, KEY), REQUEST, DPOP_KEY) == Success(
        json_response({})
    )
    assert [one.get("nonce") for one in proofs(made)] == [None, "n-1", "n-2"]
    made.answers[TOKEN] = [demand("n-3")]
    assert await send_bound(oauth_http(made.engine, KEY), REQUEST, DPOP_KEY) == Success(
        demand("n-3")
    )
    assert len(made.http.requests) == 3 + 4


async def test_the_last_nonce_of_a_server_is_in_the_first_proof() -> None:
    """Of this origin alone, and also if it came with a success (section 8.2)."""
    made = forge()
    made.answers[TOKEN] = [json_response({}, headers=(("DPoP-Nonce", "next"),))]
    elsewhere = HttpRequest("POST", "https://elsewhere.example/")
    made.answers[elsewhere.url] = [json_response({})]
    for request in (REQUEST, REQUEST, elsewhere):
        await send_bound(oauth_http(made.engine, KEY), request, DPOP_KEY)
    assert [one.get("nonce") for one in proofs(made)] == [None, "next", None]


async def test_a_nonce_that_the_server_demands_is_used() -> None:
    """With a new proof."""
    made = forge()
    made.answers[TOKEN] = [NONCE]
    answer = await send_bound(
        oauth_http(made.engine, KEY), REQUEST, DPOP_KEY, access_token=Secret("access")
    )
    assert answer == Success(NONCE)
    first, second, *_ = proofs(made)
    assert ("nonce" in first, second["nonce"]) == (False, "n-1")
    assert first["jti"] != second["jti"]
    assert first["ath"] == second["ath"]
    assert (first["htm"], first["htu"]) == ("POST", TOKEN)


async def test_other_answers_are_final() -> None:
    """A failure too: the request may have been processed."""
    for given in (HttpFailed(sent=True), json_response({"error": "invalid_grant"}, status=400)):
        made = forge()
        made.answers[TOKEN] = [given]
        await send_bound(oauth_http(made.engine, KEY), REQUEST, DPOP_KEY)
        assert len(made.http.requests) == 1


async def test_all_requests_share_one_deadline() -> None:
    """If it has passed, the demand for a nonce is the answer."""
    for slow, left in ((4, [10.0, 6.0, 2.0]), (10, [10.0])):
        made = forge()
        deadlines: list[float] = []

        class Slow:
            """Takes its time."""

            async def send(
                self, request: HttpRequest, *, deadline: timedelta, limit_bytes: int
            ) -> Result[HttpResponse, HttpFailed]:
                """The demand for a nonce."""
                _ = request, limit_bytes
                deadlines.append(deadline.total_seconds())  # noqa: B023  # called in this round
                made.clock.advance(timedelta(seconds=slow))  # noqa: B023
                return Success(NONCE)

        object.__setattr__(made.engine, "http", Slow())
        assert await send_bound(oauth_http(made.engine, KEY), REQUEST, DPOP_KEY) != Failure(
            HttpFailed(sent=True)
        )
        assert deadlines == left
