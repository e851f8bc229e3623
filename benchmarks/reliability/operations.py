"""Functions that run inside an application process."""

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
    """The result of an action. `code` is the problem's code, "" if it succeeded."""

    tenant: str
    code: str = ""
    reason: str = ""
    access_token: str = ""
    retry_at: datetime | None = None


class StoredRow(msgspec.Struct, frozen=True):
    """The fields of a connection's row that the figures check."""

    tenant: str
    refresh_token: str
    status: str
    generation: int
    version: int
    enabled: bool
    is_unresolved: bool


async def call(app: Application, tenant: str) -> Outcome:
    """Calls the action once."""
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
    """Calls the action for each tenant, concurrently."""
    return await asyncio.gather(*(call(app, tenant) for tenant in tenants))


async def stored(app: Application, tenants: Sequence[str]) -> list[StoredRow]:
    """The rows of these tenants."""

    async def one(tenant: str) -> StoredRow:
        record = await app.record(tenant)
        assert record.grant is not None
        return StoredRow(
            tenant,
            app.refresh_token(record),
            record.status,
            record.grant.generation,
            record.version,
            record.enabled,
            record.unresolved,
        )

    return await asyncio.gather(*map(one, tenants))


async def warnings(app: Application) -> list[str]:
    """The warnings that the library logged in this process."""
    return app.warnings


async def commits(app: Application) -> list[bool]:
    """For each commit of renewed tokens, whether it changed a row."""
    return app.breakpoints.commits


async def connect(app: Application, tenants: Sequence[str]) -> None:
    """Authorizes each tenant, a few concurrently."""
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
    """Runs the whole flow of one tenant. Returns the last redirect's location."""
    begun = await app.at(tenant).authorize(config, subject="ada", return_to="/")
    return await _finished(app, browser, tenant, value_or_raise(begun).url)


async def reauthorize(app: Application, browser: httpx.AsyncClient, tenant: str) -> None:
    """Runs the whole flow for an existing connection. The stored config stays."""
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
