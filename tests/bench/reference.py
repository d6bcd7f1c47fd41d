"""The bare limit of this machine: the rows that a push left, replayed by executemany.

The same tables, indexes, PRAGMAs and number of commits, and nothing else: no HTTP, no rules, no
hashing, no encryption. Rows that pushes update in place (heads, installations) are replayed once.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def rows_by_table(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    connection = _connect(path)
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    connection.close()
    return found


def replay_seconds(
    schema_of: Path, before: dict[str, list[tuple[object, ...]]], copy: Path, commits: int
) -> tuple[float, int]:
    """Return how long inserting the rows that came after `before` takes, and how many they are."""
    source = _connect(schema_of)
    schema = [
        sql
        for (sql,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC")
    ]
    source.close()
    target = _connect(copy)
    for statement in schema:
        target.execute(statement)
    fresh = {}
    for name, rows in rows_by_table(schema_of).items():
        known = set(before.get(name, ()))
        fresh[name] = [row for row in rows if row not in known]
    old = {name: rows for name, rows in before.items() if rows}
    target.execute("BEGIN IMMEDIATE")
    for name, rows in old.items():
        changed_keys = {row[:1] for row in fresh[name]}
        kept = [row for row in rows if row[:1] not in changed_keys]
        if kept:
            target.executemany(_insert(name, len(kept[0])), kept)
    target.execute("COMMIT")
    started = time.perf_counter()
    for number in range(commits):
        target.execute("BEGIN IMMEDIATE")
        for name, rows in fresh.items():
            part = rows[number * len(rows) // commits : (number + 1) * len(rows) // commits]
            if part:
                target.executemany(_insert(name, len(part[0])), part)
        target.execute("COMMIT")
    seconds = time.perf_counter() - started
    target.close()
    return seconds, sum(map(len, fresh.values()))


def _insert(name: str, columns: int) -> str:
    return f'INSERT OR REPLACE INTO "{name}" VALUES ({",".join("?" * columns)})'


def read_seconds(path: Path, scope: str, page_rows: int) -> tuple[float, int]:
    """Return how long reading a scope's stored JSON page by page takes, and how many rows it has."""
    connection = _connect(path)
    started, after, count = time.perf_counter(), 0, 0
    while True:
        rows = connection.execute(
            "SELECT feed.seq, record.wire_json FROM feed JOIN record USING (record_type, record_id)"
            " WHERE feed.scope = ? AND feed.seq > ? ORDER BY feed.seq LIMIT ?",
            (scope, after, page_rows),
        ).fetchall()
        if not rows:
            break
        ",".join(row[1] for row in rows if row[1] is not None)
        after, count = rows[-1][0], count + len(rows)
    seconds = time.perf_counter() - started
    connection.close()
    return seconds, count
