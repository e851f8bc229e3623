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
def test_loopback_means_this_machine_alone(host: str, loopback: bool) -> None:
    """One address beside the block is not loopback, nor a name that only looks like it."""
    assert is_loopback(host) is loopback


def test_there_are_at_least_forty_hostile_return_urls() -> None:
    """The list does not shrink unseen."""
    assert sum(len(urls) for urls in RETURN_URLS.hostile.values()) >= 40


@pytest.mark.parametrize(
    "url", [url for urls in RETURN_URLS.hostile.values() for url in urls], ids=ascii
)
def test_no_hostile_return_url_is_taken(url: str) -> None:
    """The callback is no open redirect, however a browser or a proxy reads the place."""
    assert not is_safe_return_path(url)


@pytest.mark.parametrize("url", RETURN_URLS.harmless)
def test_paths_of_ones_own_site_are_taken(url: str) -> None:
    """Paths, queries, fragments and encoded characters are no reason to refuse."""
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
def test_what_is_taken_stays_on_the_site(text: str) -> None:
    """Whatever is accepted is one's own, as it stands and decoded once."""
    if is_safe_return_path(text):
        assert not leaves_the_site(text)
        assert not leaves_the_site(unquote(text))
        assert text.isascii()
        assert text.isprintable()
