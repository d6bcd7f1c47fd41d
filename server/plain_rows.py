"""Queries of texts and numbers that every sync runs: on SQLite read from the driver itself.

To find, to prepare and to wrap the result of a small statement takes SQLAlchemy ten times as long as
SQLite takes to answer it, and a pull is made of small statements (docs/performance.md, "First pull").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError


class PlainQuery:
    """A query whose columns the driver gives as they are; built once, run often."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Return the rows, as tuples in the order of the columns. Raises what SQLAlchemy would."""
        if connection.dialect.name != "sqlite" or not connection.in_transaction():
            # Outside a transaction SQLAlchemy would begin one first; the driver would not.
            return connection.execute(self._statement, values).all()
        text, binds = self._on_sqlite
        raw: Any = connection.connection.dbapi_connection
        parameters = [
            fixed if name not in values else values[name] if process is None else process(values[name])
            for name, process, fixed in binds
        ]
        driver: Any = connection.dialect.loaded_dbapi
        try:
            found: Sequence[Any] = raw.execute(text, parameters).fetchall()
        except driver.Error as error:
            raise DBAPIError.instance(
                text, (), error, driver.Error, hide_parameters=True, dialect=connection.dialect
            ) from error
        return found

    def rows_among(self, connection: Connection, keys: Iterable[str], **values: Any) -> Sequence[Any]:
        """Return the rows for the keys of `bulk_rows.among`; none, and no statement, for none."""
        wanted = sorted(set(keys))
        return self.rows(connection, keys=wanted, **values) if wanted else []

    @cached_property
    def _on_sqlite(self) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None, Any]]]:
        dialect = sqlite.dialect()
        for column in self._statement.selected_columns:
            process = column.type.dialect_impl(dialect).result_processor(dialect, None)
            assert process is None, f"{column.name} is not what the driver gives"
        compiled: Any = self._statement.compile(dialect=dialect)
        binds = []
        for name in compiled.positiontup:
            bound = compiled.binds[name]
            process = bound.type.dialect_impl(dialect).bind_processor(dialect)
            fixed = bound.value if process is None or bound.value is None else process(bound.value)
            binds.append((name, process, fixed))
        return str(compiled), binds
