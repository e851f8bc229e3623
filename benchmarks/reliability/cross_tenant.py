"""A handle of one tenant that works for another: none may.

Handles are tickets, states, cursors, accounts, webhook endpoints and stored events. The other
tenant's user has the same subject. Afterwards every handle must still work for its owner, which
shows that the figure measures something and that no stranger can burn one.
"""

import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
from returns.pipeline import is_successful

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import (
    ACME,
    Forge,
    OAuthApp,
    Organization,
    provider_of,
    running_apps,
)
from igniter_connectors import AtOAuth, HttpRequest, Principal, Secret, SQLiteStore, value_or_raise
from igniter_connectors.core.pagination import make_cursor
from igniter_connectors.testing import running_provider, sign_webhook
from igniter_connectors.webhooks import StandardWebhooks

RIVAL = Organization("rival")
MIN_TRIED = 24
BODY = b'{"text":"x"}'


async def cross_tenant() -> Figure:
    """Uses each handle of one tenant as another, and counts what worked."""
    tried, passed = 0, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "connectors.db")
        async with (
            running_provider() as provider,
            running_apps(provider_of(provider), [store]) as (app,),
            httpx.AsyncClient(base_url=app.origin, trust_env=False) as browser,
        ):
            await connect(app, browser)
            before = await store.find(at(app, ACME)._key)
            async for name, is_passed in attempts(app, browser):
                tried += 1
                if is_passed:
                    passed.append(name)
            is_same = await store.find(at(app, ACME)._key) == before
            rows = await store.count("organization", "rival")
            await connect(app, browser)
            is_real = value_or_raise(await at(app, ACME).get()).authorization is not None
    shown = f": {', '.join(passed[:3])}" if passed else ""
    kept = "unchanged" if is_same and is_real else "CHANGED"
    return Figure(
        "cross-tenant",
        f"{len(passed)} of {tried} handles worked for another tenant{shown}; "
        f"the owner's are {kept}",
        f"0 of at least {MIN_TRIED}",
        not passed and tried >= MIN_TRIED and is_same and is_real and rows == 0,
    )


def at(app: OAuthApp, tenant: Organization) -> AtOAuth[Forge, None]:
    """A tenant at the connector."""
    return app.connectors.scope(tenant).at(app.connector)


async def connect(app: OAuthApp, browser: httpx.AsyncClient) -> None:
    """Connects the owner, through a flow of its own."""
    callback = await app.begin(browser)
    finished = await browser.get(callback, headers={"x-session": "acme/ada"})
    assert finished.headers["location"] == "/?connected=forge", finished.text


async def attempts(app: OAuthApp, browser: httpx.AsyncClient) -> AsyncIterator[tuple[str, bool]]:
    """Each attempt's name, and whether it worked."""
    async for attempt in flows(app, browser):
        yield attempt
    async for attempt in routes(app, browser):
        yield attempt
    async for attempt in webhooks(app):
        yield attempt


