"""Daily roots of the funds' ledger: chained over every line, signed, and kept in a file outside the database.

Whoever changed an old line in the database would have to change the roots after it, could not sign them,
and would still find the true ones in the desk journal's file and wherever the public copied them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from schemas.signatures import LEDGER_ROOT_CONTEXT, PublicKey, sign_statement, statement_content
from server.audit.changes import Actor, Change, run_change
from server.audit.desk_journal import DeskLine
from server.audit.queries import current_epoch, is_recovering
from server.money.views import PostedLine, PostedSpan, fund_lines_in_order
from server.public_ledger.models import LedgerRoot
from server.quotas.periods import period_end_ms
from server.runtime import Runtime
from sync.clock import local_day

LEDGER_ROOT = "ledger_root"
# What the first root of an epoch goes on from.
GENESIS = hashlib.sha256(LEDGER_ROOT_CONTEXT).hexdigest()
_COLUMN = LedgerRoot.__table__.c


@dataclass(frozen=True, slots=True)
class Root:
    """One day's root. `line_count` is of that day; `statement` is {text, kid, signature} as it was signed."""

    epoch: int
    number: int
    day: date
    line_count: int
    root: str
    statement: dict[str, str]


def canonical_bytes(line: PostedLine) -> bytes:
    """Return the bytes of a line that roots chain: a JSON array of all that it says, and a line feed."""
    values = [getattr(line, name) for name in PostedLine.__dataclass_fields__]
    texts = [value.isoformat() if isinstance(value, date) else value for value in values]
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def known_roots(connection: Connection) -> list[Root]:
    """Return the roots that the database has, in order."""
    rows = connection.execute(select(LedgerRoot.__table__).order_by(_COLUMN.epoch, _COLUMN.number))
    return [
        Root(
            row.epoch,
            row.number,
            row.day,
            row.line_count,
            row.root,
            {"text": row.statement, "kid": row.kid, "signature": row.signature},
        )
        for row in rows
    ]


def latest_root(connection: Connection) -> Root | None:
    """Return the newest root."""
    found = known_roots(connection)
    return found[-1] if found else None


def seal_days(runtime: Runtime) -> int:
    """Sign a root for every day that is over, has lines and no root; return how many.

    None while the office recovers: what comes back then bears old times.
    """
    now_ms, zone = runtime.clock.now_ms(), runtime.config.time_zone
    today_ms = period_end_ms(local_day(now_ms, zone) - timedelta(days=1), zone)

    def work(change: Change) -> int:
        connection = change.connection
        if is_recovering(connection):
            change.audit("ledger_roots_left", "office")
            return 0
        roots, epoch = known_roots(connection), current_epoch(connection)
        last = roots[-1] if roots else None
        chained = last if last is not None and last.epoch == epoch else None
        since_ms = None if chained is None else period_end_ms(chained.day, zone)
        days = _days(fund_lines_in_order(connection, PostedSpan(since_ms, today_ms)), zone)
        number, root = (0, GENESIS) if chained is None else (chained.number, chained.root)
        count = 0
        for day, lines, digest in _chained(days, root):
            number, root, count = number + 1, digest, count + 1
            content = {
                "at_ms": now_ms,
                "day": day.isoformat(),
                "epoch": epoch,
                "lines": lines,
                "number": number,
                "previous": _named(last),
                "root": root,
            }
            statement = sign_statement(runtime.config.office_key, LEDGER_ROOT_CONTEXT, content)
            change.desk(LEDGER_ROOT, statement=statement)
            recall_root(change, statement, now_ms)
            last = root_of(statement)
        change.audit("ledger_roots_signed", "office", roots=count)
        return count

    return run_change(runtime.transactions, Actor("job:seal_days_nightly"), now_ms, work)


def _days(lines: Iterable[PostedLine], zone: ZoneInfo) -> Iterable[tuple[date, Iterable[bytes]]]:
    """Yield each day of posting with the bytes of its lines."""
    day, gathered = None, list[bytes]()
    for line in lines:
        posted_on = local_day(line.posted_ms, zone)
        if day is not None and posted_on != day:
            yield day, gathered
            gathered = []
        day = posted_on
        gathered.append(canonical_bytes(line))
    if day is not None:
        yield day, gathered


