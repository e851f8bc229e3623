"""Loading the application's manager by its name."""

from __future__ import annotations

import pytest

from igniter_connectors.cli.application import load_application
from igniter_connectors.core.problem import WrongWiring


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must have the form"),
        ("tests.sample", "must have the form"),
        (":connectors", "must have the form"),
        ("tests.sample:", "must have the form"),
        ("tests.cli.nowhere:connectors", "no module 'tests.cli.nowhere'"),
        ("tests.sample:no_such_name", "is not a built manager"),
        ("tests.sample:bot", "is not a built manager"),
    ],
)
def test_a_name_that_is_no_manager_is_wrong_wiring(name: str, message: str) -> None:
    """The message says what is wrong with the name."""
    with pytest.raises(WrongWiring, match=message):
        load_application(name)