async def flows(app: OAuthApp, browser: httpx.AsyncClient) -> AsyncIterator[tuple[str, bool]]:
    """Tickets and states, over HTTP and through `handle`."""
    owner, rival = {"x-session": "acme/ada"}, {"x-session": "rival/ada"}
    who = Principal(RIVAL, "ada")
    ticket = value_or_raise(await at(app, ACME).authorize(Forge(), subject="ada")).url
    answer = await browser.get(ticket, headers=rival)
    yield "ticket", answer.status_code < 400
    handled = await app.connectors.handle(HttpRequest("GET", ticket), principal=who)
    yield "ticket through handle", handled.status < 400
    opened = await browser.get(ticket, headers=owner)
    yield "ticket burnt", opened.status_code != 303
    if opened.status_code != 303:
        return
    async with httpx.AsyncClient(trust_env=False) as provider:
        callback = str((await provider.get(opened.headers["location"])).headers["location"])
    yield "state", (await browser.get(callback, headers=rival)).status_code < 400
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    request = HttpRequest("GET", callback, (("Cookie", cookie),))
    yield (
        "state through handle",
        (await app.connectors.handle(request, principal=who)).status < 400,
    )
    # The provider says no: the flow ends without a change, which shows that it was not burnt.
    denied = callback.replace("code=", "x=") + "&error=access_denied"
    finished = await browser.get(denied, headers=owner)
    yield "state burnt", finished.status_code != 303
    unbound = value_or_raise(
        await at(app, ACME).authorize_without_browser_binding(Forge(), subject="ada")
    )
    with_cookie = value_or_raise(await at(app, ACME).authorize_with_cookie(Forge(), subject="ada"))
    jar = with_cookie.set_cookie.reveal().partition(";")[0]
    for name, url, headers in (
        ("unbound state", unbound.url, ()),
        ("state with the application's cookie", with_cookie.url, (("Cookie", jar),)),
    ):
        async with httpx.AsyncClient(trust_env=False) as provider:
            callback = str((await provider.get(url)).headers["location"])
        foreign = await app.connectors.handle(HttpRequest("GET", callback, headers), principal=who)
        yield name, foreign.status < 400


async def routes(app: OAuthApp, browser: httpx.AsyncClient) -> AsyncIterator[tuple[str, bool]]:
    """Accounts and cursors, at every route of a connection."""
    headers = {"x-session": "rival/ada", "origin": app.origin}
    for method, path in (
        ("GET", "/connections/forge"),
        ("PATCH", "/connections/forge"),
        ("DELETE", "/connections/forge"),
        ("POST", "/connections/forge/enable"),
        ("POST", "/connections/forge/disable"),
        ("POST", "/connections/forge/actions/ping"),
    ):
        answer = await browser.request(method, path, json={}, headers=headers)
        # Disconnecting what is not connected is no error, and must not touch the owner's row.
        yield f"{method} {path}", answer.is_success and method != "DELETE"
    same_site = headers | {"sec-fetch-site": "same-origin"}
    upgrade = "/connectors/forge/oauth/start?account=default"
    yield "upgrade", (await browser.get(upgrade, headers=same_site)).status_code < 400
    for after in (make_cursor("", ""), make_cursor("forge", "")):
        page = await browser.get(f"/connections?after={after}", headers=headers)
        yield "cursor", page.json()["items"] != []


async def webhooks(app: OAuthApp) -> AsyncIterator[tuple[str, bool]]:
    """Endpoints and stored events."""
    owner, rival = at(app, ACME), at(app, RIVAL)
    endpoint = value_or_raise(await owner.create_webhook())
    request = sign_webhook(StandardWebhooks(), endpoint, BODY, now=datetime.now(UTC))
    assert (await app.connectors.handle(request)).status == 204
    await app.connectors.settled()
    event = value_or_raise(await owner.webhooks.list()).items[0].id
    for name, result in (
        ("rotate", await rival.webhooks.rotate(endpoint.id)),
        ("retire", await rival.webhooks.retire(endpoint.id)),
        ("find", await rival.webhooks.find(event)),
        ("body", await rival.webhooks.body(event)),
        ("replay", await rival.webhooks.replay(event)),
        ("check_replay", await rival.webhooks.check_replay(event)),
        (
            "replace secret",
            await rival.replace_webhook_secret(endpoint.id, Secret(f"whsec_{'QUFB' * 8}")),
        ),
    ):
        yield name, is_successful(result)
    for after in (None, make_cursor("9999-12-31T00:00:00+00:00", "z")):
        yield "events", value_or_raise(await rival.webhooks.list(after=after)).items != ()
    yield "endpoints", value_or_raise(await rival.webhooks.endpoints()) != ()
    again = sign_webhook(StandardWebhooks(), endpoint, BODY, now=datetime.now(UTC))
    yield "endpoint retired", (await app.connectors.handle(again)).status != 204
