"""A user at a browser: signs in on the provider's development pages, and consents or cancels."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Literal, final
from urllib.parse import urljoin, urlsplit

import httpx
from typing_extensions import override

# Authorization, login, resume, consent, resume, callback: six steps when nothing is granted yet.
_MOST_STEPS = 12


class SignInError(RuntimeError):
    """The provider showed a page that is neither its login nor its consent page."""


def new_browser() -> httpx.Client:
    """A browser without cookies. In a second sign-in it still has the first one's session."""
    return httpx.Client(trust_env=False, timeout=10)


def sign_in_and_consent(
    authorization_url: str, *, login: str, browser: httpx.Client | None = None
) -> str:
    """The callback URL, with its code, that the provider sends the user back to.

    The callback is returned, but not requested. That is up to the caller.

    Args:
        authorization_url: The URL to which the application redirects the user.
        login: Any name; it becomes the account's `sub`. Not used if the browser is signed in.
        browser: A browser that can have a session; None creates a new one.

    Raises:
        SignInError: for example an unknown client or redirect URI, which gets no callback.
    """
    return _walk(authorization_url, login=login, browser=browser, decision="consent")


def sign_in_and_deny(
    authorization_url: str, *, login: str, browser: httpx.Client | None = None
) -> str:
    """The callback URL with its error, after the user signs in and cancels the consent.

    Raises:
        SignInError: also if no consent page was shown, because the user had consented before.
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
            # The flow arrives at the callback when it leaves the provider, whatever the URI; a
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
    """A development page: its form's target and fields, and its cancel link."""

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
