"""Whatever a client changes at the callback, nobody is connected and no code is exchanged.

Each mutation has a flow of its own, which the mutation may burn; the last flow is let through, so
that the campaign is seen to measure something.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import msgspec

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_site import Site, description, sites
from igniter_connectors import SQLiteStore
from igniter_connectors.testing import ProviderScript, running_provider

ISSUER = "https://honest.example"
LEAST = 200


class Request(msgspec.Struct, frozen=True):
    """A callback as a client sends it. `query` is pairs, so that a name may come twice."""

    path: str
    query: tuple[tuple[str, str], ...]
    cookie: str | None
    session: str | None
    method: str = "GET"

    def with_query(self, **values: str | None) -> "Request":
        """With parameters changed, added, or (None) left out."""
        known = {**dict(self.query), **values}
        pairs = tuple((name, value) for name, value in known.items() if value is not None)
        return msgspec.structs.replace(self, query=pairs)


async def callback_mutations() -> Figure:
    """Counts the mutations that wrote a row or reached the token endpoint."""
    tried = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "connectors.db")
        async with (
            running_provider(ProviderScript(issuer=ISSUER)) as provider,
            sites(description(provider, issuer=ISSUER, sends_issuer=True), [store]) as (site,),
        ):
            count = len(list(mutations(await genuine(site))))
            for number in range(count):
                request = list(mutations(await genuine(site)))[number]
                await send(site, request)
                tried += 1
                rows = await store.count_by_connector()
                passed += bool(rows or provider.token_requests)
            await send(site, await genuine(site))
            is_real = (await store.count_by_connector()) == {"forge": 1}
            is_real = is_real and provider.token_requests == 1
    return Figure(
        "callback-mutations",
        f"{passed} of {tried} mutations connected or exchanged; unchanged it "
        + ("connects" if is_real else "DOES NOT CONNECT"),
        f"0 of at least {LEAST}",
        passed == 0 and tried >= LEAST and is_real,
    )


async def genuine(site: Site) -> Request:
    """The callback of a flow that has just come back."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as browser:
        callback = urlsplit(await site.begin(browser))
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    query = tuple((name, values[0]) for name, values in parse_qs(callback.query).items())
    return Request(callback.path, query, cookie, "acme/ada")


async def send(site: Site, request: Request) -> None:
    """Sends it, as any client could."""
    url = urlunsplit(urlsplit(site.origin)._replace(path=request.path))
    headers = {}
    if request.cookie is not None:
        headers["cookie"] = request.cookie
    if request.session is not None:
        headers["x-session"] = request.session
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        await client.request(request.method, f"{url}?{urlencode(request.query)}", headers=headers)


def mutations(real: Request) -> Iterator[Request]:
    """The callback with one thing changed, in every way that a client has."""
    change = msgspec.structs.replace
    query = dict(real.query)
    state, code = query["state"], query["code"]
    name, _, nonce = (real.cookie or "").partition("=")
    for other in [*with_each_letter_changed(state), *cut(state)]:
        yield real.with_query(state=other)
    for other in [*with_each_letter_changed(nonce), *cut(nonce)]:
        if other.isprintable():  # no client of HTTP sends anything else in a header
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
        "acme/*", "acme/ada/x", "acme/a", "/eve", "acme/%61da", "acme/ada,eve", "acme/root",
    ):  # fmt: skip
        if session != "acme/ada ":  # a header's outer spaces are not its value
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
    """A token in forms that it does not have."""
    return [
        "", text[:-1], text[1:], text + "A", text + "=", text.swapcase(), text[::-1],
        text + "\x00", " " + text, text * 2, "A" * len(text), "*",
    ]  # fmt: skip


def with_each_letter_changed(text: str) -> list[str]:
    """As many texts as it has letters."""
    return [
        text[:place] + ("A" if letter != "A" else "B") + text[place + 1 :]
        for place, letter in enumerate(text)
    ]
