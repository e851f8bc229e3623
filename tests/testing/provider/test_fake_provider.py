"""The fake provider follows its script over real HTTP, and its counters are right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import httpx
import pytest

from igniter_connectors import Secret, discover_provider, value_or_raise
from igniter_connectors.testing import FakeOAuthProvider, ProviderScript, running_provider
from tests.testing.provider.client import Client, error, tokens, until


@asynccontextmanager
async def client_of_provider(
    script: ProviderScript | None = None,
) -> AsyncGenerator[tuple[Client, FakeOAuthProvider], None]:
    """A running provider and a client of it."""
    async with running_provider(script) as provider, httpx.AsyncClient() as http:
        yield Client(provider, http), provider


async def test_a_code_works_once_with_its_verifier_and_redirect_uri() -> None:
    """A wrong verifier or redirect URI is refused, and no grant is created."""
    async with client_of_provider() as (client, provider):
        for changes in ({"code_verifier": "x" * 43}, {"redirect_uri": "http://127.0.0.1:2/"}):
            code = (await client.consent())["code"]
            assert error(await client.exchange(code, **changes)) == "invalid_grant"
        assert provider.grants == []
        code = (await client.consent())["code"]
        assert tokens(await client.exchange(code)).expires_in == 3600
        assert error(await client.exchange(code)) == "invalid_grant"
        assert (len(provider.grants), provider.token_requests, provider.refused) == (1, 4, 3)


@pytest.mark.parametrize("names_issuer", [True, False])
async def test_discovery_finds_the_endpoints(names_issuer: bool) -> None:
    """The metadata also says whether callbacks contain the issuer."""
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


async def test_the_user_is_the_scripts_subject_or_the_login_hint() -> None:
    """The hint lets many tenants consent at the same provider."""
    async with client_of_provider(ProviderScript(subject="ada", oauth_scopes="read")) as (
        client,
        provider,
    ):
        one, other = await client.connect(), await client.connect(login_hint="grace")
        assert one.scope == "read"
        assert [grant.subject for grant in provider.grants] == ["ada", "grace"]
        assert (await client.userinfo(other.access_token)).json()["sub"] == "grace"


async def test_a_refresh_token_is_rotated_and_the_old_access_token_still_accepted() -> None:
    """The grant holds the current tokens."""
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        second = tokens(await client.refresh(first.refresh_token))
        (grant,) = provider.grants
        assert second.refresh_token not in (None, first.refresh_token)
        assert (grant.access_token, grant.refresh_token) == (
            second.access_token,
            second.refresh_token,
        )
        assert provider.accepts(Secret(first.access_token))
        assert provider.grant_of(Secret(first.access_token)) is grant
        assert (grant.rotations, grant.reuses, grant.invalid_grants) == (1, 0, 0)


async def test_reuse_of_a_spent_token_revokes_its_whole_grant_only() -> None:
    """The newest tokens of the grant stop working too."""
    async with client_of_provider() as (client, provider):
        other, first = await client.connect(), await client.connect()
        second = tokens(await client.refresh(first.refresh_token))
        assert error(await client.refresh(first.refresh_token)) == "invalid_grant"
        assert error(await client.refresh(second.refresh_token)) == "invalid_grant"
        assert (await client.userinfo(second.access_token)).status_code == 401
        assert (await client.userinfo(other.access_token)).status_code == 200
        grant = provider.grants[1]
        assert (grant.is_revoked, grant.reuses, grant.invalid_grants) == (True, 1, 2)


async def test_reuse_can_be_refused_without_revoking_the_grant() -> None:
    """Some providers do not detect reuse."""
    async with client_of_provider(ProviderScript(revokes_on_reuse=False)) as (client, _):
        first = await client.connect()
        second = tokens(await client.refresh(first.refresh_token))
        assert error(await client.refresh(first.refresh_token)) == "invalid_grant"
        assert tokens(await client.refresh(second.refresh_token))


async def test_within_the_grace_a_spent_token_returns_the_current_one() -> None:
    """After the grace, reuse revokes the grant."""
    async with client_of_provider(ProviderScript(reuse_grace_seconds=0.5)) as (client, provider):
        first = await client.connect()
        second = tokens(await client.refresh(first.refresh_token))
        again = tokens(await client.refresh(first.refresh_token))
        assert again.refresh_token == second.refresh_token
        assert again.access_token != second.access_token
        await asyncio.sleep(0.6)
        assert error(await client.refresh(first.refresh_token)) == "invalid_grant"
        (grant,) = provider.grants
        assert (grant.rotations, grant.reuses, grant.invalid_grants) == (1, 2, 1)
        assert grant.is_revoked


async def test_without_rotation_the_token_stays_and_is_not_sent_again() -> None:
    """RFC 6749 section 6 allows both."""
    async with client_of_provider(ProviderScript(rotates=False)) as (client, provider):
        first = await client.connect()
        assert first.refresh_token is not None
        for _ in range(2):
            assert tokens(await client.refresh(first.refresh_token)).refresh_token is None
        assert provider.grants[0].refresh_token == first.refresh_token


@pytest.mark.parametrize("status", [503, 429, 502, 401])
async def test_an_error_status_decides_nothing_and_carries_retry_after(status: int) -> None:
    """The refresh token stays valid."""
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        provider.script = ProviderScript(
            token_status=status, token_error="not_now", retry_after="7", error_description="why"
        )
        answer = await client.refresh(first.refresh_token)
        assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
        assert answer.json() == {"error": "not_now", "error_description": "why"}
        provider.script = ProviderScript()
        assert tokens(await client.refresh(first.refresh_token))
        (grant,) = provider.grants
        assert [(request.status, request.retry_after) for request in grant.requests] == [
            (status, "7"),
            (200, ""),
        ]


async def test_errors_can_have_status_200() -> None:
    """This includes `invalid_grant`."""
    async with client_of_provider(ProviderScript(error_under_200=True)) as (client, _):
        answer = await client.refresh("unknown")
        assert (answer.status_code, error(answer)) == (200, "invalid_grant")


async def test_scripts_for_the_next_requests_apply_once_each() -> None:
    """Then the ordinary script applies again."""
    async with client_of_provider() as (client, provider):
        token = (await client.connect()).refresh_token
        provider.next_scripts.extend(ProviderScript(token_status=one) for one in (503, 429))
        statuses = [(await client.refresh(token)).status_code for _ in range(3)]
        assert statuses == [503, 429, 200]


async def test_a_lost_response_still_rotates_the_token() -> None:
    """The client sees only the reset. A reset before the decision changes nothing."""
    async with client_of_provider() as (client, provider):
        token = (await client.connect()).refresh_token
        (grant,) = provider.grants
        provider.next_scripts.append(ProviderScript(drops="before"))
        with pytest.raises(httpx.TransportError):
            await client.refresh(token)
        assert (grant.refresh_token, grant.requests[-1].status) == (token, 0)
        provider.next_scripts.append(ProviderScript(drops="after"))
        with pytest.raises(httpx.TransportError):
            await client.refresh(token)
        assert token in grant.spent
        assert (grant.rotations, grant.requests[-1].status) == (1, 0)


async def test_a_gateway_error_can_follow_a_rotation() -> None:
    """The client gets a 502, and the refresh token is spent."""
    async with client_of_provider() as (client, provider):
        token = (await client.connect()).refresh_token
        provider.next_scripts.append(ProviderScript(gateway_status=502))
        answer = await client.refresh(token)
        assert (answer.status_code, answer.content) == (502, b"")
        assert token in provider.grants[0].spent


async def test_a_response_can_be_late_after_the_decision() -> None:
    """A client that disconnects ends its request, but the token stays rotated."""
    async with client_of_provider() as (client, provider):
        token = (await client.connect()).refresh_token
        (grant,) = provider.grants
        provider.script = ProviderScript(answer_late_seconds=60)
        sending = asyncio.create_task(client.refresh(token))
        await until(lambda: grant.in_flight == 1 and token in grant.spent)
        sending.cancel()
        await until(lambda: grant.in_flight == 0)
        assert grant.requests[0].status == 0
        assert grant.requests[0].ended_at is not None


async def test_a_cancelled_request_is_still_decided() -> None:
    """The client cannot take back what it sent."""
    async with client_of_provider() as (client, provider):
        token = (await client.connect()).refresh_token
        (grant,) = provider.grants
        provider.script = ProviderScript(answer_after_seconds=0.3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.refresh(token)
        assert token not in grant.spent
        await until(lambda: token in grant.spent)
        assert grant.in_flight == 0


async def test_requests_in_flight_are_counted_for_each_grant() -> None:
    """Requests of other grants do not count."""
    async with client_of_provider(ProviderScript(reuse_grace_seconds=60)) as (client, provider):
        one, other = await client.connect(), await client.connect()
        provider.script.answer_after_seconds = 0.1
        senders = (one, one, one, other)
        _ = await asyncio.gather(*(client.refresh(each.refresh_token) for each in senders))
        assert [grant.max_in_flight for grant in provider.grants] == [3, 1]
        assert [grant.in_flight for grant in provider.grants] == [0, 0]


async def test_token_responses_can_be_forms() -> None:
    """GitHub sends forms unless the client asks for JSON."""
    async with client_of_provider() as (client, provider):
        token = (await client.connect()).refresh_token
        provider.script = ProviderScript(form_encoded=True, access_token_seconds=60)
        answer = await client.refresh(token)
        assert answer.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(answer.text)["expires_in"] == ["60"]
        assert parse_qs(answer.text)["refresh_token"] == [provider.grants[0].refresh_token]


@pytest.mark.parametrize("form_encoded", [False, True])
async def test_responses_can_be_very_long(form_encoded: bool) -> None:
    """They stay valid."""
    script = ProviderScript(padding_bytes=2_000_000)
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        provider.script = script
        script.form_encoded = form_encoded
        assert len((await client.refresh(first.refresh_token)).content) > 2_000_000
        assert len((await client.userinfo(first.access_token)).content) > 2_000_000


async def test_redirects_change_no_grant() -> None:
    """A client that follows one sends its tokens to the redirect's target."""
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        provider.script = ProviderScript(redirect_to="http://127.0.0.1:1/elsewhere")
        for answer in (
            await client.refresh(first.refresh_token),
            await client.userinfo(first.access_token),
            await client.revoke(first.access_token),
        ):
            assert answer.status_code == 307
            assert answer.headers["location"] == "http://127.0.0.1:1/elsewhere"
        assert provider.accepts(Secret(first.access_token))
        assert provider.grants[0].refresh_token == first.refresh_token


