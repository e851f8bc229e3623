"""The schema that the migrations make, and what a database's schema lacks of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from igniter_connectors.adapters.postgres.connection import ServerConnection
from igniter_connectors.ports import StoreUnavailable

# PostgreSQL's categories of types (`pg_type.typcategory`). An administrator may choose another
# type of the same category, such as numeric in place of bigint.
_CATEGORIES: Final = {
    "text": "S",
    "bytea": "U",
    "bigint": "N",
    "integer": "N",
    "boolean": "B",
    "timestamptz": "D",
}
_TYPE: Final = rf"({'|'.join(_CATEGORIES)})(\[\])?"

_TABLE: Final = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \((.*)\)\s*$", re.DOTALL)
_COLUMN: Final = re.compile(rf"^\s*(\w+)\s+{_TYPE}(.*)$", re.MULTILINE)
_PRIMARY_KEY: Final = re.compile(r"PRIMARY KEY \(([^)]*)\)")
_ALTER: Final = re.compile(r"ALTER TABLE (\w+)\s+ADD COLUMN")
_ADDED: Final = re.compile(rf"ADD COLUMN (\w+)\s+{_TYPE}")
_INDEX: Final = re.compile(r"CREATE (UNIQUE )?INDEX (\w+)\s+ON (\w+) \(([^)]*)\)")
_DROPPED_TABLE: Final = re.compile(r"DROP TABLE (\w+)")
_DROPPED_INDEX: Final = re.compile(r"DROP INDEX (\w+)")

_COLUMNS_OF: Final = """
    SELECT t.name, c.relkind::text, a.attname::text, y.typcategory::text
    FROM unnest(%s::text[]) AS t (name)
    JOIN pg_class AS c ON c.oid = to_regclass(t.name)
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type AS y ON y.oid = a.atttypid
"""
_INDEXES_OF: Final = """
    SELECT t.name, i.indisunique, ARRAY(
        SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place)
    FROM unnest(%s::text[]) AS t (name)
    JOIN pg_index AS i ON i.indrelid = to_regclass(t.name) WHERE i.indisvalid
"""

# How many faults one line names.
_MAX_NAMED: Final = 3


class Index(NamedTuple):
    """An index by what it is for: a partitioned table's has another name."""

    table: str
    is_unique: bool
    columns: tuple[str, ...]


class Schema(NamedTuple):
    """Tables with the category of each column, and indexes by name."""

    tables: dict[str, dict[str, str]]
    indexes: dict[str, Index]


def schema_of(scripts: Iterable[str]) -> Schema:
    """The schema after these scripts of SQL, which are written as the migrations are."""
    tables: dict[str, dict[str, str]] = {}
    indexes: dict[str, Index] = {}
    text = re.sub("--.*", "", "".join(f"{script};" for script in scripts))
    for statement in text.split(";"):
        if made := _TABLE.search(statement):
            table, body = made.groups()
            columns = list(_COLUMN.finditer(body))
            tables[table] = {one[1]: _category(one) for one in columns}
            inline = ",".join(one[1] for one in columns if "PRIMARY KEY" in one[4])
            key = _PRIMARY_KEY.search(body)
            indexes[f"{table}_pkey"] = Index(table, True, _names(key[1] if key else inline))
        elif altered := _ALTER.search(statement):
            added = {one[1]: _category(one) for one in _ADDED.finditer(statement)}
            tables[altered[1]] |= added
        elif index := _INDEX.search(statement):
            indexes[index[2]] = Index(index[3], bool(index[1]), _names(index[4]))
        elif dropped := _DROPPED_INDEX.search(statement):
            del indexes[dropped[1]]
        elif gone := _DROPPED_TABLE.search(statement):
            del tables[gone[1]]
            indexes = {name: one for name, one in indexes.items() if one.table != gone[1]}
    return Schema(tables, indexes)


async def require_schema(connection: ServerConnection, expected: Schema) -> None:
    """Raises `StoreUnavailable` if the database lacks anything; names it in one line."""
    names = list(expected.tables)
    columns = await (await connection.execute(_COLUMNS_OF, (names,))).fetchall()
    indexes = await (await connection.execute(_INDEXES_OF, (names,))).fetchall()
    kinds = {table: kind for table, kind, _, _ in columns}
    stored = {(table, column): category for table, _, column, category in columns}
    faults: list[str] = []
    own: set[str] = set()
    for table, wanted in expected.tables.items():
        if table not in kinds:
            faults.append(f"the table {table} is missing")
        elif kinds[table] not in {"r", "p"}:
            faults.append(f"{table} is not a table")
        elif not any((table, column) in stored for column in wanted):
            faults.append(f"the table {table} is of another program")
        else:
            own.add(table)
            faults += _faulty_columns(table, wanted, stored)
    found = {Index(table, is_unique, tuple(names)) for table, is_unique, names in indexes}
    faults += [
        f"the index {name} is missing"
        for name, index in expected.indexes.items()
        if index.table in own and index not in found
    ]
    if faults:
        more = f", and {len(faults) - _MAX_NAMED} more" if len(faults) > _MAX_NAMED else ""
        named = ", ".join(faults[:_MAX_NAMED])
        raise StoreUnavailable(f"PostgreSQL: the schema is not this library's: {named}{more}")


def _faulty_columns(
    table: str, wanted: dict[str, str], stored: dict[tuple[str, str], str]
) -> Sequence[str]:
    found = {name: stored.get((table, name)) for name in wanted}
    return [
        f"the column {table}.{name} {'is missing' if found[name] is None else 'has another type'}"
        for name, category in wanted.items()
        if found[name] != category
    ]


def _category(column: re.Match[str]) -> str:
    return "A" if column[3] else _CATEGORIES[column[2]]


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(","))
