"""Other members of a token response, typed: Salesforce's `instance_url`, Slack's `team`.

RFC 6749 section 5.1 lets a server add members. A provider declares which ones are kept.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from returns.pipeline import is_successful
from returns.result import Failure, Result

from igniter_connectors.core.connector.validation import (
    ValidationFault,
    decode_json,
    encode_json_to_seal,
    validate,
)
from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.secret import Secret

Extras = TypeVar("Extras", bound=msgspec.Struct)


def read_extras(
    answer: dict[str, JsonValue], kind: type[msgspec.Struct]
) -> Result[Secret, ValidationFault]:
    """The declared members of a token response as JSON, to be sealed with the tokens.

    Returns:
        The JSON, or the `ValidationFault` of a member that is missing or has another type.
    """
    fitting = validate(answer, kind)
    if not is_successful(fitting):
        return Failure(fitting.failure())
    return encode_json_to_seal(fitting.unwrap()).map(lambda raw: Secret(raw.decode()))


def decode_extras(extras: Secret, kind: type[Extras]) -> Result[Extras, ValidationFault]:
    """The extras that `read_extras` stored, as the provider's struct.

    Returns:
        The struct, or a `ValidationFault` if the type changed since the tokens were stored.
    """
    return decode_json(extras.reveal().encode(), kind)
