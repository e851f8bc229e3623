"""The plugin's own routes: a tenant's connections over HTTP, secrets masked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from litestar import Litestar
from returns.result import Result, Success

from igniter_connectors import (
    ActionCall,
    ActionFailed,
    Connector,
    ConnectorManager,
    MemoryStore,
    OAuthProvider,
    Principal,
    Secret,
    WrongWiring,
    action,
    http_action,
)
from igniter_connectors.web import ConnectorsPlugin
from tests.sample import CANARY, KEYRING, Organization, bot, running_bot
from tests.web.documented import Documented
from tests.web.github import github, who_is_signed_in
from tests.web.served import bound_socket, port_of, served


class Mail(msgspec.Struct, frozen=True):
    """A config with an optional secret beside a required one."""

    key: Secret
    sender: str
    spare: Secret | None = None


class Send(msgspec.Struct, frozen=True):
    """The input."""

    to: str


class Card(msgspec.Struct, frozen=True):
    """What a catalogue shows."""

    name: str
    icon: str


@http_action("send", input=Send, output=dict[str, str])
async def send(call: ActionCall[Mail, object, Send]) -> Result[dict[str, str], ActionFailed]:
    """Open to the tenant's users."""
    if call.input.to == "nobody":
        return call.failed("no such person")
    return Success({"to": call.input.to, "from": call.config.sender})


@action("purge", input=Send, output=None)
async def purge(call: ActionCall[Mail, object, Send]) -> Result[None, ActionFailed]:
    """For the application's own code alone."""
    return Success(None)


mail = (
    Connector.create("mail")
    .with_config(Mail)
    .with_metadata(Card("Mail", "mail.svg"))
    .add_action(send)
    .add_action(purge)
    .build()
)
drive = github(
    OAuthProvider(
        authorization_url="https://drive.example/authorize",
        token_url="https://drive.example/token",
        client_id="app",
        client_secret=Secret(CANARY + "-client"),
    )
)


@asynccontextmanager
async def open_site(
    path: str = "/", *, app_path: str = ""
) -> AsyncGenerator[tuple[httpx.AsyncClient, str], None]:
    """A browser of acme's Ada on a page of our own site; each answer is as documented."""
    listener = bound_socket()
    origin = f"http://127.0.0.1:{port_of(listener)}"
    connectors = (
        ConnectorManager.create()
        .with_database(MemoryStore())
        .with_encryption(KEYRING)
        .with_base_url(origin + app_path + path)
        .add_scope(Organization)
        .add_connector(mail)
        .add_connector(drive)
        .build()
    )

    async def permit(principal: Principal, operation: str, connector: str) -> bool:
        return principal.subject != "intern" or operation == "read"

    plugin = ConnectorsPlugin(connectors, principal=who_is_signed_in, permit=permit, path=path)
    app = Litestar(path=app_path, plugins=[plugin], logging_config=None)
    headers = {"x-session": "acme/ada", "origin": origin}
    async with served(app, listener):
        hooks = {"response": [Documented(app).check]}
        async with httpx.AsyncClient(
            base_url=origin + app_path + path, headers=headers, event_hooks=hooks
        ) as browser:
            yield browser, origin


GOOD = {"key": CANARY, "sender": "a@b.example"}


@pytest.mark.parametrize(
    ("app_path", "path"), [("", "/"), ("", "/integrations/v1"), ("/api", "/"), ("/api", "/v1")]
)
async def test_a_tenants_whole_way(app_path: str, path: str) -> None:
    """Catalogue, connect, read, change, act, switch, disconnect; the secret never comes back."""
    async with open_site(path, app_path=app_path) as (browser, _):
        answers = [await browser.get("connectors")]
        catalogue = {one["key"]: one for one in answers[0].json()}
        assert catalogue["mail"]["metadata"] == {"name": "Mail", "icon": "mail.svg"}
        assert [field["kind"] for field in catalogue["mail"]["fields"]] == [
            "secret",
            "text",
            "secret",
        ]
        assert catalogue["mail"]["connected_accounts"] == []
        assert catalogue["github"]["has_oauth"]

        made = await browser.put("connections/mail", json=GOOD)
        assert made.status_code == 201, made.text
        assert made.json()["config"] == {"key": "••••••••", "sender": "a@b.example", "spare": None}
        assert (await browser.get("connectors/mail")).json()["connected_accounts"] == ["default"]
        again = await browser.put("connections/mail", json={**GOOD, "sender": "new@b.example"})
        assert (again.status_code, again.json()["version"]) == (200, 2)

        patched = await browser.patch("connections/mail", json={"sender": "c@d.example"})
        assert patched.json()["config"]["sender"] == "c@d.example"
        assert patched.json()["version"] == 3
        read = await browser.get("connections/mail")
        assert read.headers["cache-control"] == "no-store"
        listed = (await browser.get("connections")).json()
        assert [one["connector"] for one in listed["items"]] == ["mail"]

        sent = await browser.post("connections/mail/actions/send", json={"to": "eve"})
        assert sent.json() == {"to": "eve", "from": "c@d.example"}
        assert (await browser.post("connections/mail/disable")).status_code == 204
        off = await browser.post("connections/mail/actions/send", json={"to": "eve"})
        assert off.json()["code"] == "CONNECTOR_DISABLED"
        assert (await browser.post("connections/mail/enable")).status_code == 204
        assert (await browser.delete("connections/mail")).status_code == 204
        gone = await browser.get("connections/mail")
        assert (gone.status_code, gone.json()["code"]) == (404, "CONNECTOR_NOT_CONNECTED")
        for answer in (*answers, made, again, patched, read, sent):
            assert CANARY not in answer.text


