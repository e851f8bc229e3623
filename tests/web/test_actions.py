"""Actions over HTTP."""

from __future__ import annotations

from tests.web.mail_site import GOOD, open_site


async def test_only_open_actions_are_called_over_http() -> None:
    """Other actions do not exist there. Bad input and failures are problems."""
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
