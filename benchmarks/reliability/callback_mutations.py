"""Changed callbacks: none may connect a tenant or exchange a code.

Each mutation has its own flow. The last flow is unchanged and must connect, which shows that the
figure measures something.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import msgspec

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import OAuthApp, provider_of, running_apps
from igniter_connectors import SQLiteStore
from igniter_connectors.testing import ProviderScript, running_provider

ISSUER = "https://honest.example"
MIN_MUTATIONS = 200


class Request(msgspec.Struct, frozen=True):
    """A callback request. `query` is a tuple of pairs, so that a name can occur twice."""

    path: str
    query: tuple[tuple[str, str], ...]
    cookie: str | None
    session: str | None
    method: str = "GET"

    def with_query(self, **values: str | None) -> "Request":
        """A copy with parameters changed, added, or removed (None)."""
        known = {**dict(self.query), **values}
        pairs = tuple((name, value) for name, value in known.items() if value is not None)
        return msgspec.structs.replace(self, query=pairs)


async def callback_mutations() -> Figure:
    """Counts mutations that write a row or reach the token endpoint."""
    tried = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "connectors.db")
        async with (
            running_provider(ProviderScript(issuer=ISSUER)) as provider,
            running_apps(provider_of(provider, issuer=ISSUER, sends_issuer=True), [store]) as (
                app,
            ),
        ):
            count = len(list(mutations(await genuine(app))))
            for number in range(count):
                request = list(mutations(await genuine(app)))[number]
                await send(app, request)
                tried += 1
                rows = await store.count_by_connector()
                passed += bool(rows or provider.token_requests)
            await send(app, await genuine(app))
            is_real = (await store.count_by_connector()) == {"forge": 1}
            is_real = is_real and provider.token_requests == 1
    return Figure(
        "callback-mutations",
        f"{passed} of {tried} mutations connected or exchanged; unchanged it "
        + ("connects" if is_real else "DOES NOT CONNECT"),
        f"0 of at least {MIN_MUTATIONS}",
        passed == 0 and tried >= MIN_MUTATIONS and is_real,
    )


async def genuine(app: OAuthApp) -> Request:
    """The unchanged callback of a new flow."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as browser:
        callback = urlsplit(await app.begin(browser))
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    query = tuple((name, values[0]) for name, values in parse_qs(callback.query).items())
    return Request(callback.path, query, cookie, "acme/ada")


async def send(app: OAuthApp, request: Request) -> None:
    """Sends the request."""
    url = urlunsplit(urlsplit(app.origin)._replace(path=request.path))
    headers = {}
    if request.cookie is not None:
        headers["cookie"] = request.cookie
    if request.session is not None:
        headers["x-session"] = request.session
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        await client.request(request.method, f"{url}?{urlencode(request.query)}", headers=headers)


def mutations(real: Request) -> Iterator[Request]:
    """The callback with one change each."""
    change = msgspec.structs.replace
    query = dict(real.query)
    state, code = query["state"], query["code"]
    name, _, nonce = (real.cookie or "").partition("=")
    for other in [*with_each_letter_changed(state), *cut(state)]:
        yield real.with_query(state=other)
    for other in [*with_each_letter_changed(nonce), *cut(nonce)]:
        if other.isprintable():  # HTTP clients send only printable characters in a header
            yield change(real, cookie=f"{name}={other}")
    for cookie in (
        None,
        f"{name.upper()}={nonce}",
        f"__Host-{name}={nonce}",
        f"__Secure-{name}={nonce}",
        f"{name[:-1]}={nonce}",
        f"{name}x={nonce}",
        f"igniter-00000000={nonce}",
        f"{name}={nonce}; {name}={nonce}",
        f"{name}={nonce}; {name}=x",
        f"{name}=x; {name}={nonce}",
        f'{name}="{nonce}"',
        f"{name}={state}",
        f"{nonce}={name}",
        nonce,
        name,
    ):
        yield change(real, cookie=cookie)
    for session in (
        None, "", "acme/", "acme/eve", "acme/ADA", "acme/ada ", "acme/adaa", "rival/eve",
        "rival/ada",
        "acme/*", "acme/ada/x", "acme/a", "/eve", "acme/%61da", "acme/ada,eve", "acme/root",
    ):  # fmt: skip
        if session != "acme/ada ":  # outer spaces are not part of a header's value
            yield change(real, session=session)
    for issuer in (
        None, "", ISSUER + "/", ISSUER.upper(), "https://evil.example", "http://honest.example",
        ISSUER + ".evil.example", ISSUER + "#", ISSUER + "?", " " + ISSUER, ISSUER + " ",
        "https://HONEST.example", "honest.example", "//honest.example", ISSUER + ":443",
        "https://honest.example@evil.example", "null", ISSUER[:-1], ISSUER + "%00", "*",
    ):  # fmt: skip
        yield real.with_query(iss=issuer)
    for extra in ("state", "code", "iss", "error"):
        for value in (query.get(extra, "access_denied"), "x"):
            if extra != "error":
                yield change(real, query=(*real.query, (extra, value)))
                yield change(real, query=((extra, value), *real.query))
    for error in (
        "access_denied", "server_error", "x", "invalid_grant", "temporarily_unavailable",
    ):  # fmt: skip
        yield real.with_query(error=error)
        yield real.with_query(error=error, code=None)
    for unusable in (None, "", "c" * 8193):
        yield real.with_query(code=unusable)
    yield real.with_query(state=code, code=state)
    yield real.with_query(state=nonce)
    for path in (
        "/connectors/forge/oauth/start", "/connectors/FORGE/oauth/callback",
        "/connectors/other/oauth/callback", "/connectors/forge/oauth/callback/x",
        "/connectors/forge/callback", "/forge/oauth/callback", "/webhooks/forge/callback",
        "/connectors/../forge/oauth/callback", "/connectors/forge%00/oauth/callback",
        "/connectors//oauth/callback",
    ):  # fmt: skip
        yield change(real, path=path)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        yield change(real, method=method)
    yield change(real, query=())


def cut(text: str) -> list[str]:
    """Invalid forms of a token."""
    return [
        "", text[:-1], text[1:], text + "A", text + "=", text.swapcase(), text[::-1],
        text + "\x00", " " + text, text * 2, "A" * len(text), "*",
    ]  # fmt: skip


def with_each_letter_changed(text: str) -> list[str]:
    """One text per letter, with that letter changed."""
    return [
        text[:place] + ("A" if letter != "A" else "B") + text[place + 1 :]
        for place, letter in enumerate(text)
    ]
