"""Many rows at once: one statement for any number of keys, and bulk writes in the driver's own terms.

Statements are built and compiled once. Where the two databases write rows differently, it stands here alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Self, TypeVar

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Dialect,
    Executable,
    FromClause,
    LargeBinary,
    Table,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

from server.prepared import fail, rows_of, run_many

# SQLite binds at most 32,766 variables; 500 keys a query keeps every statement far below.
QUERY_KEYS = 500
# Below this, what COPY spares a row is less than what it costs to start.
_COPIED_ROWS = 20


class _Keys(TypeDecorator[Sequence[Any]]):
    """Any number of keys as one bound value: an array, or on SQLite a JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, item: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        assert value is not None
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[bool]):
    """Whether a column is one of the bound keys."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        """Stay as written: SQLite looks at every row of the table where «= 1» is put behind a condition."""
        del against
        return self


@compiles(_Among, "sqlite")
def _among_on_sqlite(element: _Among, compiler: SQLCompiler, **_: Any) -> str:
    column, keys = element.clauses
    bound = compiler.process(keys)
    return f"{compiler.process(column)} IN (SELECT value FROM json_each({bound}))"  # noqa: S608 - of ours


@compiles(_Among, "postgresql")
def _among_on_postgresql(element: _Among, compiler: SQLCompiler, **_: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column)} = ANY ({compiler.process(keys)})"


def among(column: ColumnElement[Any], name: str = "keys") -> ColumnElement[bool]:
    """Return the condition that `column` is one of the keys bound to `name`.

    The statement is the same for any number of keys, so it is built and compiled once.
    """
    return _Among(column, bindparam(name, type_=_Keys(type(column.type))))


def rows_among(
    connection: Connection, statement: Executable, keys: Iterable[Any], **others: Any
) -> Sequence[Any]:
    """Return the rows of a statement over `among` for `keys`, which are sent sorted; none for none."""
    wanted = sorted(set(keys))
    return rows_of(connection, statement, {"keys": wanted, **others}) if wanted else []


def insert_rows(connection: Connection, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, which share their columns."""
    _write_rows(connection, "insert", table, rows, ())


def upsert(
    connection: Connection, table: FromClause, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert rows, or set the other columns where `key` is taken already. All rows share columns."""
    _write_rows(connection, "upsert", table, rows, tuple(key))


def insert_missing(
    connection: Connection, table: FromClause, rows: Sequence[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """Insert the rows whose `key` is not there yet."""
    _write_rows(connection, "insert_missing", table, rows, tuple(key))


def _write_rows(
    connection: Connection,
    action: str,
    table: FromClause,
    rows: Sequence[Mapping[str, Any]],
    key: tuple[str, ...],
) -> None:
    if not rows:
        return
    assert isinstance(table, Table)
    names = _filled(table, rows) if action == "insert" else tuple(rows[0])
    if action == "insert" and len(rows) >= _COPIED_ROWS and connection.dialect.name != "sqlite":
        _copy_rows(connection, table, names, rows)
        return
    written = _driver_statement(connection.dialect, action, table, names, key)
    run_many(connection, written.text, written.tuples(rows) if written.is_positional else rows)


def _filled(table: Table, rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the columns to name in an insert: none that is null in every row, and is so by itself.

    SQLite's driver takes longer over a null than over a text: it asks whether somebody adapts it.
    """
    emptiable = _emptiable(table)
    return tuple(
        name
        for name, first in rows[0].items()
        if first is not None
        or name not in emptiable
        or list(map(itemgetter(name), rows)).count(None) < len(rows)
    )


@cache
def _emptiable(table: Table) -> frozenset[str]:
    """Return the columns that are null where an insert does not name them."""
    return frozenset(
        column.name
        for column in table.c
        if column.nullable and column.default is None and column.server_default is None
    )


def _copy_rows(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows by PostgreSQL's COPY, in a quarter of the time that INSERT takes on both sides."""
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    text = f"COPY {quote(table.name)} ({', '.join(map(quote, names))}) FROM STDIN"
    driver: Any = dialect.loaded_dbapi
    raw: Any = connection.connection.dbapi_connection
    cursor = raw.cursor()
    try:
        with cursor.copy(text) as copy:
            for row in zip(*(map(itemgetter(name), rows) for name in names), strict=True):
                copy.write_row(row)
    except driver.Error as error:
        fail(connection, error, text, ())
    finally:
        cursor.close()


@cache
def _statement(dialect: str, action: str, table: Table, names: tuple[str, ...], key: tuple[str, ...]) -> Any:
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    fresh = {name: statement.excluded[name] for name in names if name not in key}
    # Of a row that is all key there is nothing to set.
    if action == "insert_missing" or (action == "upsert" and not fresh):
        return statement.on_conflict_do_nothing(index_elements=key)
    if action == "upsert":
        return statement.on_conflict_do_update(index_elements=key, set_=fresh)
    return statement


@dataclass(frozen=True, slots=True)
class _DriverStatement:
    """A statement as the driver takes it, and what makes a column's values ones that it knows."""

    text: str
    is_positional: bool
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def tuples(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Return the rows as the statement's parameters, column by column: no Python code a row."""
        columns: list[Iterable[Any]] = []
        for name, convert in self.columns:
            values = map(itemgetter(name), rows)
            columns.append(values if convert is None else map(convert, values))
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=1024)
def _driver_statement(
    dialect: Dialect, action: str, table: Table, names: tuple[str, ...], key: tuple[str, ...]
) -> _DriverStatement:
    compiled: Any = _statement(dialect.name, action, table, names, key).compile(
        dialect=dialect, column_keys=list(names)
    )
    assert not compiled.insert_prefetch, "a row names every column that has a default"
    columns = []
    for name in compiled.positiontup or ():
        kind = table.c[name].type
        convert = kind.dialect_impl(dialect).bind_processor(dialect)
        if isinstance(kind, LargeBinary):
            convert = None  # the driver takes bytes as they are
        elif isinstance(kind, Date) and convert is not None:
            convert = lru_cache(1024)(convert)  # a batch is of few days
        elif isinstance(kind, Boolean) and convert is not None and not table.c[name].nullable:
            convert = int
        columns.append((name, convert))
    return _DriverStatement(str(compiled), bool(compiled.positional), tuple(columns))


_T = TypeVar("_T")


def chunks(items: Iterable[_T], size: int = QUERY_KEYS) -> Iterator[list[_T]]:
    """Yield `items` in lists of at most `size`."""
    everything = list(items)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]