async def test_patching_keeps_an_absent_secret_and_refuses_a_mask() -> None:
    """What a form sends back unchanged is not stored as the secret."""
    async with open_site() as (browser, _):
        await browser.put("connections/mail", json=GOOD)
        for body in ({"key": "••••••••"}, {"spare": "••••••••"}):
            masked = await browser.patch("connections/mail", json=body)
            assert (masked.status_code, masked.json()["code"]) == (422, "CONNECTOR_CONFIG_INVALID")
        masked = await browser.put("connections/mail", json={**GOOD, "key": "••••••••"})
        assert masked.json()["path"] == "$.key"
        cleared = await browser.patch("connections/mail", json={"spare": "s"})
        assert cleared.json()["config"]["spare"] == "••••••••"
        cleared = await browser.patch("connections/mail", json={"spare": None})
        assert cleared.json()["config"]["spare"] is None
        sent = await browser.post("connections/mail/actions/send", json={"to": "x"})
        assert sent.status_code == 200


async def test_accounts_stand_side_by_side() -> None:
    """Named in the query."""
    async with open_site() as (browser, _):
        for account in ("work", "home"):
            await browser.put(f"connections/mail?account={account}", json=GOOD)
        page = (await browser.get("connections?limit=1")).json()
        assert page["items"][0]["account"] == "home"
        rest = (await browser.get(f"connections?limit=1&after={page['next']}")).json()
        assert (rest["items"][0]["account"], rest["next"]) == ("work", None)
        wrong = await browser.get("connections/mail?account=%00")
        assert (wrong.status_code, wrong.json()["code"]) == (400, "CONNECTOR_ACCOUNT_INVALID")


async def test_an_oauth_connector_answers_with_where_to_go() -> None:
    """202 and our own start route, for a browser in which the same person is signed in."""
    async with open_site() as (browser, origin):
        answer = await browser.put("connections/github", json={"webhook_secret": CANARY})
        assert answer.status_code == 202
        url = answer.json()["authorization_url"]
        assert url.startswith(f"{origin}/connectors/github/oauth/start?ticket=")
        begun = await browser.get(url)
        assert begun.headers["location"].startswith("https://drive.example/authorize?")
        assert CANARY not in begun.headers["location"]
        other = await browser.put(
            "connections/github?return_to=//evil", json={"webhook_secret": CANARY}
        )
        assert other.json()["code"] == "CONNECTOR_RETURN_TO_INVALID"


async def test_nobody_and_strangers_are_refused() -> None:
    """Signed out, another site, a form, an unpermitted person, an unknown tenant."""
    async with open_site() as (browser, _):
        await browser.put("connections/mail", json=GOOD)
        out = await browser.get("connections", headers={"x-session": ""})
        assert (out.status_code, out.json()["code"]) == (401, "CONNECTOR_PRINCIPAL_REQUIRED")
        assert out.headers["content-type"] == "application/problem+json"
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"content-type": "text/plain"},
            {"content-type": "application/x-www-form-urlencoded"},
            {"x-session": "acme/intern"},
        ):
            refused = await browser.put("connections/mail", json=GOOD, headers=headers)
            assert refused.status_code == 403, headers
        assert (await browser.get("connections", headers={"x-session": "acme/intern"})).is_success
        rival = await browser.get("connections/mail", headers={"x-session": "rival/eve"})
        assert rival.json()["code"] == "CONNECTOR_NOT_CONNECTED"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{", "$"),
        (b'"x"', "$"),
        (b'{"key":"canary-7f3a-do-not-leak"}', "$.sender"),
        (b'{"key":7,"sender":"x"}', "$.key"),
        (b'{"key":"canary-7f3a-do-not-leak","sender":["canary-7f3a-do-not-leak"]}', "$.sender"),
    ],
)
async def test_a_config_that_does_not_fit_is_told_by_its_path(body: bytes, path: str) -> None:
    """422 with the path and the rule, never the value."""
    async with open_site() as (browser, _):
        answer = await browser.put(
            "connections/mail", content=body, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["path"]) == (422, path)
        assert CANARY not in answer.text


