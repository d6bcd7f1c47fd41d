"""Writes of statements and matches: what a line brings into the books, and what it turns out to be.

A fund's name is locked first, so that of two people one decides; the keys of the tables are the last guard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from server.audit.changes import Change
from server.bank.actions import keep_statement, new_lines, put_match, undo_match
from server.bank.codes import StatementFault
from server.bank.layouts import mapping_layout
from server.bank.queries import (
    KeptLine,
    import_of_file,
    line_of,
    mappings,
    match_of,
    matches_of_lines,
    opened_words,
    standing_match,
    unmatched_lines,
)
from server.bank.reading import Reading, read_statement
from server.bank.rules import Statement
from server.funds.candidates import (
    DONATIONS,
    Candidate,
    known_fund,
    office_cash_vnd,
    open_candidates,
    targets_of,
)
from server.funds.desk import FundDesk
from server.funds.giving import Given, take_transfer_donation
from server.funds.matching import OpenLine, automatic_matches
from server.funds.office_queries import office_donation_by_id
from server.funds.office_receipts import issue_donation_receipt, standing_receipt, void_donation_receipt
from server.funds.postings import FundStep, match, statement_line
from server.funds.rules import MatchKind
from server.journals.actions import lock_names
from server.money.ledger import post
from server.money.queries import posted_lines
from server.money.rules import reversed_lines
from server.sealing import Sealer
from sync.clock import local_day

REASON_LEAST, REASON_MOST = 10, 500


class MatchRefusal(StrEnum):
    """Why a line was not matched, or a match not undone."""

    FUND_UNKNOWN = "fund_unknown"
    MAPPING_UNKNOWN = "mapping_unknown"
    LINE_UNKNOWN = "line_unknown"
    LINE_MATCHED = "line_matched"
    TARGET_GONE = "target_gone"
    AMOUNTS_DIFFER = "amounts_differ"
    OFFICE_CASH_SHORT = "office_cash_short"
    MATCH_UNKNOWN = "match_unknown"
    BOUNCED_SINCE = "bounced_since"
    REASON_MISSING = "reason_missing"


class MatchRefusedError(Exception):
    """Nothing was decided; `code` says why."""

    def __init__(self, code: MatchRefusal) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a statement. Faults: then nothing was written.

    `new` of `lines` were not known before, and `matched` were matched without a person, older ones too.
    `import_id` is None of a dry run.
    """

    faults: tuple[StatementFault, ...] = ()
    statement: Statement | None = None
    import_id: str | None = None
    lines: int = 0
    new: int = 0
    matched: int = 0
    is_known_file: bool = False


def import_statement(
    change: Change,
    desk: FundDesk,
    fund: int,
    content: bytes,
    *,
    mapping: str | None = None,
    dry_run: bool = False,
) -> Imported:
    """Read a statement into a fund's books, all of it or nothing, and match what is beyond doubt.

    The same lines again are no lines twice. A dry run says what would be new and writes its audit row alone.
    Raises MatchRefusedError where there is no such fund or mapping.
    """
    lock_names(change.connection, [f"fund:{fund}"])
    reading = _read(change, desk, fund, content, mapping)
    if reading.statement is None:
        change.audit("statement_refused", str(fund), faults=len(reading.faults))
        return Imported(reading.faults)
    statement = reading.statement
    lines = new_lines(change, desk.sealer, fund, statement)
    digest = hashlib.sha256(content).hexdigest()
    before = import_of_file(change.connection, fund, digest)
    counted = Imported((), statement, None, len(statement.lines), len(lines))
    if dry_run or (before is not None and not lines):
        change.audit("statement_checked", str(fund), lines=counted.lines, new=counted.new)
        return Imported(
            (),
            statement,
            None if dry_run or before is None else before.id,
            counted.lines,
            counted.new,
            is_known_file=before is not None,
        )
    import_id = keep_statement(change, desk.ids, desk.sealer, fund, statement, digest, lines)
    for line in lines:
        posted = statement_line(fund, line.said.amount_vnd)
        post(change, line.id, FundStep.LINE, posted, line.said.day, change.actor.chain)
    matched = match_automatically(change, desk, fund)
    change.audit(
        "statement_imported", import_id, fund=fund, lines=counted.lines, new=counted.new, matched=matched
    )
    return Imported((), statement, import_id, counted.lines, counted.new, matched)


def _read(change: Change, desk: FundDesk, fund: int, content: bytes, mapping: str | None) -> Reading:
    known = known_fund(change.connection, fund)
    if known is None:
        raise MatchRefusedError(MatchRefusal.FUND_UNKNOWN)
    layout = None
    if mapping is not None:
        saved = mappings(change.connection)
        if mapping not in saved:
            raise MatchRefusedError(MatchRefusal.MAPPING_UNKNOWN)
        layout = mapping_layout(mapping, saved[mapping])
    today = local_day(change.now_ms, desk.zone)
    return read_statement(content, today, mapping=layout, account=known.bank_account)


def match_automatically(change: Change, desk: FundDesk, fund: int) -> int:
    """Match every open line of a fund that can be one thing alone; return how many there were."""
    change.flush()
    kept = {line.id: line for line in unmatched_lines(change.connection, fund)}
    candidates = open_candidates(change.connection, desk.sealer, desk.zone, fund)
    if not kept or not candidates:
        return 0
    found = automatic_matches(opened_lines(desk.sealer, kept.values()), targets_of(candidates.values()))
    for line_id in sorted(found):
        _put(change, desk, kept[line_id], found[line_id].kind, candidates[found[line_id].key])
    return len(found)


