"""Events: stable names, and no field that could hold a secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from igniter_connectors.core import event as events
from igniter_connectors.core.event import ActionCompleted, Event

KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


def test_names_are_distinct() -> None:
    """A subscriber can tell every event from every other by its name."""
    names = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(names)) == len(names) > 15


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_events_hold_scalars_alone(kind: type[Event]) -> None:
    """No event has a field for a config, a payload, a body or an exception."""
    plain = (
        msgspec.inspect.StrType,
        msgspec.inspect.IntType,
        msgspec.inspect.BoolType,
        msgspec.inspect.DateTimeType,
        msgspec.inspect.TimeDeltaType,
        msgspec.inspect.NoneType,
    )
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        inner = field.type
        if isinstance(inner, msgspec.inspect.UnionType):
            assert all(isinstance(member, plain) for member in inner.types)
        elif isinstance(inner, msgspec.inspect.VarTupleType):
            assert isinstance(inner.item_type, msgspec.inspect.StrType)
        else:
            assert isinstance(inner, plain), field.name


def test_the_name_is_the_type_in_json() -> None:
    """The name that a subscriber matches in Python is the name in a log line."""
    event = ActionCompleted(
        at=datetime(2026, 11, 1, tzinfo=UTC),
        connector="telegram",
        action="send",
        duration=timedelta(seconds=1),
    )
    assert event.name == "action.completed"
    assert msgspec.to_builtins(event)["type"] == "action.completed"
    assert (event.scope, event.identity, event.account) == ("", "", "")
