"""Statements that every push runs: compiled once, then handed to the driver as they are.

SQLAlchemy's way to the driver and back costs ten times what SQLite takes for the statement. Texts, types and
errors stay SQLAlchemy's own: only its machinery between a compiled statement and a row is passed by. Whoever
listens to an engine's statements still hears every one.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from sqlalchemy import Connection, Dialect, Executable

_Process = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as the driver takes it, and how values get into it and out of its rows."""

    text: str
    binds: tuple[tuple[str, _Process | None], ...]
    fixed: Mapping[str, Any]
    is_positional: bool
    converted: tuple[tuple[int, _Process], ...]
    make: Callable[[Sequence[Any]], Any]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """Return named values as the driver wants them."""
        known = {**self.fixed, **values} if self.fixed else values
        if self.is_positional:
            return tuple([known[name] if fit is None else fit(known[name]) for name, fit in self.binds])
        return {name: known[name] if fit is None else fit(known[name]) for name, fit in self.binds}

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """Return the driver's rows with Python's own values, by position and by name."""
        if self.converted and found:
            columns: list[Any] = list(zip(*found, strict=True))
            for place, convert in self.converted:
                columns[place] = map(convert, columns[place])
            return list(map(self.make, zip(*columns, strict=True)))
        return list(map(self.make, found))


def rows_of(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> list[Any]:
    """Return the rows of a statement that is built once for the whole process."""
    if _needs_sqlalchemy(connection):
        return list(connection.execute(statement, dict(values)).all())
    prepared = _prepared(connection.dialect, statement)
    parameters = prepared.parameters(values)
    try:
        found = _driver(connection).execute(prepared.text, parameters).fetchall()
    except Exception as error:  # noqa: BLE001 - told on as SQLAlchemy tells it
        fail(connection, error, prepared.text, parameters)
    return prepared.rows(found)


def write_rows(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a writing statement that is built once for the whole process, once for each of the rows."""
    if _needs_sqlalchemy(connection):
        connection.execute(statement, [dict(row) for row in rows])
        return
    prepared = _prepared(connection.dialect, statement)
    run_many(connection, prepared.text, list(map(prepared.parameters, rows)))


def run_many(connection: Connection, text: str, parameters: Sequence[Any]) -> None:
    """Run the driver's own statement for each of the parameters, which are not kept."""
    if _needs_sqlalchemy(connection):
        connection.exec_driver_sql(text, list(parameters))
        return
    try:
        cursor = _driver(connection).cursor()
        try:
            cursor.executemany(text, parameters)
        finally:
            cursor.close()
    except Exception as error:  # noqa: BLE001 - told on as SQLAlchemy tells it
        fail(connection, error, text, ())


def run_text(connection: Connection, text: str) -> None:
    """Run the driver's own statement, which has no parameters and returns nothing."""
    if is_watched(connection):
        connection.exec_driver_sql(text)
        return
    try:
        _driver(connection).execute(text)
    except Exception as error:  # noqa: BLE001 - told on as SQLAlchemy tells it
        fail(connection, error, text, ())


def is_watched(connection: Connection) -> bool:
    """Return whether somebody listens to the engine's statements."""
    return bool(connection.engine.dispatch.before_cursor_execute)


def _needs_sqlalchemy(connection: Connection) -> bool:
    # Outside a transaction SQLAlchemy begins one first; the driver would not.
    return is_watched(connection) or not connection.in_transaction()


def fail(connection: Connection, error: Exception, text: str, parameters: Any) -> NoReturn:
    """Raise what SQLAlchemy raises for an error of the driver, connections that are gone let go of."""
    if not isinstance(error, connection.dialect.loaded_dbapi.Error):
        raise error
    connection._handle_dbapi_exception(error, text, parameters, None, None)  # noqa: SLF001


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


@lru_cache(maxsize=1024)
def _prepared(dialect: Dialect, statement: Executable) -> _Prepared:
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    assert not compiled.post_compile_params, "its text would vary"
    assert not compiled.literal_execute_params, "its text would vary"
    names = compiled.positiontup if compiled.positional else list(compiled.binds)
    processors = compiled._bind_processors  # noqa: SLF001
    fixed = {
        name: bind.effective_value
        for name, bind in compiled.binds.items()
        if not bind.required and bind.effective_value is not None
    }
    columns = compiled._result_columns  # noqa: SLF001
    converted = []
    for place, column in enumerate(columns):
        convert = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if convert is not None:
            converted.append((place, convert))
    names_shown = [column.keyname for column in columns]
    row: Any = namedtuple("Row", names_shown, rename=True)  # type: ignore[misc]  # noqa: PYI024
    return _Prepared(
        text=str(compiled),
        binds=tuple((name, processors.get(name)) for name in names),
        fixed=fixed,
        is_positional=bool(compiled.positional),
        converted=tuple(converted),
        make=row._make,
    )
