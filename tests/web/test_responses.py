"""Answers of 400 name what is wrong, and never a value."""

from __future__ import annotations

import pytest

from tests.web.mail_site import GOOD, open_site

VALUE = "hunter2"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("connections?limit=hunter2", 400, "CONNECTOR_PARAMETER_INVALID"),
        ("connections?limit=1&limit=hunter2", 400, "CONNECTOR_PARAMETER_INVALID"),
        ("connections?limit=hunter2&after=hunter2", 400, "CONNECTOR_PARAMETER_INVALID"),
        ("connections/mail?account=hunter2%00", 400, "CONNECTOR_ACCOUNT_INVALID"),
        ("connectors/github/oauth/start?ticket=hunter2", 400, "CONNECTOR_OAUTH_STATE_INVALID"),
        ("connectors/github/oauth/callback?state=hunter2", 400, "CONNECTOR_OAUTH_STATE_INVALID"),
        ("connectors/github/oauth/callback?code=hunter2", 400, "CONNECTOR_OAUTH_STATE_INVALID"),
    ],
)
async def test_a_query_parameter_is_not_repeated(path: str, status: int, code: str) -> None:
    """Whatever its type, and whoever refuses it."""
    async with open_site() as (browser, _):
        answer = await browser.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert VALUE not in answer.text


async def test_the_parameter_is_named() -> None:
    """So that the caller knows which one to correct."""
    async with open_site() as (browser, _):
        answer = await browser.get("connections?limit=hunter2")
        assert answer.json()["parameter"] == "limit"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "connections/mail"),
        ("PATCH", "connections/mail"),
        ("POST", "connections/mail/actions/send"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [b"hunter2", b'"hunter2"', b'["hunter2"]', b'{"hunter2": 1', b'{"key": {"hunter2": 1}}', b""],
)
async def test_a_body_is_not_repeated(method: str, path: str, body: bytes) -> None:
    """Neither a value nor a name in it, if the body is not JSON or does not fit."""
    async with open_site() as (browser, _):
        await browser.put("connections/mail", json=GOOD)
        headers = {"content-type": "application/json"}
        answer = await browser.request(method, path, content=body, headers=headers)
        assert answer.status_code == 422
        assert VALUE not in answer.text


@pytest.mark.parametrize("path", ["connections/hunter2%00", "connections/mail/hunter2"])
async def test_a_path_is_repeated_in_no_400(path: str) -> None:
    """No path gives a 400: what names no connector or no route is a 404."""
    async with open_site() as (browser, _):
        answer = await browser.get(path)
        assert answer.status_code == 404
