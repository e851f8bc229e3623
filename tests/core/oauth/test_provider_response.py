"""Error codes that may be shown."""

from __future__ import annotations

import pytest

from igniter_connectors.core.oauth.provider_response import (
    public_authorization_error,
    public_error_code,
)


@pytest.mark.parametrize("code", ["", "zqCanary", "5", "ACCESS_DENIED"])
def test_other_error_codes_become_other(code: str) -> None:
    """The provider's own text is not shown."""
    assert public_authorization_error((code,)) == "other"
    assert public_error_code((code,)) == "other"


def test_the_first_code_of_the_rfcs_is_shown() -> None:
    """Another code before it does not hide it. Without any code, it is `other`."""
    assert public_error_code(("400", "invalid_grant", "invalid_client")) == "invalid_grant"
    assert public_authorization_error(("5", "access_denied")) == "access_denied"
    assert public_error_code(()) == public_authorization_error(()) == "other"
