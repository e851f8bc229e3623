"""Hostile values for the tenant's part of a URL: no request goes to another host.

The library's own client sends over a transport that accepts every request and records it. Names are
resolved from a table, so that a name can have an internal address.
"""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import msgspec
from typing_extensions import TypeVar

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import ACME, KEYRING, Organization
from igniter_connectors import (
    AdoptedTokens,
    AtOAuth,
    Connector,
    ConnectorManager,
    HttpRequest,
    MemoryStore,
    OAuthProvider,
    Principal,
    Secret,
    problem_of,
    value_or_raise,
)
from igniter_connectors.adapters.httpx_client import HttpxClient
from igniter_connectors.providers import TenantClient

SUFFIX = ".desk.example"
LABELS = (
    "evil.example/", "evil.example#", "evil.example?", "evil.example\\", "evil.example:443/",
    "evil.example%2f", "evil.example%00", "a@evil.example/", "a:b@evil.example/",
    "evil.example/.", "//evil.example/", "/evil", "..", ".", "", "-", "a.b", "a..b", ".a", "a.",
    "a b", "a\tb", "a\nb", "a\r\nHost: evil.example", "a\x00b", "evil。example", "ｅvil", "ä",
    "a_b", "-a", "a-", "a" * 64, "{subdomain}", "{client_secret}", "%61", "[::1]", "a,b", "a;b",
    "*", "a'b", 'a"b', "xn--/x",
)  # fmt: skip
HOSTS = (
    "127.0.0.1", "localhost", "a.localhost", "169.254.169.254", "10.0.0.1", "[::1]", "0x7f.1",
    "2130706433", "internal.example", "linklocal.example", "mixed.example", "loopback6.example",
    "mapped.example", "nowhere.example", "evil.example:80", "evil.example/", "a@public.example",
)  # fmt: skip
"""Hosts that a tenant chooses: addresses, and names with internal addresses or none."""

RESOLVES = {
    "internal.example": ["10.1.2.3"],
    "linklocal.example": ["169.254.169.254"],
    "mixed.example": ["203.0.114.9", "192.168.0.1"],
    "loopback6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "public.example": ["203.0.114.9"],
}


C = TypeVar("C", bound=msgspec.Struct)


class Desk(msgspec.Struct, frozen=True):
    """Config with one label of the host."""

    subdomain: str


class OwnHost(msgspec.Struct, frozen=True):
    """Config with a whole host and the tenant's own client."""

    host: str
    client_id: str = "theirs"
    client_secret: Secret = Secret("their secret")


class Recording(httpx.AsyncBaseTransport):
    """Accepts every request, and records its host."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(request.url.host)
        return httpx.Response(
            201 if request.url.path == "/par" else 200,
            json={
                "sub": "ada",
                "access_token": "a",
                "request_uri": "urn:x",
                "device_code": "d",
                "user_code": "u",
                "verification_uri": "https://a.desk.example/device",
                "expires_in": 60,
            },
        )


async def resolve(host: str, _port: int) -> Sequence[str]:
    """The addresses in the table."""
    if host not in RESOLVES:
        raise OSError("no such name")
    return RESOLVES[host]


def described(host: str, **more: object) -> OAuthProvider:
    """A provider with every endpoint on one host."""
    names = {
        "authorization_url": "authorize",
        "token_url": "token",
        "userinfo_url": "me",
        "revocation_url": "revoke",
        "device_authorization_url": "device",
        "pushed_authorization_url": "par",
    }
    urls = {name: f"https://{host}/{path}" for name, path in names.items()}
    return OAuthProvider(**urls, **more)  # type: ignore[arg-type]  # by name


async def tenant_hosts() -> Figure:
    """Counts requests and redirects to a host that the template does not allow."""
    desk = (
        Connector.create("desk")
        .with_config(Desk)
        .with_oauth(
            described(f"{{subdomain}}{SUFFIX}", client_id="app", client_secret=Secret("ours"))
        )
        .build()
    )
    own = (
        Connector.create("own")
        .with_config(OwnHost)
        .with_oauth(
            described(
                "{host}",
                client_id="",
                tenant_client=TenantClient(id_field="client_id", secret_field="client_secret"),
            )
        )
        .build()
    )
    transport = Recording()
    http = HttpxClient(transport, logger=logging.getLogger("reliability"), resolve=resolve)
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url("https://app.example")
        .with_http(http)
        .add_scope(Organization)
        .add_connector(desk)
        .add_connector(own)
        .build()
    )
    leaked: list[str] = []

    async def through(at: AtOAuth[C, None], config: C) -> list[str]:
        """The hosts of every request and redirect that a tenant with this config can cause."""
        transport.hosts.clear()
        _ = await at.connect_as_client(config)
        _ = await at.disconnect()
        _ = await at.adopt(config, AdoptedTokens(access_token=Secret("theirs")))
        _ = await at.disconnect()
        _ = await at.authorize_device(config)
        begun = await at.authorize(config, subject="ada")
        if problem_of(begun) is None:
            started = await connectors.handle(
                HttpRequest("GET", value_or_raise(begun).url), principal=Principal(ACME, "ada")
            )
            location = started.header("location")
            return [*transport.hosts, *([urlsplit(location).hostname or ""] if location else [])]
        return list(transport.hosts)

    at_desk, at_own = connectors.scope(ACME).at(desk), connectors.scope(ACME).at(own)
    async with connectors:
        for label in LABELS:
            hosts = await through(at_desk, Desk(label))
            leaked += [f"{label!r} → {host}" for host in hosts if not host.endswith(SUFFIX)]
        for host in HOSTS:
            leaked += [f"{host!r} → {sent}" for sent in await through(at_own, OwnHost(host))]
        honest = {*await through(at_desk, Desk("acme"))} == {f"acme{SUFFIX}"}
        # The client connects to the address that was checked. The browser uses the name.
        by_name = {"public.example", *RESOLVES["public.example"]}
        honest &= {*await through(at_own, OwnHost("public.example"))} == by_name
    tried = len(LABELS) + len(HOSTS)
    return Figure(
        "tenant-hosts",
        f"{len(leaked)} left for another host in {tried} values {sorted(leaked)}; an honest one "
        + ("is used" if honest else "IS NOT USED"),
        "0 of at least 40",
        not leaked and honest and tried >= 40,
    )
