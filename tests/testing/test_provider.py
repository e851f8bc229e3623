"""The scripted provider does as it is told, over real HTTP, and counts rightly."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from igniter_connectors import Secret, discover_provider, value_or_raise
from igniter_connectors.testing import ProviderScript, ScriptedProvider, running_provider
from tests.testing.asking import Asking, error, tokens, until


@asynccontextmanager
async def asking(
    script: ProviderScript | None = None,
) -> AsyncGenerator[tuple[Asking, ScriptedProvider], None]:
    """A provider, and somebody who asks it."""
    async with running_provider(script) as provider, httpx.AsyncClient() as client:
        yield Asking(provider, client), provider


async def test_a_code_is_good_once_and_for_its_verifier_and_redirect_uri() -> None:
    """Anything else is refused, and no grant is made."""
    async with asking() as (ask, provider):
        for changes in ({"code_verifier": "x" * 43}, {"redirect_uri": "http://127.0.0.1:2/"}):
            code = (await ask.consent())["code"]
            assert error(await ask.exchange(code, **changes)) == "invalid_grant"
        assert provider.grants == []
        code = (await ask.consent())["code"]
        assert tokens(await ask.exchange(code)).expires_in == 3600
        assert error(await ask.exchange(code)) == "invalid_grant"
        assert (len(provider.grants), provider.token_requests, provider.refused) == (1, 4, 3)


@pytest.mark.parametrize("names_issuer", [True, False])
async def test_it_describes_itself(names_issuer: bool) -> None:
    """So that a user's own discovery finds it, and whether its callbacks name the issuer."""
    async with running_provider() as provider:
        if names_issuer:
            provider.script = ProviderScript(issuer=provider.url)
        found = value_or_raise(
            await discover_provider(
                provider.url, client_id=provider.client_id, client_secret=provider.client_secret
            )
        )
    assert (found.authorization_url, found.token_url, found.userinfo_url, found.revocation_url) == (
        provider.authorization_url,
        provider.token_url,
        provider.userinfo_url,
        provider.revocation_url,
    )
    assert (found.issuer, found.sends_issuer) == (provider.url, names_issuer)


async def test_who_signs_in_is_the_scripts_or_the_hinted_one() -> None:
    """So that many tenants can consent at once."""
    async with asking(ProviderScript(subject="ada", oauth_scopes="read")) as (ask, provider):
        one, other = await ask.connect(), await ask.connect(login_hint="grace")
        assert one.scope == "read"
        assert [grant.subject for grant in provider.grants] == ["ada", "grace"]
        assert (await ask.who(other.access_token)).json()["sub"] == "grace"


async def test_a_refresh_token_is_rotated_and_the_old_access_token_still_accepted() -> None:
    """The grant knows which are the present ones."""
    async with asking() as (ask, provider):
        first = await ask.connect()
        second = tokens(await ask.refresh(first.refresh_token))
        (grant,) = provider.grants
        assert second.refresh_token not in (None, first.refresh_token)
        assert (grant.access_token, grant.refresh_token) == (
            second.access_token,
            second.refresh_token,
        )
        assert provider.accepts(Secret(first.access_token))
        assert provider.grant_of(Secret(first.access_token)) is grant
        assert (grant.rotations, grant.reuses, grant.invalid_grants) == (1, 0, 0)


async def test_reuse_of_a_spent_token_ends_the_whole_grant_and_no_other() -> None:
    """The newest tokens are dead with it."""
    async with asking() as (ask, provider):
        other, first = await ask.connect(), await ask.connect()
        second = tokens(await ask.refresh(first.refresh_token))
        assert error(await ask.refresh(first.refresh_token)) == "invalid_grant"
        assert error(await ask.refresh(second.refresh_token)) == "invalid_grant"
        assert (await ask.who(second.access_token)).status_code == 401
        assert (await ask.who(other.access_token)).status_code == 200
        grant = provider.grants[1]
        assert (grant.is_revoked, grant.reuses, grant.invalid_grants) == (True, 1, 2)


