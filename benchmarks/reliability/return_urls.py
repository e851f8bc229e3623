"""Values of `return_to` that lead to another site or are no valid path: all are refused."""

from benchmarks.reliability.figure import Figure
from benchmarks.reliability.oauth_app import ACME, KEYRING, Forge, Organization
from igniter_connectors import Connector, ConnectorManager, MemoryStore, OAuthProvider, problem_of
from igniter_connectors.problems import ReturnToInvalid

HOSTILE = (
    "//evil.example", "///evil.example", "////evil.example", "//evil.example/..",
    "//evil%2eexample", "//127.0.0.1", "//[::1]/", "//@evil.example", "//evil.example:443/",
    "/\\evil.example", "\\/evil.example", "\\\\evil.example", "/\\/evil.example",
    "/%5cevil.example", "/%5C/evil.example", "/%2fevil.example", "/%2F%2Fevil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/%09/evil.example",
    "/%0a/evil.example", "/%0d%0aLocation:%20https://evil.example", "/\x00/evil.example",
    " //evil.example", "\t//evil.example", "https://evil.example", "HTTPS://evil.example",
    "https:evil.example", "https:/evil.example", "https:\\\\evil.example",
    "http://app.example@evil.example", "https://app.example.evil.example/",
    "https://app.example/done/", "https://app.example/done?x=1", "https://APP.example/done",
    "javascript:alert(1)", "data:text/html,x", "evil.example", "..//evil.example",
    "?next=//evil.example", "/／evil.example", "／／evil.example", "/\u2028/evil.example",
)  # fmt: skip
"""Only `https://app.example/done` is allowed."""


async def return_urls() -> Figure:
    """Counts hostile values that a method accepts."""
    provider = OAuthProvider(
        authorization_url="https://forge.example/authorize",
        token_url="https://forge.example/token",
        client_id="app",
    )
    connector = Connector.create("forge").with_config(Forge).with_oauth(provider).build()
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url("https://app.example")
        .allow_return_to("https://app.example/done")
        .add_scope(Organization)
        .add_connector(connector)
        .build()
    )
    accepted, honest = [], 0
    async with connectors:
        at = connectors.scope(ACME).at(connector)
        ways = (
            at.authorize,
            at.authorize_replacing_account,
            at.authorize_with_cookie,
            at.authorize_without_browser_binding,
        )
        for way in ways:
            for place in HOSTILE:
                begun = await way(Forge(), subject="ada", return_to=place)
                if problem_of(begun) != ReturnToInvalid("forge"):
                    accepted.append(place)
            for place in ("", "/done?x=1#y", "https://app.example/done"):
                honest += problem_of(await way(Forge(), subject="ada", return_to=place)) is None
    return Figure(
        "return-urls",
        f"{len(accepted)} of {len(HOSTILE)} hostile ones accepted {sorted(set(accepted))}, "
        f"{honest} of {3 * len(ways)} honest ones",
        "0 of at least 40, all honest ones",
        not accepted and len(HOSTILE) >= 40 and honest == 3 * len(ways),
    )
