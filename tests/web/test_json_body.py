"""Limits of a request's body."""

from __future__ import annotations

from tests.web.mail_site import open_site


async def test_a_body_has_a_maximum_size() -> None:
    """Over 1 MiB our route refuses it, and Litestar over its own limit: both as documented."""
    async with open_site() as (browser, _):
        for size, status in ((1024 * 1024, 422), (1024 * 1024 + 1, 403), (10_000_001, 413)):
            answer = await browser.put(
                "connections/mail",
                content=b'"' + b"x" * (size - 2) + b'"',
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == status
