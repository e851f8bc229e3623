"""What flows are given."""

from __future__ import annotations

import dataclasses

import pytest

from igniter_connectors import WrongWiring
from igniter_connectors.flows.engine import base_url_of
from tests.flows.forge import forge


def test_ids_and_signing_contexts_are_fresh() -> None:
    """128 bits each."""
    engine = forge().engine
    assert len({engine.new_id() for _ in range(9)}) == 9
    assert len(engine.new_id()) == 32
    one, two = engine.signing_context(), engine.signing_context()
    assert one != two
    assert one.now == two.now == engine.clock.now()


def test_a_flow_that_needs_a_base_url_says_so() -> None:
    """The message names the builder's method."""
    engine = forge().engine
    assert str(base_url_of(engine)) == "https://app.example"
    with pytest.raises(WrongWiring, match="with_base_url"):
        base_url_of(dataclasses.replace(engine, base_url=None))