async def test_reuse_may_be_refused_without_ending_the_grant() -> None:
    """As the providers do that do not watch for it."""
    async with asking(ProviderScript(revokes_on_reuse=False)) as (ask, _):
        first = await ask.connect()
        second = tokens(await ask.refresh(first.refresh_token))
        assert error(await ask.refresh(first.refresh_token)) == "invalid_grant"
        assert tokens(await ask.refresh(second.refresh_token))


async def test_within_the_grace_a_spent_token_brings_the_present_one_again() -> None:
    """And after it the grant is ended."""
    async with asking(ProviderScript(reuse_grace_seconds=0.5)) as (ask, provider):
        first = await ask.connect()
        second = tokens(await ask.refresh(first.refresh_token))
        again = tokens(await ask.refresh(first.refresh_token))
        assert again.refresh_token == second.refresh_token
        assert again.access_token != second.access_token
        await asyncio.sleep(0.6)
        assert error(await ask.refresh(first.refresh_token)) == "invalid_grant"
        (grant,) = provider.grants
        assert (grant.rotations, grant.reuses, grant.invalid_grants) == (1, 2, 1)
        assert grant.is_revoked


async def test_without_rotation_the_token_stays_and_is_not_told_again() -> None:
    """RFC 6749 section 6 leaves it to the provider."""
    async with asking(ProviderScript(rotates=False)) as (ask, provider):
        first = await ask.connect()
        assert first.refresh_token is not None
        for _ in range(2):
            assert tokens(await ask.refresh(first.refresh_token)).refresh_token is None
        assert provider.grants[0].refresh_token == first.refresh_token


@pytest.mark.parametrize("status", [503, 429, 502, 401])
async def test_an_error_status_decides_nothing_and_carries_retry_after(status: int) -> None:
    """The token is as good afterwards as before."""
    async with asking() as (ask, provider):
        first = await ask.connect()
        provider.script = ProviderScript(
            token_status=status, token_error="not_now", retry_after="7", error_description="why"
        )
        answer = await ask.refresh(first.refresh_token)
        assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
        assert answer.json() == {"error": "not_now", "error_description": "why"}
        provider.script = ProviderScript()
        assert tokens(await ask.refresh(first.refresh_token))
        (grant,) = provider.grants
        assert [(one.status, one.retry_after) for one in grant.requests] == [
            (status, "7"),
            (200, ""),
        ]


async def test_errors_may_come_under_a_200() -> None:
    """Those for cause too."""
    async with asking(ProviderScript(error_under_200=True)) as (ask, _):
        answer = await ask.refresh("unheard of")
        assert (answer.status_code, error(answer)) == (200, "invalid_grant")


async def test_scripts_for_the_next_requests_are_used_up_one_by_one() -> None:
    """Then the script counts again."""
    async with asking() as (ask, provider):
        token = (await ask.connect()).refresh_token
        provider.next_scripts.extend(ProviderScript(token_status=one) for one in (503, 429))
        statuses = [(await ask.refresh(token)).status_code for _ in range(3)]
        assert statuses == [503, 429, 200]


async def test_an_answer_that_is_lost_leaves_a_rotation_behind() -> None:
    """The client learns nothing; one that was broken off before decides nothing."""
    async with asking() as (ask, provider):
        token = (await ask.connect()).refresh_token
        (grant,) = provider.grants
        provider.next_scripts.append(ProviderScript(drops="before"))
        with pytest.raises(httpx.TransportError):
            await ask.refresh(token)
        assert (grant.refresh_token, grant.requests[-1].status) == (token, 0)
        provider.next_scripts.append(ProviderScript(drops="after"))
        with pytest.raises(httpx.TransportError):
            await ask.refresh(token)
        assert token in grant.spent
        assert (grant.rotations, grant.requests[-1].status) == (1, 0)


async def test_a_gateway_may_stand_before_a_rotation() -> None:
    """A 502, and the token is spent."""
    async with asking() as (ask, provider):
        token = (await ask.connect()).refresh_token
        provider.next_scripts.append(ProviderScript(gateway_status=502))
        answer = await ask.refresh(token)
        assert (answer.status_code, answer.content) == (502, b"")
        assert token in provider.grants[0].spent


