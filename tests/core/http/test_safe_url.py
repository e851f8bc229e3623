"""Loopback hosts, and return paths that stay on our site."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.http.safe_url import is_loopback, is_safe_return_path
from tests.core.vector_files import vectors


class ReturnUrls(msgspec.Struct):
    hostile: dict[str, list[str]]
    harmless: list[str]


RETURN_URLS = vectors("hostile_return_urls.json", ReturnUrls)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.0", True),
        ("127.255.255.255", True),
        ("126.255.255.255", False),
        ("128.0.0.0", False),
        ("::1", True),
        ("::2", False),
        ("0.0.0.0", False),
        ("127.1", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_loopback_hosts(host: str, loopback: bool) -> None:
    """The addresses beside the block are not loopback, nor is a name that only looks like it."""
    assert is_loopback(host) is loopback


def test_there_are_at_least_forty_hostile_return_urls() -> None:
    """So that nobody shortens the list without notice."""
    assert sum(len(urls) for urls in RETURN_URLS.hostile.values()) >= 40


@pytest.mark.parametrize(
    "url", [url for urls in RETURN_URLS.hostile.values() for url in urls], ids=ascii
)
def test_hostile_return_urls_are_refused(url: str) -> None:
    """The callback is not an open redirect, whatever a browser or a proxy makes of the URL."""
    assert not is_safe_return_path(url)


@pytest.mark.parametrize("url", RETURN_URLS.harmless)
def test_paths_on_our_site_are_accepted(url: str) -> None:
    """Queries, fragments and encoded characters are allowed."""
    assert is_safe_return_path(url)


# A path-absolute URL as browsers read it: tabs and line ends are dropped, backslashes are
# slashes, and one slash alone begins it.
def leaves_the_site(text: str) -> bool:
    read = text.strip("".join(map(chr, range(33))))
    read = "".join(character for character in read if character not in "\t\n\r")
    return not read.replace("\\", "/").startswith("/") or read.replace("\\", "/")[1:2] == "/"


@given(
    st.text(st.sampled_from("/\\%25cCfF09aA dD.\t\n\r@:?#eé\u2028"), max_size=12)
    | st.text().map("/".__add__)
)
def test_an_accepted_url_stays_on_the_site(text: str) -> None:
    """As it is, and after it is decoded once."""
    if is_safe_return_path(text):
        assert not leaves_the_site(text)
        assert not leaves_the_site(unquote(text))
        assert text.isascii()
        assert text.isprintable()
