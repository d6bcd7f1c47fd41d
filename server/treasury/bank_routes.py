"""The treasurer's page of the bank: statements read in, what nobody explains yet, what the others are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, redirect, request, url_for

from server.access.permissions import Permission
from server.bank.codes import WORDS as FAULT_WORDS
from server.bank.codes import StatementFault
from server.bank.queries import (
    KeptLine,
    KeptMatch,
    line_of,
    mappings,
    match_of,
    opened_words,
    standing_matches,
    statement_checks,
    unmatched_lines,
    unmatched_sums,
)
from server.dashboard.wiring import look, may, page_argument
from server.funds.candidates import Candidate, open_candidates, targets_of
from server.funds.matching import Suggestion, suggestions
from server.funds.refusals import FundRefusedError
from server.funds.rules import MatchKind
from server.funds.statements import (
    MatchRefusedError,
    donation_of_line,
    import_statement,
    match_line,
    opened_lines,
    unmatch_line,
)
from server.funds.wording import DONOR_CLASS_WORDS, MATCH_WORDS
from server.runtime import current_runtime
from server.treasury.forms import FormRefusedError, read_given
from server.treasury.wiring import FUND, Refusal, blueprint, decide, known_fund, refusal_of, shown, typed
from server.treasury.wording import GROUND_WORDS, MATCH_KIND_WORDS, FormFault

_PAGE_LINES = 25
_FAULTS_SHOWN = 50
_FILE_MOST = 20_000_000


@dataclass(frozen=True, slots=True)
class _OpenLine:
    """A line of the queue; `text` is None for who may not read whom it names."""

    kept: KeptLine
    text: str | None
    could_be: list[tuple[Suggestion, Candidate | None]]


@blueprint.get(f"/{FUND}/bank")
def bank(number: int) -> Any:
    """Show statements beside the books, the lines that nobody explains yet, and the latest matches."""
    return _bank(number)


def _bank(
    number: int,
    refusal: Refusal | None = None,
    fields: Mapping[str, str] | None = None,
    faults: tuple[StatementFault, ...] = (),
) -> Any:
    fund, page, may_read = known_fund(number), page_argument(), may(Permission.MANAGE_FUNDS, office_wide=True)
    runtime = current_runtime()
    with look() as seen:
        connection, zone = seen.connection, runtime.config.time_zone
        kept = unmatched_lines(connection, number, limit=_PAGE_LINES, offset=(page - 1) * _PAGE_LINES)
        candidates = open_candidates(connection, runtime.sealer, zone, number) if may_read and kept else {}
        targets = targets_of(candidates.values())
        read = opened_lines(runtime.sealer, kept) if may_read else []
        queue = (
            [
                _OpenLine(
                    line,
                    opened_words(runtime.sealer, line).description,
                    [
                        (found, candidates.get((found.kind.value, found.target_id or "")))
                        for found in suggestions(opened, targets, number)
                    ],
                )
                for line, opened in zip(kept, read, strict=True)
            ]
            if may_read
            else [_OpenLine(line, None, []) for line in kept]
        )
        open_sums = unmatched_sums(connection, number)
        values = {
            "open_sums": open_sums,
            "checks": list(reversed(statement_checks(connection, number))),
            "matches": standing_matches(connection, number, limit=_PAGE_LINES),
            "mappings": sorted(mappings(connection)),
        }
    if queue and may_read:
        decide(lambda change, _desk: change.audit("bank_lines_shown", str(number), lines=len(queue)))
    return shown(
        "bank",
        422 if faults else 200,
        fund=fund,
        refusal=refusal,
        typed=fields or {},
        faults=faults[:_FAULTS_SHOWN],
        fault_count=len(faults),
        fault_words=FAULT_WORDS,
        queue=queue,
        page_number=page,
        has_more=page * _PAGE_LINES < open_sums[0],
        kind_words=MATCH_KIND_WORDS,
        ground_words=GROUND_WORDS,
        class_words=DONOR_CLASS_WORDS,
        counts=request.args,
        **values,
    )


@blueprint.post(f"/{FUND}/bank")
def import_bank_statement(number: int) -> Any:
    """Read a statement in, or only say what is new or wrong with it."""
    known_fund(number)
    sent = request.files.get("file")
    content = b"" if sent is None else sent.read(_FILE_MOST + 1)
    mapping, is_dry = request.form.get("mapping") or None, "dry_run" in request.form
    if not content:
        return _refused(number, refusal_of(FormRefusedError(FormFault.FIELD_MISSING, "file")), 422)
    try:
        done = decide(
            lambda change, desk: import_statement(
                change, desk, number, content, mapping=mapping, dry_run=is_dry
            )
        )
    except MatchRefusedError as error:
        return _refused(number, _refusal(error), 409)
    if done.faults:
        return _bank(number, faults=done.faults)
    return redirect(
        url_for(
            ".bank",
            number=number,
            done="checked" if is_dry else "read",
            lines=done.lines,
            new=done.new,
            matched=done.matched,
        ),
        303,
    )


@blueprint.post(f"/{FUND}/bank/lines/<line_id>")
def match_bank_line(number: int, line_id: str) -> Any:
    """Say what a line is: one of what it could be, a donation that nobody reported, or nothing of these."""
    with look() as seen:
        line = line_of(seen.connection, line_id)
    if line is None or line.fund != number:
        abort(404)
    kind_name, _, target = request.form.get("choice", "").partition(":")
    if kind_name not in {kind.value for kind in MatchKind} | {"new_donation"}:
        fault = FormRefusedError(FormFault.CHOICE_UNKNOWN, f"choice-{line_id[:12]}")
        return _refused(number, refusal_of(fault), 422)

    def work() -> None:
        if kind_name == "new_donation":
            given = read_given(number, typed())
            decide(lambda change, desk: donation_of_line(change, desk, line_id, given))
        else:
            kind = MatchKind(kind_name)
            decide(lambda change, desk: match_line(change, desk, line_id, kind, target or None))

    return _decided(number, work, "matched")


@blueprint.post(f"/{FUND}/bank/matches/<uuid:match_id>/undo")
def undo_bank_match(number: int, match_id: UUID) -> Any:
    """Undo a match with a reason: the line is open again."""
    with look() as seen:
        found: KeptMatch | None = match_of(seen.connection, str(match_id))
    if found is None or found.fund != number:
        abort(404)
    reason = request.form.get("reason", "")
    return _decided(
        number,
        lambda: decide(lambda change, desk: unmatch_line(change, desk, str(match_id), reason)),
        "undone",
    )


def _decided(number: int, work: Callable[[], Any], done: str) -> Any:
    try:
        work()
    except MatchRefusedError as error:
        return _refused(number, _refusal(error), 409)
    except (FundRefusedError, FormRefusedError) as error:
        return _refused(number, refusal_of(error), 422 if isinstance(error, FormRefusedError) else 409)
    return redirect(url_for(".bank", number=number, done=done), 303)


def _refusal(error: MatchRefusedError) -> Refusal:
    return Refusal(error.code.value, MATCH_WORDS[error.code], None)


def _refused(number: int, refusal: Refusal, status: int) -> Any:
    page, _status = _bank(number, refusal, request.form)
    return page, status
