"""Only `reveal()` shows a `Secret`."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igniter_connectors.core.secret import REDACTED, Secret, decode_secret, reveal_to_seal

CANARY = "canary-5f1d"
ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None))


class Holder(msgspec.Struct):
    secret: Secret


@given(ANY_TEXT)
def test_reveal_returns_the_string_itself(text: str) -> None:
    """`reveal` returns the given string, also with lone surrogates."""
    assert Secret(text).reveal() == text


def test_every_way_of_showing_is_redacted(caplog: pytest.LogCaptureFixture) -> None:
    """Neither repr, nor str, nor a struct around it, nor a log line shows the string."""
    secret = Secret(CANARY)
    with caplog.at_level(logging.INFO):
        logging.getLogger(__name__).info("%s %r", secret, Holder(secret))
    shown = [repr(secret), str(secret), repr([secret]), repr(Holder(secret)), caplog.text]
    assert all(CANARY not in text and REDACTED in text for text in shown)


def test_a_traceback_with_locals_does_not_show_it() -> None:
    """A crash report with local variables contains no secret."""
    secret = Secret(CANARY)
    try:
        raise RuntimeError("something else")
    except RuntimeError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown = "".join(report.format())
    assert REDACTED in shown
    assert secret.reveal() not in shown


@pytest.mark.parametrize("spec", ["", ">40", "s"])
def test_formatting_is_refused(spec: str) -> None:
    """A URL or header built with an f-string fails at once, instead of containing `Secret('…')`."""
    with pytest.raises(TypeError, match="not formatted") as caught:
        format(Secret(CANARY), spec)
    assert CANARY not in str(caught.value)


def test_formatting_its_repr_is_allowed() -> None:
    """`!r` asks for the redacted form."""
    assert f"{Secret(CANARY)!r}" == REDACTED


@pytest.mark.parametrize("value", [b"canary-5f1d", None, 5, ["canary-5f1d"]])
def test_only_a_string_makes_a_secret(value: object) -> None:
    """Any other type is refused when the Secret is made, and not quoted."""
    with pytest.raises(TypeError) as caught:
        Secret(value)  # type: ignore[arg-type]  # what an unchecked caller does
    assert CANARY not in str(caught.value)


@given(ANY_TEXT, ANY_TEXT)
def test_equality_and_hash_follow_the_string(left: str, right: str) -> None:
    """Two secrets are equal if and only if their strings are, and equal ones have the same hash."""
    assert (Secret(left) == Secret(right)) == (left == right)
    assert Secret(left) == Secret(left)
    assert hash(Secret(left)) == hash(Secret(left))


def test_a_secret_is_not_equal_to_its_string() -> None:
    """A secret never equals a plain string."""
    assert Secret(CANARY) != CANARY
    assert Secret(CANARY).__eq__(CANARY) is NotImplemented


def test_a_copy_is_the_same_object() -> None:
    """Copying a config does not copy the string in memory."""
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(protocol: int) -> None:
    """A queue or cache that pickles cannot store the string, not even inside a struct."""
    for value in (Secret(CANARY), Holder(Secret(CANARY))):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value, protocol)


def test_it_does_not_change() -> None:
    """No attribute can be set, added or deleted."""
    secret = Secret(CANARY)
    for name in ("_value", "other"):
        with pytest.raises(AttributeError):
            setattr(secret, name, "other")
        with pytest.raises(AttributeError):
            delattr(secret, name)
    assert not hasattr(secret, "__dict__")
    assert secret.reveal() == CANARY


def test_no_encoder_takes_it_unasked() -> None:
    """JSON and MessagePack fail on a secret without the hook."""
    for encode in (msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError) as caught:
            encode(Holder(Secret(CANARY)))
        assert CANARY not in str(caught.value)


def test_decode_secret_wraps_a_string() -> None:
    """A decoder makes a Secret of a field of that type."""
    assert decode_secret(Secret, CANARY) == Secret(CANARY)


def test_decode_secret_keeps_a_secret() -> None:
    """A value made in Python is accepted without being revealed."""
    secret = Secret(CANARY)
    assert decode_secret(Secret, secret) is secret


@pytest.mark.parametrize("value", [b"canary-5f1d", 5, None, ["canary-5f1d"]])
def test_decode_secret_refuses_what_is_no_string(value: object) -> None:
    """The error contains no part of the value."""
    with pytest.raises(TypeError, match=r"^a secret is a string$"):
        decode_secret(Secret, value)


def test_decode_secret_refuses_other_types() -> None:
    """An unknown type is a wiring error, not a secret."""
    with pytest.raises(NotImplementedError):
        decode_secret(complex, CANARY)


def test_reveal_to_seal_reveals_secrets_alone() -> None:
    """The encoder for envelopes reveals a secret and refuses every other unknown type."""
    assert reveal_to_seal(Secret(CANARY)) == CANARY
    with pytest.raises(NotImplementedError) as caught:
        reveal_to_seal(Exception(CANARY))
    assert CANARY not in str(caught.value)
