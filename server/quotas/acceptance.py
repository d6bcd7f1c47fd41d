"""Acceptance (nghiệm thu): a period's figures are frozen under a number, and later moves adjusted.

A statement never changes. Whatever arrives after it is posted as adjustments, for winner and loser
alike: credits now − statement − adjustments already posted. Statements of a campaign follow each
other without gap or overlap, so that every day belongs to one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from server.audit.changes import Change
from server.campaigns.queries import campaigns_by_number
from server.journals.actions import lock_names
from server.quotas.completeness import completeness_at
from server.quotas.models import AdjustmentRow, StatementLineRow, StatementRow
from server.quotas.plans import quotas_in_force
from server.quotas.rules import OFFICE_CAMPAIGN
from server.quotas.statements import (
    Adjustment,
    LineKey,
    Statement,
    StatementLine,
    adjustments_not_carried,
    credits_counted,
    fingerprint,
    first_open_day,
    statement_by_number,
    statement_content,
    statement_digest,
    statements_of,
    unposted,
)
from sync.clock import local_day

# Whoever accepts what is not complete says why, in more than a word.
REASON_LEAST = 10
REASON_MOST = 500
_LOCK = "acceptance"


class AcceptanceRefusedError(Exception):
    """A period cannot be accepted like this; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def accept_period(
    change: Change, zone: ZoneInfo, campaign: int, to_day: date, override_reason: str = ""
) -> Statement:
    """Accept a campaign's figures from its first open day up to `to_day`; campaign 0 is the office's own.

    A period that is not complete is accepted only with a reason, and stays marked as provisional.
    Raises AcceptanceRefusedError.
    """
    change.flush()
    connection = change.connection
    lock_names(connection, [_LOCK])
    from_day = _first_day(change, zone, campaign, to_day)
    known = completeness_at(connection, to_day, change.now_ms, zone)
    reason = " ".join(override_reason.split())[:REASON_MOST]
    if not known.is_final and len(reason) < REASON_LEAST:
        raise AcceptanceRefusedError("not_complete")
    _post(change, campaign)
    change.flush()
    number = (connection.scalar(select(func.max(StatementRow.__table__.c.number))) or 0) + 1
    earlier = statements_of(connection, campaign)
    statement = Statement(
        number=number,
        campaign=campaign,
        from_day=from_day,
        to_day=to_day,
        is_first=not earlier,
        accepted_ms=change.now_ms,
        accepted_by=change.actor.chain,
        worker_id=change.actor.worker_id,
        is_complete=known.is_final,
        override_reason=None if known.is_final else reason,
        installations=known.installations,
        outstanding=len(known.outstanding),
        unsettled=known.unsettled_count,
        digest="",
    )
    lines = _lines(change, statement, earlier[-1].to_day if earlier else None)
    statement = replace(statement, digest=statement_digest(asdict(statement), lines))
    _store(change, statement, lines)
    _carry(change, statement)
    change.audit(
        "period_accepted",
        f"statement:{number}",
        campaign=campaign,
        to_day=to_day.isoformat(),
        is_complete=known.is_final,
        digest=statement.digest,
    )
    change.desk("period_accepted", **statement_content(statement, lines))
    return statement


def _first_day(change: Change, zone: ZoneInfo, campaign: int, to_day: date) -> date:
    """Return the first day of the period that ends with `to_day`. Raises AcceptanceRefusedError."""
    begins = ends = None
    if campaign != OFFICE_CAMPAIGN:
        view = campaigns_by_number(change.connection, [campaign]).get(campaign)
        if view is None:
            raise AcceptanceRefusedError("campaign_unknown")
        begins, ends = view.from_day, view.to_day
    if to_day >= local_day(change.now_ms, zone):
        raise AcceptanceRefusedError("not_over")
    from_day = first_open_day(change.connection, campaign, begins) or to_day
    if to_day < from_day:
        raise AcceptanceRefusedError("not_open")
    if ends is not None and to_day > ends:
        raise AcceptanceRefusedError("after_campaign")
    return from_day


