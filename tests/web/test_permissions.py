"""Who may use the routes."""

from __future__ import annotations

from tests.web.mail_site import GOOD, open_site


async def test_nobody_and_strangers_are_refused() -> None:
    """No session, another site, a form, a person without permission, another tenant."""
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
