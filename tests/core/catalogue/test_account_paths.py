"""Where the user info has the account, on the documented responses."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.pipeline import is_successful

from igniter_connectors.core.catalogue.account_paths import AccountPaths
from igniter_connectors.core.catalogue.listing import find_provider, known_providers
from igniter_connectors.core.connection.view import UpstreamAccount
from igniter_connectors.core.oauth.userinfo import judge_userinfo
from igniter_connectors.core.secret import Secret
from tests.core.oauth.providers import answer

ANSWERS: Final[list[tuple[str, dict[str, Any], UpstreamAccount]]] = [
    ("google", {"sub": "1", "name": "Ada", "email": "a@x.example"},
     UpstreamAccount("1", "Ada", "a@x.example")),
    ("github", {"id": 1, "login": "ada", "email": None},
     UpstreamAccount("1", "ada")),
    ("asana", {"data": {"gid": "4673218951", "name": "Greg Sanchez", "email": "g@x.example"}},
     UpstreamAccount("4673218951", "Greg Sanchez", "g@x.example")),
    ("airtable", {"id": "usr1", "email": "a@x.example"},
     UpstreamAccount("usr1", "", "a@x.example")),
    ("canva", {"team_user": {"user_id": "u", "team_id": "t"}}, UpstreamAccount("u")),
]  # fmt: skip

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
)


@pytest.mark.parametrize(("key", "body", "account"), ANSWERS)
def test_the_account_is_where_the_catalogue_says(
    key: str, body: dict[str, Any], account: UpstreamAccount
) -> None:
    """Read by the function that a callback uses."""
    provider = find_provider(key).unwrap().provider(client_id="c", client_secret=Secret("s"))
    assert judge_userinfo(answer(body), provider, connector="c").unwrap() == account


@pytest.mark.parametrize(
    "body", [{}, {"data": None}, {"data": []}, {"data": {}}, {"data": {"gid": True}}, {"gid": "1"}]
)
def test_an_account_without_a_subject_is_a_problem(body: dict[str, Any]) -> None:
    """It never becomes an account without an id."""
    provider = find_provider("asana").unwrap().provider(client_id="c", client_secret=Secret("s"))
    assert not is_successful(judge_userinfo(answer(body), provider, connector="c"))


@given(st.dictionaries(st.sampled_from("abc"), JSON))
def test_reading_never_raises(body: dict[str, Any]) -> None:
    """Whatever a provider sends, each field is text."""
    account = AccountPaths("a.b", "a", "b.c.a").read(body)
    assert all(isinstance(field, str) for field in msgspec.structs.astuple(account))


@given(st.text(min_size=1) | st.integers())
def test_the_value_at_the_path_is_read(subject: str | int) -> None:
    """Strings and numbers, as text."""
    assert AccountPaths("a.b").read({"a": {"b": subject}}) == UpstreamAccount(str(subject))


def test_every_account_has_a_subject() -> None:
    """Each path of the catalogue finds the value that the test puts there."""
    for known in known_providers():
        if known.account is None:
            continue
        body: Any = "subject"
        for name in reversed(known.account.subject.split(".")):
            body = {name: body}
        assert known.account.read(body).subject == "subject", known.key
