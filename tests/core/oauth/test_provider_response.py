"""Error codes that may be shown."""

from __future__ import annotations

import pytest

from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.provider_response import (
    public_authorization_error,
    raw_error_code,
)

from .providers import answer


@pytest.mark.parametrize("error", [None, 5, {}, [], True, "zqCanary", "", "ACCESS_DENIED"])
def test_what_is_no_code_of_the_rfcs_is_other(error: JsonValue) -> None:
    """Whatever its type."""
    assert public_authorization_error(error) == "other"


def test_the_raw_error_code_is_the_providers_own() -> None:
    """To be compared with declared codes, from JSON and forms."""
    assert raw_error_code(answer({"error": "token_revoked"})) == "token_revoked"
    assert raw_error_code(answer(b"error=token_revoked", 400)) == "token_revoked"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":5}', b'{"error":{}}'])
def test_without_an_error_text_there_is_no_code(body: bytes) -> None:
    """Nothing that is no word is compared."""
    assert raw_error_code(answer(body, 400)) is None
