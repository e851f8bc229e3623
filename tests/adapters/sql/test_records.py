"""Records become a statement's values, and rows become records again."""

from __future__ import annotations

from datetime import timedelta, timezone

import msgspec
import pytest
from msgspec.structs import replace

from igniter_connectors.adapters.sql import tables
from igniter_connectors.adapters.sql.database import RowUnreadable
from igniter_connectors.adapters.sql.dialect import columns
from igniter_connectors.adapters.sql.records import (
    connection_values,
    endpoint_values,
    revocation_values,
    to_connection,
    to_endpoint,
    to_revocation,
)
from igniter_connectors.core.oauth.revocation import revocation_of
from igniter_connectors.testing.contract_records import LATER, endpoint_of, grant_of, record_of

GRANTED = replace(record_of(), grant=grant_of(), next_attempt_at=LATER, lease_owner="o")


def test_a_connection_comes_back() -> None:
    """With and without a grant; instants in UTC, whatever the session's zone."""
    for record in (record_of(), GRANTED):
        row = tables.BodyRow(*[connection_values(record)[n] for n in columns(tables.BodyRow)])
        row.created_at = row.created_at.astimezone(timezone(timedelta(hours=5)))
        assert to_connection(record.key, row) == record
        assert to_connection(record.key, row).created_at.utcoffset() == timedelta(0)


def test_an_endpoint_and_a_revocation_come_back() -> None:
    """Each value is found by the name of its column."""
    endpoint = endpoint_of(GRANTED, b"t" * 32, valid_until=LATER, previous_until=LATER)
    values = endpoint_values(endpoint)
    assert to_endpoint(tables.EndpointRow(*[values[n] for n in columns(tables.EndpointRow)])) == (
        endpoint
    )
    assert GRANTED.grant is not None
    pending = replace(revocation_of(GRANTED, GRANTED.grant, id="r"), attempts=3)
    values = revocation_values(pending)
    row = tables.RevocationRow(*[values[n] for n in columns(tables.RevocationRow)])
    assert to_revocation(row) == pending


def test_every_value_is_a_column_s() -> None:
    """No record or struct is left among the values, which a driver could not store."""
    for values in (connection_values(record_of()), connection_values(GRANTED)):
        assert set(values) == set(columns(tables.ConnectionRow))
        assert not any(isinstance(value, msgspec.Struct) for value in values.values())


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "gone"), ("generation", None), ("sealed_tokens", None), ("refreshed_at", None)],
)
def test_a_row_of_another_schema_is_unreadable(column: str, value: object) -> None:
    """It is not taken for something that it is not."""
    values = {**connection_values(GRANTED), column: value}
    row = tables.BodyRow(*[values[name] for name in columns(tables.BodyRow)])
    with pytest.raises(RowUnreadable):
        to_connection(GRANTED.key, row)