def _chained(days: Iterable[tuple[date, Iterable[bytes]]], root: str) -> Iterable[tuple[date, int, str]]:
    for day, lines in days:
        count, root = _root_after(root, lines)
        yield day, count, root


def _root_after(root: str, lines: Iterable[bytes]) -> tuple[int, str]:
    digest, count = hashlib.sha256(root.encode() + b"\n"), 0
    for line in lines:
        digest.update(line)
        count += 1
    return count, digest.hexdigest()


def _named(root: Root | None) -> dict[str, Any] | None:
    return None if root is None else {"epoch": root.epoch, "number": root.number, "root": root.root}


def root_of(statement: dict[str, str]) -> Root:
    """Return what a statement says, without asking who signed it."""
    content = json.loads(statement["text"])
    return Root(
        content["epoch"],
        content["number"],
        date.fromisoformat(content["day"]),
        content["lines"],
        content["root"],
        {name: statement[name] for name in ("text", "kid", "signature")},
    )


def recall_root(change: Change, statement: dict[str, str], at_ms: int) -> None:
    """Keep a root: what was just signed, or what a restore finds in the desk journal."""
    root = root_of(statement)
    change.delete(LedgerRoot.__table__, {"epoch": root.epoch, "number": root.number})
    change.insert(
        LedgerRoot.__table__,
        epoch=root.epoch,
        number=root.number,
        day=root.day,
        line_count=root.line_count,
        root=root.root,
        statement=statement["text"],
        kid=statement["kid"],
        signature=statement["signature"],
        at_ms=at_ms,
    )


def root_findings(
    connection: Connection, office_key: PublicKey, filed: Sequence[DeskLine] | None, zone: ZoneInfo
) -> list[str]:
    """Return what does not match, the first day first; nothing where all is as it was signed.

    `filed` are the records of the desk journal's file, which is believed rather than the table; None
    where there is no file.
    """
    kept, findings = known_roots(connection), list[str]()
    signed = kept
    if filed is not None:
        records = [line for line in filed if line.kind == LEDGER_ROOT]
        signed = [root_of(line.members["statement"]) for line in records]
        findings += _differing(kept, signed)
    for place, root in enumerate(signed):
        before = signed[place - 1] if place else None
        content = statement_content(office_key, LEDGER_ROOT_CONTEXT, root.statement)
        if content is None or root_of(root.statement) != root:
            findings.append(f"{_name(root)}: not signed by the office")
        elif content["previous"] != _named(before):
            findings.append(f"{_name(root)}: does not follow the root before it")
    # What a restore forgot came back with other times: only the chain of this epoch is of these lines.
    epoch = current_epoch(connection)
    findings += _recomputed(connection, [root for root in signed if root.epoch == epoch], zone)
    return findings


def _recomputed(connection: Connection, roots: Sequence[Root], zone: ZoneInfo) -> list[str]:
    """Compare each root with the lines of its days, going on from the signed root before it."""
    findings, previous, since_ms = list[str](), GENESIS, None
    for root in roots:
        until_ms = period_end_ms(root.day, zone)
        lines = fund_lines_in_order(connection, PostedSpan(since_ms, until_ms))
        count, digest = _root_after(previous, map(canonical_bytes, lines))
        if (count, digest) != (root.line_count, root.root):
            told = "" if count == root.line_count else f", {count:,} lines instead of {root.line_count:,}"
            findings.append(f"{_name(root)}: the ledger is not what was signed{told}")
        previous, since_ms = root.root, until_ms
    return findings


def _differing(kept: Sequence[Root], signed: Sequence[Root]) -> list[str]:
    by_place = {(root.epoch, root.number): root for root in kept}
    findings = []
    for root in signed:
        found = by_place.pop((root.epoch, root.number), None)
        if found is None:
            findings.append(f"{_name(root)}: in the desk journal, and not in the database")
        elif found != root:
            findings.append(f"{_name(root)}: the database says something else than the desk journal")
    findings += [f"{_name(root)}: in the database, and not in the desk journal" for root in by_place.values()]
    return findings


def _name(root: Root) -> str:
    return f"{root.day.isoformat()} (root {root.epoch}.{root.number})"
