"""Error codes that may be shown."""

from __future__ import annotations

import pytest

from igniter_connectors.core.json_value import JsonValue
from igniter_connectors.core.oauth.provider_response import authorization_error


@pytest.mark.parametrize("error", [None, 5, {}, [], True, "zqCanary", "", "ACCESS_DENIED"])
def test_what_is_no_code_of_the_rfcs_is_other(error: JsonValue) -> None:
    """Whatever its type."""
    assert authorization_error(error) == "other"
