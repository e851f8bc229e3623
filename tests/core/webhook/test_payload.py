"""Payloads: a verified body, decoded into the payload type."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from typing_extensions import TypeForm

from igniter_connectors.core.connector.validation import (
    JSON_ERRORS,
    ValidationFault,
    json_fault,
)
from igniter_connectors.core.secret import Secret
from igniter_connectors.core.webhook.payload import payload_reader
from igniter_connectors.core.webhook.presets import GITHUB, TWILIO
from igniter_connectors.core.webhook.schemes import BodyFormat
from igniter_connectors.core.webhook.webhook import Webhook

from .test_webhook import Payload, receive


class Message(msgspec.Struct, frozen=True):
    Body: str
    NumMedia: int = 0
    Sent: bool = False
    Media: list[str] = []
    Token: Secret | None = None


class Paid(msgspec.Struct, frozen=True, tag_field="type", tag="paid"):
    amount: int


class Left(msgspec.Struct, frozen=True, tag_field="type", tag="left"):
    reason: str


def read(body: bytes, kind: TypeForm[object], body_format: BodyFormat = "json") -> object:
    return payload_reader(kind, body_format)(body)


def test_json_is_decoded_and_checked() -> None:
    """Unions by their tag, and secrets as `Secret`."""
    assert read(b'{"type":"paid","amount":1}', Paid | Left) == Paid(1)
    assert read(b'{"type":"left","reason":"x"}', Paid | Left) == Left("x")
    assert read(b'{"Body":"a","Token":"t"}', Message) == Message("a", Token=Secret("t"))
    assert read(b'{"a":1}', dict[str, int]) == {"a": 1}


def test_a_form_is_decoded_as_an_object_of_strings() -> None:
    """Numbers and booleans are parsed if the type has them."""
    body = b"Body=a+b&NumMedia=2&Sent=true&Media=x&Media=y&Token=t"
    expected = Message("a b", 2, True, ["x", "y"], Secret("t"))
    assert read(body, Message, "form") == expected
    assert read(b"a=1&b=2&a=3", dict[str, str | list[str]], "form") == {"a": ["1", "3"], "b": "2"}
    assert read(b"", dict[str, str], "form") == {}


@pytest.mark.parametrize(
    ("body", "body_format", "fault"),
    [
        (b"{", "json", ValidationFault("$", "is not JSON")),
        (b"{}", "json", ValidationFault("$.Body", "is required")),
        (b'{"Body":7}', "json", ValidationFault("$.Body", "expected `str`, got `int`")),
        (b"Body=%zz", "form", ValidationFault("$", "expected `object`")),
        (b"NumMedia=1", "form", ValidationFault("$.Body", "is required")),
        (b"Body=a&NumMedia=x", "form", ValidationFault("$.NumMedia", "expected `int`, got `str`")),
        (b"Body=a&Body=b", "form", ValidationFault("$.Body", "expected `str`, got `array`")),
    ],
)
def test_what_does_not_fit_names_the_path(
    body: bytes, body_format: Literal["json", "form"], fault: ValidationFault
) -> None:
    """It raises one of `JSON_ERRORS`."""
    with pytest.raises(JSON_ERRORS) as raised:
        _ = read(body, Message, body_format)
    assert json_fault(raised.value, Message) == fault


def test_a_webhook_makes_its_decoder_once() -> None:
    """And decodes the format that its scheme verifies."""
    webhook = Webhook(payload=Payload, verification=GITHUB, handler=receive)
    assert webhook.reader is webhook.reader
    assert webhook.reader.read(b'{"text":"a"}') == Payload("a")
    form = Webhook(payload=Payload, verification=TWILIO, handler=receive)
    assert form.reader.read(b"text=a") == Payload("a")
