"""The user at a browser: signs in on the provider's development pages, and consents or not."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Literal, final
from urllib.parse import urljoin, urlsplit

import httpx
from typing_extensions import override

# Authorization, login, resume, consent, resume, callback: six steps when nothing is granted yet.
_MOST_STEPS = 12


class SignInError(RuntimeError):
    """The provider showed something other than its login and consent pages."""


def new_browser() -> httpx.Client:
    """A browser without cookies. Passed to two sign-ins, the second finds the first's session."""
    return httpx.Client(trust_env=False, timeout=10)


def sign_in_and_consent(
    authorization_url: str, *, login: str, browser: httpx.Client | None = None
) -> str:
    """The callback URL, with its code, that the provider sends the user back to.

    The callback is returned and not requested: that is the caller's part.

    Args:
        authorization_url: Where the application under test sends the user.
        login: Any name; it becomes the account's `sub`. Unused when the browser is signed in.
        browser: One that may hold a session; a fresh one when None.

    Raises:
        SignInError: such as for an unknown client or redirect URI, which gets no callback.
    """
    return _walk(authorization_url, login=login, browser=browser, decision="consent")


def sign_in_and_deny(
    authorization_url: str, *, login: str, browser: httpx.Client | None = None
) -> str:
    """The callback URL, with its error, after the user signed in and cancelled at the consent.

    Raises:
        SignInError: also when no consent was asked, because it had been given before.
    """
    return _walk(authorization_url, login=login, browser=browser, decision="deny")


def _walk(
    authorization_url: str,
    *,
    login: str,
    browser: httpx.Client | None,
    decision: Literal["consent", "deny"],
) -> str:
    if browser is None:
        with new_browser() as fresh:
            return _walk(authorization_url, login=login, browser=fresh, decision=decision)
    provider = urlsplit(authorization_url)[:2]
    denied = False
    response = browser.get(authorization_url, follow_redirects=False)
    for _ in range(_MOST_STEPS):
        if response.has_redirect_location:
            location = urljoin(str(response.url), response.headers["location"])
            # Leaving the provider is arriving at the callback, whichever URI was registered; a
            # pushed request does not show it in the authorization URL.
            if urlsplit(location)[:2] != provider:
                if decision == "deny" and not denied:
                    raise SignInError("there was no consent to deny: the provider did not ask")
                return location
            response = browser.get(location, follow_redirects=False)
            continue
        page = _Page(response)
        if page.prompt == "login":
            form = {"prompt": "login", "login": login, "password": "any"}
            response = browser.post(page.action, data=form, follow_redirects=False)
        elif page.prompt == "consent" and decision == "consent":
            form = {"prompt": "consent"}
            response = browser.post(page.action, data=form, follow_redirects=False)
        elif page.prompt == "consent":
            denied = True
            response = browser.get(page.cancel, follow_redirects=False)
        else:
            raise SignInError(f"{response.status_code} from the provider:\n{response.text}")
    raise SignInError(f"no callback after {_MOST_STEPS} steps")


@final
class _Page(HTMLParser):
    """Where the form of a development page leads, what it asks, and where its cancel link leads."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.action = ""
        self.prompt = ""
        self.cancel = ""
        self.feed(response.text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = of.get("action", "")
        elif tag == "input" and of.get("name") == "prompt":
            self.prompt = of.get("value", "")
        elif tag == "a" and of.get("href", "").endswith("/abort"):
            self.cancel = of["href"]
