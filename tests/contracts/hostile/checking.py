"""What an answer to a hostile body must look like, and what a whole run must come to."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.exchange import EnrolmentResponse, Problem, SyncResponse
from schemas.receipt_view import ReceiptShown
from sync.codes import RequestCode
from sync.limits import LIMITS
from tests.contracts.hostile import entries, envelopes, tokens
from tests.contracts.hostile.lanes import Family, Shot
from tests.contracts.hostile.line import CLOSED, Heard
from tests.contracts.hostile.values import CANARY
from tests.support.raw_tablet import ENROLMENTS, SYNC

FAMILIES: tuple[Family, ...] = (*envelopes.FAMILIES, *entries.FAMILIES, *tokens.FAMILIES)
GROWTH_MOST_KIB = 64 * 1024
RECEIPTS = "/api/v1/receipts/"
_ANSWERS = {SYNC: SyncResponse(), ENROLMENTS: EnrolmentResponse()}
_RECEIPT, _PROBLEM = ReceiptShown(), Problem()
_CODES = frozenset(str(code) for code in RequestCode)
_NOT_IMPLEMENTED = 501
_TOO_LARGE = 413


@dataclass
class Report:
    """What came of it: statuses and verdicts by family, faults, and the memory of the server."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)
    before_kib: int = 0
    warm_kib: int = 0
    end_kib: int = 0
    seconds: float = 0.0

    @property
    def shot(self) -> int:
        """How many bodies were shot."""
        return sum(sum(counts.values()) for counts in self.statuses.values())

    @property
    def growth_kib(self) -> int:
        """How much the server grew after the warm-up."""
        return self.end_kib - self.warm_kib

    @property
    def all_faults(self) -> list[str]:
        """Everything for which the run fails."""
        found = list(self.faults)
        found += [f"never shot: {family.name}" for family in FAMILIES if not self.statuses[family.name]]
        found += [
            f"no entry of «{family.name}» was refused"
            for family in entries.FAMILIES
            if family.statuses == {200} and "sound" not in family.name
            if not (self.verdicts[family.name].keys() & {"quarantined", "held", "duplicate"})
        ]
        if self.growth_kib > GROWTH_MOST_KIB:
            found.append(f"the server grew by {self.growth_kib:,} KiB, {GROWTH_MOST_KIB:,} at most")
        return found


def faults_of(
    family: Family, shot: Shot, heard: Heard, declared: Mapping[str, frozenset[int]]
) -> Iterator[str]:
    """Yield what is wrong with an answer. `declared`: statuses by path of the server's own document."""
    if family.is_below and not heard.is_problem:
        # The HTTP server itself refuses what is no HTTP, in its own form, or hangs up.
        if heard.status >= 500 and heard.status != _NOT_IMPLEMENTED:
            yield f"{heard.status}"
        return
    # A text without end makes any body too large.
    is_too_large = heard.status == _TOO_LARGE and len(shot.body) > LIMITS.body_bytes
    if heard.status not in family.statuses and not is_too_large:
        yield f"{heard.status} is not one that this may get"
    if heard.status == CLOSED or not shot.path.startswith("/api"):
        return
    path = RECEIPTS + "{digits}" if shot.path.startswith(RECEIPTS) else shot.path
    if path in declared and shot.method in {"POST", "GET"} and heard.status not in {*declared[path], 405}:
        yield f"{heard.status} is not declared"
    if heard.status >= 400:
        yield from _problem_faults(heard)
    else:
        fault = _ANSWERS.get(shot.path, _RECEIPT).validate(heard.content)
        if fault != {}:
            yield f"the answer breaks its schema: {fault}"
        elif shot.entries:
            yield from _push_faults(shot, heard.content)


def _problem_faults(heard: Heard) -> Iterator[str]:
    content = heard.content
    if not heard.is_problem:
        yield f"an error as {heard.headers.get('content-type')}"
    elif (
        _PROBLEM.validate(content) != {} or content["status"] != heard.status or content["code"] not in _CODES
    ):
        yield "no problem of the contract"
    if CANARY.encode() in heard.body:
        yield "a value came back"


def _push_faults(shot: Shot, content: dict[str, Any]) -> Iterator[str]:
    verdicts = content["verdicts"]
    if len(verdicts) != len(shot.entries):
        yield f"{len(verdicts)} verdicts of {len(shot.entries)} entries"
    elif verdicts[-1]["verdict"] != "applied":
        yield f"the sound entry behind it: {verdicts[-1]}"
    if any(verdict["code"] == "judgement_failed" for verdict in verdicts):
        yield "an entry raised an exception in the server"
    if CANARY in json.dumps(verdicts):
        yield "a value came back"