def _lines(change: Change, statement: Statement, after: date | None) -> list[StatementLine]:
    connection = change.connection
    counted = credits_counted(connection, statement.campaign, after, statement.to_day)
    carried: dict[LineKey, int] = defaultdict(int)
    for adjustment in adjustments_not_carried(connection, statement.campaign):
        carried[adjustment.key] += adjustment.amount
    quotas: dict[LineKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for quota in quotas_in_force(connection, statement.campaign, statement.to_day):
        quotas[quota.indicator, quota.holder_kind, quota.holder][quota.plan_kind] += quota.amount
    return [
        StatementLine(
            *key,
            counted=sum(value for _fact, value in counted.get(key, ())),
            carried=carried.get(key, 0),
            quota_initial=quotas[key].get("initial") if key in quotas else None,
            quota_supplementary=quotas[key].get("supplementary") if key in quotas else None,
            fingerprint=fingerprint(counted.get(key, ())),
        )
        for key in sorted(counted.keys() | carried.keys() | quotas.keys())
    ]


def _store(change: Change, statement: Statement, lines: list[StatementLine]) -> None:
    change.insert(StatementRow.__table__, **asdict(statement))
    for line in lines:
        change.insert(StatementLineRow.__table__, statement=statement.number, **asdict(line))


def _carry(change: Change, statement: Statement) -> None:
    """Let the adjustments that nothing has taken up be paid with this statement."""
    change.flush()
    adjustment = AdjustmentRow.__table__.c
    waiting = (adjustment.campaign == statement.campaign) & adjustment.carried_in.is_(None)
    change.connection.execute(update(AdjustmentRow).where(waiting).values(carried_in=statement.number))


def post_adjustments(change: Change, campaign: int) -> int:
    """Post what a campaign's accepted lines have moved by; return how many lines. Again: none."""
    change.flush()
    lock_names(change.connection, [_LOCK])
    posted = _post(change, campaign)
    if not posted:
        change.audit("adjustments_looked_for", f"campaign:{campaign}")
    return posted


def _post(change: Change, campaign: int) -> int:
    connection = change.connection
    moved = unposted(connection, campaign)
    dated_day = first_open_day(connection, campaign, None)
    if not moved or dated_day is None:
        return 0
    posting = (connection.scalar(select(func.max(AdjustmentRow.__table__.c.posting))) or 0) + 1
    rows = [
        Adjustment(
            number, *key, posting, amount, dated_day, change.now_ms, change.actor.chain, carried_in=None
        )
        for (number, key), amount in sorted(moved.items())
    ]
    for row in rows:
        change.insert(AdjustmentRow.__table__, campaign=campaign, **asdict(row))
    change.audit("adjustments_posted", f"campaign:{campaign}", posting=posting, lines=len(rows))
    change.desk(
        "adjustments_posted",
        campaign=campaign,
        posting=posting,
        dated_day=dated_day.isoformat(),
        lines=[[row.statement, *row.key, row.amount] for row in rows],
    )
    return len(rows)


def recall_statement(change: Change, content: Mapping[str, Any]) -> None:
    """Put a statement of the desk journal back into a database that forgot it, as it was."""
    if statement_by_number(change.connection, content["number"]) is not None:
        return
    members = {field.name: content[field.name] for field in fields(Statement)}
    members |= {name: date.fromisoformat(content[name]) for name in ("from_day", "to_day")}
    statement, lines = Statement(**members), [StatementLine(*line) for line in content["lines"]]
    _store(change, statement, lines)
    _carry(change, statement)
    change.audit("statement_recalled", f"statement:{statement.number}", digest=statement.digest)
    change.flush()


def recall_adjustments(change: Change, content: Mapping[str, Any], at_ms: int, actor: str) -> None:
    """Put a posting of the desk journal back into a database that forgot it, as it was."""
    table, posting = AdjustmentRow.__table__, content["posting"]
    if change.connection.scalar(select(table.c.posting).where(table.c.posting == posting).limit(1)):
        return
    dated_day = date.fromisoformat(content["dated_day"])
    for number, indicator, kind, holder, amount in content["lines"]:
        row = Adjustment(number, indicator, kind, holder, posting, amount, dated_day, at_ms, actor, None)
        change.insert(table, campaign=content["campaign"], **asdict(row))
    change.audit("adjustments_recalled", f"campaign:{content['campaign']}", posting=posting)
    change.flush()