@pytest.mark.parametrize("issuer", ["", "https://evil.example"])
async def test_callbacks_contain_the_issuer_of_the_script(issuer: str) -> None:
    """The issuer may be wrong; "" omits it."""
    async with client_of_provider(ProviderScript(issuer=issuer)) as (client, _):
        assert (await client.consent()).get("iss", "") == issuer


async def test_revoking_either_token_revokes_the_grant() -> None:
    """Each request is counted. An unknown token is not an error (RFC 7009 section 2.2)."""
    async with client_of_provider() as (client, provider):
        for kind in ("access_token", "refresh_token"):
            issued = await client.connect()
            assert (await client.revoke(getattr(issued, kind))).status_code == 200
            assert (await client.userinfo(issued.access_token)).status_code == 401
            assert error(await client.refresh(issued.refresh_token)) == "invalid_grant"
        assert (await client.revoke("unknown")).status_code == 200
        assert [grant.revocations for grant in provider.grants] == [1, 1]
        assert provider.revocation_requests == 3


async def test_revoking_an_access_token_can_keep_its_grant() -> None:
    """Providers differ. Revoking a refresh token always revokes the grant."""
    async with client_of_provider(ProviderScript(revocation_ends_grant=False)) as (
        client,
        provider,
    ):
        first = await client.connect()
        await client.revoke(first.access_token)
        assert (await client.userinfo(first.access_token)).status_code == 401
        second = tokens(await client.refresh(first.refresh_token))
        assert (await client.userinfo(second.access_token)).status_code == 200
        await client.revoke(second.refresh_token or "")
        assert provider.grants[0].is_revoked


