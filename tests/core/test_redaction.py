"""Secrets are removed from foreign text, in every form in which they can appear."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Struct

from igniter_connectors.core.redaction import redact, secrets_in
from igniter_connectors.core.secret import Secret

HIDDEN: Final = "[secret]"
LONGEST: Final = 500

FORMS: Final[dict[str, Callable[[str], str]]] = {
    "plain": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded in a path": quote,
    "percent-encoded in lower case": lambda text: in_lower_case(quote(text, safe="")),
    "in a query": quote_plus,
    "in a form": lambda text: urlencode({"x": text})[2:],
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON as other encoders write it": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in our own JSON": lambda text: msgspec.json.encode(text).decode()[1:-1],
    "in a repr": lambda text: repr(text)[1:-1],
    "in the repr of a longer text": lambda text: repr(f"""'"{text}""")[4:-1],
    "in the repr of bytes": lambda text: repr(text.encode())[2:-1],
    # Padding tells nothing.
    "in base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "in base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


def in_lower_case(quoted: str) -> str:
    """Percent-encoding with lower-case letters, as some write it (RFC 3986 section 2.1)."""
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


# Long enough to be no part of the marker or of the words around it.
SECRETS = st.text(st.characters(codec="utf-8"), min_size=8, max_size=60)


@pytest.mark.parametrize("form", FORMS)
@given(secret=SECRETS)
def test_no_form_of_a_secret_is_left(form: str, secret: str) -> None:
    """A secret is replaced in a header, a URL, JSON or a repr."""
    written = FORMS[form](secret)
    assume(written not in "before[secret]after")
    assert written not in redact(f"before {written} after", (Secret(secret),))


@given(SECRETS, SECRETS)
def test_each_of_several_secrets_is_replaced(one: str, other: str) -> None:
    """If one secret contains another, nothing of the longer one remains."""
    assume(one not in HIDDEN and other not in HIDDEN and one not in other)
    longer = f"{one}{other}"
    text = redact(f"<{longer}> <{one}>", (Secret(one), Secret(longer)))
    assert text == f"<{HIDDEN}> <{HIDDEN}>"


@given(st.text(max_size=LONGEST))
def test_text_without_secrets_is_left_alone(text: str) -> None:
    """Other text is not changed."""
    assert redact(text, ()) == text


def test_an_empty_secret_replaces_nothing() -> None:
    """An empty secret does not fill a log with markers."""
    assert redact("some text", (Secret(""),)) == "some text"


@pytest.mark.parametrize(
    ("length", "kept", "ends"),
    [(LONGEST - 1, LONGEST - 1, ""), (LONGEST, LONGEST, ""), (LONGEST + 1, LONGEST, "…")],
)
def test_long_text_is_cut(length: int, kept: int, ends: str) -> None:
    """500 characters are kept, and an ellipsis shows that there were more."""
    assert redact("x" * length, ()) == "x" * kept + ends


def test_cutting_comes_after_replacing() -> None:
    """A secret across the cut does not leave its first half behind."""
    secret = "canary-5f1d-canary"
    text = redact("x" * (LONGEST - 6) + secret, (Secret(secret),))
    assert "canary" not in text


def test_a_lone_surrogate_in_a_secret_is_no_failure() -> None:
    """A text that cannot be stored can still be redacted."""
    assert "\ud800canary" not in redact("a \ud800canary b", (Secret("\ud800canary"),))


# --- where the secrets are ------------------------------------------------------------------


class Inner(Struct):
    token: Secret


class Outer(Struct):
    key: Secret
    name: str
    rows: list[Inner]
    table: dict[str, Secret]
    keyed: dict[Secret, int]
    untyped: Any
    maybe: Secret | None = None


@given(st.lists(st.text(), min_size=5, max_size=5))
def test_secrets_are_found_wherever_they_lie(texts: list[str]) -> None:
    """Flat, nested, as a value, as a key or in an untyped field: every secret is found."""
    a, b, c, d, e = map(Secret, texts)
    config = Outer(a, "name", [Inner(b)], {"x": c}, {d: 1}, [e])
    assert sorted(secret.reveal() for secret in secrets_in(config)) == sorted(texts)


def test_plain_data_holds_none() -> None:
    """A config without secrets needs no redaction, and neither does None."""
    assert secrets_in({"a": [1, "b"]}) == ()
    assert secrets_in(None) == ()


def test_an_object_that_is_no_data_is_a_fault() -> None:
    """A value that cannot be searched for secrets raises."""
    with pytest.raises(NotImplementedError):
        secrets_in(Outer(Secret(""), "", [], {}, {}, complex(1)))
