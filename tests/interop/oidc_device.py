"""A user at another device: types the code, confirms it, signs in, and consents or cancels."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urljoin

import httpx

from .oidc_browser import SignInError, new_browser

_MOST_STEPS = 14
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"')
_ACTION = re.compile(r'<form[^>]*action="([^"]+)"')


def enter_code(
    verification_uri: str,
    user_code: str,
    *,
    login: str,
    decision: Literal["consent", "deny"] = "consent",
) -> None:
    """Goes through all of the provider's pages. A user who denies does so on the first page.

    Raises:
        SignInError: the provider showed a page that is not one of its device pages.
    """
    with new_browser() as browser:
        response = browser.get(verification_uri)
        for _ in range(_MOST_STEPS):
            if response.has_redirect_location:
                response = browser.get(urljoin(str(response.url), response.headers["location"]))
                continue
            action = _ACTION.search(response.text)
            if response.status_code != 200:
                break
            if action is None:
                return
            form = dict(_HIDDEN.findall(response.text))
            if form.get("prompt") == "login":
                form |= {"login": login, "password": "any"}
            elif "prompt" not in form:
                form["user_code"] = user_code
            if decision == "deny":
                _ = _post(browser, response, action.group(1), {**form, "abort": "yes"})
                return
            response = _post(browser, response, action.group(1), form)
        raise SignInError(f"{response.status_code} from the provider:\n{response.text}")


def _post(
    browser: httpx.Client, page: httpx.Response, action: str, form: dict[str, str]
) -> httpx.Response:
    return browser.post(urljoin(str(page.url), action), data=form)