def opened_lines(sealer: Sealer, lines: Iterable[KeptLine]) -> list[OpenLine]:
    """Return lines with what they say."""
    opened = []
    for line in lines:
        words = opened_words(sealer, line)
        text = " ".join(filter(None, (words.description, words.counterparty, line.reference)))
        opened.append(OpenLine(line.id, line.day, line.amount_vnd, text))
    return opened


def match_line(change: Change, desk: FundDesk, line_id: str, kind: MatchKind, target_id: str | None) -> str:
    """Say what a line is; return the match's id. Amounts must be equal. Raises MatchRefusedError."""
    line = _locked_line(change, line_id)
    if any(
        each.undone_ms is None for each in matches_of_lines(change.connection, [line_id]).get(line_id, ())
    ):
        raise MatchRefusedError(MatchRefusal.LINE_MATCHED)
    if kind is MatchKind.NOTHING:
        return _put(change, desk, line, kind, None)
    if kind is MatchKind.DEPOSIT:
        if not 0 < line.amount_vnd <= office_cash_vnd(change.connection, line.fund):
            raise MatchRefusedError(MatchRefusal.OFFICE_CASH_SHORT)
        return _put(change, desk, line, kind, None)
    candidates = open_candidates(change.connection, desk.sealer, desk.zone, line.fund)
    candidate = candidates.get((kind.value, target_id or ""))
    if candidate is None:
        raise MatchRefusedError(MatchRefusal.TARGET_GONE)
    if candidate.target.amount_vnd != line.amount_vnd:
        raise MatchRefusedError(MatchRefusal.AMOUNTS_DIFFER)
    return _put(change, desk, line, kind, candidate)


def unmatch_line(change: Change, desk: FundDesk, match_id: str, reason: str) -> None:
    """Undo a match; the line is open again. Raises MatchRefusedError."""
    told = " ".join(reason.split())
    if not REASON_LEAST <= len(told) <= REASON_MOST:
        raise MatchRefusedError(MatchRefusal.REASON_MISSING)
    change.flush()
    found = match_of(change.connection, match_id)
    if found is None:
        raise MatchRefusedError(MatchRefusal.MATCH_UNKNOWN)
    line = _locked_line(change, found.line_id)
    found = match_of(change.connection, match_id)
    if found is None or found.undone_ms is not None:
        raise MatchRefusedError(MatchRefusal.MATCH_UNKNOWN)
    kind = MatchKind(found.kind)
    if kind in DONATIONS and standing_match(change.connection, MatchKind.BOUNCE.value, found.target_id or ""):
        raise MatchRefusedError(MatchRefusal.BOUNCED_SINCE)
    undo_match(change, match_id, told)
    lines = posted_lines(change.connection, match_id, FundStep.MATCH.value)
    if lines:
        today = local_day(change.now_ms, desk.zone)
        post(change, match_id, FundStep.UNMATCH, reversed_lines(lines), today, change.actor.chain)
    _keep_receipts(change, desk, kind, found.target_id, came=kind is MatchKind.BOUNCE)
    change.audit("match_undone", match_id, line=line.id, fund=line.fund, kind=kind.value)


def _locked_line(change: Change, line_id: str) -> KeptLine:
    """Return a line, its fund locked. Raises MatchRefusedError."""
    change.flush()
    line = line_of(change.connection, line_id)
    if line is None:
        raise MatchRefusedError(MatchRefusal.LINE_UNKNOWN)
    lock_names(change.connection, [f"fund:{line.fund}"])
    return line


def _put(change: Change, desk: FundDesk, line: KeptLine, kind: MatchKind, candidate: Candidate | None) -> str:
    match_id = desk.ids.new_id()
    target_id = None if candidate is None else candidate.target.id
    put_match(change, match_id, line.id, line.fund, kind.value, target_id)
    bucket, worker_id = (None, None) if candidate is None else (candidate.bucket, candidate.worker_id)
    lines = match(kind, line.fund, line.amount_vnd, bucket, worker_id)
    if lines:
        post(change, match_id, FundStep.MATCH, lines, line.day, change.actor.chain)
    _keep_receipts(change, desk, kind, target_id, came=kind is MatchKind.OFFICE_DONATION)
    change.audit("line_matched", line.id, match=match_id, fund=line.fund, kind=kind.value)
    return match_id


def _keep_receipts(
    change: Change, desk: FundDesk, kind: MatchKind, target_id: str | None, *, came: bool
) -> None:
    """Give the receipt of an office's donation whose money came, or void it where the money went back.

    A donation at a door has its receipt from there.
    """
    if kind not in (MatchKind.OFFICE_DONATION, MatchKind.BOUNCE) or target_id is None:
        return
    change.flush()
    donation = office_donation_by_id(change.connection, target_id)
    if donation is None:
        return
    has_receipt = standing_receipt(change, target_id) is not None
    if came and not has_receipt:
        issue_donation_receipt(change, desk, target_id)
    elif has_receipt and not came:
        void_donation_receipt(change, desk, target_id)


def donation_of_line(change: Change, desk: FundDesk, line_id: str, given: Given) -> str:
    """Take down the donation that a line is and nobody reported, and match both; return the donation's id.

    Its fund and amount are the line's. Raises MatchRefusedError and FundRefusedError.
    """
    line = _locked_line(change, line_id)
    if given.fund != line.fund or given.amount_vnd != line.amount_vnd:
        raise MatchRefusedError(MatchRefusal.AMOUNTS_DIFFER)
    donation_id = take_transfer_donation(change, desk, given, line.day)
    change.flush()
    match_line(change, desk, line_id, MatchKind.OFFICE_DONATION, donation_id)
    return donation_id