async def test_an_answer_may_be_late_once_the_provider_has_decided() -> None:
    """A client that goes away ends its request, and the rotation stands."""
    async with asking() as (ask, provider):
        token = (await ask.connect()).refresh_token
        (grant,) = provider.grants
        provider.script = ProviderScript(answer_late_seconds=60)
        waiting = asyncio.create_task(ask.refresh(token))
        await until(lambda: grant.in_flight == 1 and token in grant.spent)
        waiting.cancel()
        await until(lambda: grant.in_flight == 0)
        assert grant.requests[0].status == 0
        assert grant.requests[0].ended_at is not None


async def test_a_request_that_is_given_up_is_decided_all_the_same() -> None:
    """What was sent cannot be taken back."""
    async with asking() as (ask, provider):
        token = (await ask.connect()).refresh_token
        (grant,) = provider.grants
        provider.script = ProviderScript(answer_after_seconds=0.3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask.refresh(token)
        assert token not in grant.spent
        await until(lambda: token in grant.spent)
        assert grant.in_flight == 0


async def test_requests_of_one_grant_are_counted_while_they_are_in_flight() -> None:
    """The most at once, a grant, whatever other grants do."""
    async with asking(ProviderScript(reuse_grace_seconds=60)) as (ask, provider):
        one, other = await ask.connect(), await ask.connect()
        provider.script.answer_after_seconds = 0.1
        asked = (one, one, one, other)
        _ = await asyncio.gather(*(ask.refresh(each.refresh_token) for each in asked))
        assert [grant.most_in_flight for grant in provider.grants] == [3, 1]
        assert [grant.in_flight for grant in provider.grants] == [0, 0]


async def test_tokens_may_come_as_a_form() -> None:
    """As GitHub's do where nobody asked for JSON."""
    async with asking() as (ask, provider):
        token = (await ask.connect()).refresh_token
        provider.script = ProviderScript(form_encoded=True, access_token_seconds=60)
        answer = await ask.refresh(token)
        assert answer.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(answer.text)["expires_in"] == ["60"]
        assert parse_qs(answer.text)["refresh_token"] == [provider.grants[0].refresh_token]


@pytest.mark.parametrize("form_encoded", [False, True])
async def test_answers_may_be_far_too_long(form_encoded: bool) -> None:
    """And can still be read by whoever reads them whole."""
    script = ProviderScript(padding_bytes=2_000_000)
    async with asking() as (ask, provider):
        first = await ask.connect()
        provider.script = script
        script.form_encoded = form_encoded
        assert len((await ask.refresh(first.refresh_token)).content) > 2_000_000
        assert len((await ask.who(first.access_token)).content) > 2_000_000


async def test_redirects_repeat_what_was_sent_and_decide_nothing() -> None:
    """A client that follows one gives its tokens to whoever is there."""
    async with asking() as (ask, provider):
        first = await ask.connect()
        provider.script = ProviderScript(redirect_to="http://127.0.0.1:1/elsewhere")
        for answer in (
            await ask.refresh(first.refresh_token),
            await ask.who(first.access_token),
            await ask.revoke(first.access_token),
        ):
            assert answer.status_code == 307
            assert answer.headers["location"] == "http://127.0.0.1:1/elsewhere"
        assert provider.accepts(Secret(first.access_token))
        assert provider.grants[0].refresh_token == first.refresh_token


@pytest.mark.parametrize("issuer", ["", "https://evil.example"])
async def test_callbacks_name_the_issuer_that_the_script_says(issuer: str) -> None:
    """A wrong one too; "" leaves it out."""
    async with asking(ProviderScript(issuer=issuer)) as (ask, _):
        assert (await ask.consent()).get("iss", "") == issuer


async def test_revoking_either_token_ends_the_grant() -> None:
    """And is counted; an unknown token is no mistake (RFC 7009 section 2.2)."""
    async with asking() as (ask, provider):
        for kind in ("access_token", "refresh_token"):
            given = await ask.connect()
            assert (await ask.revoke(getattr(given, kind))).status_code == 200
            assert (await ask.who(given.access_token)).status_code == 401
            assert error(await ask.refresh(given.refresh_token)) == "invalid_grant"
        assert (await ask.revoke("unheard of")).status_code == 200
        assert [grant.revocations for grant in provider.grants] == [1, 1]
        assert provider.revocation_requests == 3


async def test_revoking_an_access_token_may_leave_its_grant_alive() -> None:
    """Providers differ; a refresh token takes its grant in any case."""
    async with asking(ProviderScript(revocation_ends_grant=False)) as (ask, provider):
        first = await ask.connect()
        await ask.revoke(first.access_token)
        assert (await ask.who(first.access_token)).status_code == 401
        second = tokens(await ask.refresh(first.refresh_token))
        assert (await ask.who(second.access_token)).status_code == 200
        await ask.revoke(second.refresh_token or "")
        assert provider.grants[0].is_revoked


async def test_a_revocation_endpoint_that_is_away_revokes_nothing_and_counts() -> None:
    """503, with Retry-After: to be tried again (RFC 7009 section 2.2.1)."""
    async with asking() as (ask, provider):
        first = await ask.connect()
        provider.script = ProviderScript(revocation_status=503, retry_after="3")
        answer = await ask.revoke(first.access_token)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert (await ask.who(first.access_token)).status_code == 200
        assert (provider.revocation_requests, provider.grants[0].revocations) == (1, 1)


async def test_an_administrator_may_end_every_grant() -> None:
    """Tokens of all of them are refused."""
    async with asking() as (ask, provider):
        first = await ask.connect()
        provider.revoke_all()
        assert not provider.accepts(Secret(first.access_token))
        assert error(await ask.refresh(first.refresh_token)) == "invalid_grant"


async def test_what_it_knows_is_a_copy() -> None:
    """What happens later does not change it."""
    async with asking() as (ask, provider):
        first = await ask.connect()
        before = provider.state()
        await ask.refresh(first.refresh_token)
        assert (before.refresh_requests, before.grants[0].rotations) == (0, 0)
        assert (provider.state().refresh_requests, provider.state().grants[0].rotations) == (1, 1)
        assert {first.access_token, first.refresh_token} <= set(provider.issued)


async def test_an_unknown_path_is_not_found() -> None:
    """The control of a process is none of a provider's that runs inside a test."""
    async with asking() as (_, provider), httpx.AsyncClient() as client:
        assert (await client.post(f"{provider.url}/control/state")).status_code == 404


async def test_one_connection_serves_many_requests() -> None:
    """Kept alive, as HTTP/1.1 has it."""
    asked = b"POST /token HTTP/1.1\r\nhost: here\r\n\r\n"
    async with running_provider() as provider:
        reader, writer = await asyncio.open_connection(*where(provider))
        async with asyncio.timeout(5):
            for _ in range(20):
                writer.write(asked)
                assert b"HTTP/1.1 400 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()


@pytest.mark.parametrize(
    "said",
    [
        b"\r\n\r\n",
        b"x" * 100_000,
        b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /token HTTP/1.1\r\ncontent-length: 1048577\r\n\r\n",
        b"POST /token HTTP/1.1\r\ncontent-length: 1\r\n\r\n\xff",
    ],
    ids=["empty", "endless", "length", "too-long", "octets"],
)
async def test_what_is_no_request_closes_the_connection_and_nothing_more(said: bytes) -> None:
    """The next client is served."""
    async with running_provider() as provider, httpx.AsyncClient() as client:
        reader, writer = await asyncio.open_connection(*where(provider))
        writer.write(said)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        assert (await client.get(provider.authorization_url)).status_code == 400


def where(provider: ScriptedProvider) -> tuple[str, int]:
    """The provider's host and port."""
    parts = urlsplit(provider.url)
    return parts.hostname or "", parts.port or 0
