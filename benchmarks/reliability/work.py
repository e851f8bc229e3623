"""What the campaigns have processes of the application do. Each function runs in one of them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

import httpx
import msgspec
from returns.pipeline import is_successful

from benchmarks.reliability.application import Application, Drive, Organization, Use, use
from igniter_connectors import HttpRequest, Principal, value_or_raise

_AT_ONCE = 8


class Outcome(msgspec.Struct, frozen=True):
    """What came of an action. `code` is the problem's, "" where it ran."""

    tenant: str
    code: str = ""
    reason: str = ""
    access_token: str = ""
    retry_at: datetime | None = None


class Stored(msgspec.Struct, frozen=True):
    """What a row holds."""

    tenant: str
    refresh_token: str
    status: str
    generation: int
    version: int
    enabled: bool
    is_unresolved: bool


async def call(app: Application, tenant: str) -> Outcome:
    """One action."""
    answer = await app.at(tenant).action(use).call(Use())
    if is_successful(answer):
        return Outcome(tenant, access_token=answer.unwrap())
    problem = answer.failure()
    return Outcome(
        tenant,
        problem.code,
        str(getattr(problem, "reason", "")),
        retry_at=getattr(problem, "retry_at", None),
    )


async def call_all(app: Application, tenants: Sequence[str]) -> list[Outcome]:
    """An action for each, all at once."""
    return await asyncio.gather(*(call(app, tenant) for tenant in tenants))


async def stored(app: Application, tenants: Sequence[str]) -> list[Stored]:
    """What the rows hold."""

    async def one(tenant: str) -> Stored:
        record = await app.record(tenant)
        assert record.grant is not None
        return Stored(
            tenant,
            app.refresh_token(record),
            record.status,
            record.grant.generation,
            record.version,
            record.enabled,
            record.unresolved,
        )

    return await asyncio.gather(*map(one, tenants))


async def complaints(app: Application) -> list[str]:
    """What the library warned of in this process."""
    return app.complaints


async def commits(app: Application) -> list[bool]:
    """For each time that renewed tokens were stored: whether a row changed."""
    return app.steps.commits


async def connect(app: Application, tenants: Sequence[str]) -> None:
    """Authorizes each tenant, a few at once."""
    places = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient() as browser:

        async def one(tenant: str) -> None:
            async with places:
                location = await authorize(app, browser, tenant, Drive())
                assert "connected=drive" in location, location

        await asyncio.gather(*map(one, tenants))


async def authorize(
    app: Application, browser: httpx.AsyncClient, tenant: str, config: Drive
) -> str:
    """The whole flow of one tenant; where its browser was sent in the end."""
    begun = await app.at(tenant).authorize(config, subject="ada", return_to="/")
    return await _finished(app, browser, tenant, value_or_raise(begun).url)


async def reauthorize(app: Application, browser: httpx.AsyncClient, tenant: str) -> None:
    """The whole flow in place, with the config that is stored."""
    begun = await app.at(tenant).reauthorize(subject="ada", return_to="/")
    location = await _finished(app, browser, tenant, value_or_raise(begun).url)
    assert "connected=drive" in location, location


async def _finished(app: Application, browser: httpx.AsyncClient, tenant: str, url: str) -> str:
    principal = Principal(Organization(tenant), "ada")
    started = await app.connectors.handle(HttpRequest("GET", url), principal=principal)
    cookie = (started.header("set-cookie") or "").partition(";")[0]
    consent = f"{started.header('location')}&login_hint={quote(tenant)}"
    callback = (await browser.get(consent)).headers["location"]
    request = HttpRequest("GET", callback, (("Cookie", cookie),))
    finished = await app.connectors.handle(request, principal=principal)
    return finished.header("location") or ""