async def test_actions_over_http_are_those_marked_for_it() -> None:
    """Others are not there; bad input and failures are problems."""
    async with open_site() as (browser, _):
        await browser.put("connections/mail", json=GOOD)
        for name in ("purge", "nothing"):
            hidden = await browser.post(f"connections/mail/actions/{name}", json={"to": "x"})
            assert (hidden.status_code, hidden.json()["code"]) == (
                404,
                "CONNECTOR_ACTION_NOT_FOUND",
            )
        bad = await browser.post("connections/mail/actions/send", json={"to": 7})
        assert (bad.status_code, bad.json()["path"]) == (422, "$.to")
        failed = await browser.post("connections/mail/actions/send", json={"to": "nobody"})
        assert (failed.status_code, failed.json()["reason"]) == (502, "no such person")
        unknown = await browser.get("connections/nothing")
        assert unknown.json()["code"] == "CONNECTOR_NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/enable"),
        ("POST", "/disable"),
        ("POST", "/actions/send"),
    ],
)
async def test_each_operation_refuses_as_documented(method: str, path: str) -> None:
    """Nobody, another site, an unknown connector, an account that is none, one not connected."""
    is_safe = method == "GET"
    async with open_site() as (browser, _):
        for at, headers, status in (
            ("mail", {"x-session": ""}, 401),
            ("mail", {"origin": "https://evil.example"}, 404 if is_safe else 403),
            ("nothing", {}, 404),
            ("mail", {}, 422 if method == "PUT" else 404),
            ("mail?account=%00", {}, 400),
        ):
            key, _, query = at.partition("?")
            answer = await browser.request(
                method,
                f"connections/{key}{path}?{query}",
                headers=headers,
                json=None if is_safe else {"to": "eve"},
            )
            assert answer.status_code == status, at


async def test_a_body_has_an_end() -> None:
    """One over 1 MiB is refused by us, one over Litestar's own limit by Litestar: as documented."""
    async with open_site() as (browser, _):
        for size, status in ((1024 * 1024, 422), (1024 * 1024 + 1, 403), (10_000_001, 413)):
            answer = await browser.put(
                "connections/mail",
                content=b'"' + b"x" * (size - 2) + b'"',
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == status


async def test_a_page_has_a_number_for_its_size() -> None:
    """Any number gives a page, and no number is what Litestar refuses: as documented."""
    async with open_site() as (browser, _):
        for limit, status in (("-1", 200), ("0", 200), ("1001", 200), ("some", 400), ("", 400)):
            answer = await browser.get(f"connections?limit={limit}")
            assert answer.status_code == status, limit


@pytest.mark.parametrize("station", ["start", "callback"])
@pytest.mark.parametrize("key", ["nothing", "NO-KEY", "a.b", "mail"])
async def test_a_station_that_is_not_there_is_a_problem(key: str, station: str) -> None:
    """Of no connector, of what could be no connector's key, and of one without OAuth."""
    async with open_site() as (browser, _):
        answer = await browser.get(f"connectors/{key}/oauth/{station}")
        code = "CONNECTOR_OAUTH_NOT_CONFIGURED" if key == "mail" else "CONNECTOR_NOT_FOUND"
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_without_a_base_url_there_is_no_plugin() -> None:
    """Said when the application is put together."""
    async with running_bot() as connectors:
        with pytest.raises(WrongWiring, match="with_base_url"):
            ConnectorsPlugin(connectors)
    assert bot.key == "bot"


async def test_the_openapi_document_names_every_route() -> None:
    """The application's own document shows them."""
    async with open_site() as (browser, _):
        document = (await browser.get("schema/openapi.json")).json()
        assert {
            "/connectors",
            "/connectors/{key}",
            "/connections",
            "/connections/{key}",
            "/connections/{key}/enable",
            "/connections/{key}/actions/{name}",
            "/connectors/{key}/oauth/start",
        } <= set(document["paths"])