async def test_a_failing_revocation_endpoint_revokes_nothing() -> None:
    """503 with Retry-After asks for a retry (RFC 7009 section 2.2.1). The request is counted."""
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        provider.script = ProviderScript(revocation_status=503, retry_after="3")
        answer = await client.revoke(first.access_token)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert (await client.userinfo(first.access_token)).status_code == 200
        assert (provider.revocation_requests, provider.grants[0].revocations) == (1, 1)


async def test_all_grants_can_be_revoked_at_once() -> None:
    """Their tokens are refused."""
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        provider.revoke_all()
        assert not provider.accepts(Secret(first.access_token))
        assert error(await client.refresh(first.refresh_token)) == "invalid_grant"


async def test_the_state_is_a_copy() -> None:
    """Later requests do not change it."""
    async with client_of_provider() as (client, provider):
        first = await client.connect()
        before = provider.state()
        await client.refresh(first.refresh_token)
        assert (before.refresh_requests, before.grants[0].rotations) == (0, 0)
        assert (provider.state().refresh_requests, provider.state().grants[0].rotations) == (1, 1)
        assert {first.access_token, first.refresh_token} <= set(provider.issued)


async def test_an_unknown_path_is_not_found() -> None:
    """A provider inside the test's process has no control path."""
    async with client_of_provider() as (_, provider), httpx.AsyncClient() as client:
        assert (await client.post(f"{provider.url}/control/state")).status_code == 404
