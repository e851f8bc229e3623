"""A tenant's connections over HTTP, with their secrets masked."""

from __future__ import annotations

import pytest

from tests.sample import CANARY
from tests.web.mail_site import GOOD, open_site


@pytest.mark.parametrize(
    ("app_path", "path"), [("", "/"), ("", "/integrations/v1"), ("/api", "/"), ("/api", "/v1")]
)
async def test_the_life_of_a_connection(app_path: str, path: str) -> None:
    """Catalogue, connect, read, change, call, disable, disconnect. No answer has the secret."""
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
    """The mask that a form sends back unchanged is not stored as the secret."""
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


async def test_a_tenant_has_several_accounts() -> None:
    """The query names the account."""
    async with open_site() as (browser, _):
        for account in ("work", "home"):
            await browser.put(f"connections/mail?account={account}", json=GOOD)
        page = (await browser.get("connections?limit=1")).json()
        assert page["items"][0]["account"] == "home"
        rest = (await browser.get(f"connections?limit=1&after={page['next']}")).json()
        assert (rest["items"][0]["account"], rest["next"]) == ("work", None)
        wrong = await browser.get("connections/mail?account=%00")
        assert (wrong.status_code, wrong.json()["code"]) == (400, "CONNECTOR_ACCOUNT_INVALID")


async def test_an_oauth_connector_answers_with_a_url() -> None:
    """202 and the URL of our own start route, for a browser of the same person."""
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
async def test_a_config_that_does_not_fit_is_refused_by_path(body: bytes, path: str) -> None:
    """422 with the path of the field and the rule, never with the value."""
    async with open_site() as (browser, _):
        answer = await browser.put(
            "connections/mail", content=body, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["path"]) == (422, path)
        assert CANARY not in answer.text


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
    """No session, another site, an unknown connector, an invalid account, no connection."""
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


async def test_the_size_of_a_page_is_a_number() -> None:
    """Any number gives a page. Anything else is a documented 400."""
    async with open_site() as (browser, _):
        for limit, status in (("-1", 200), ("0", 200), ("1001", 200), ("some", 400), ("", 400)):
            answer = await browser.get(f"connections?limit={limit}")
            assert answer.status_code == status, limit
