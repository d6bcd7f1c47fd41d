"""The oracle: hears every request that the office answered, and says what the answer must be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.oracle.judgement import Judgement
from tests.simulation.oracle.model import Installation, Verdict, genesis, next_digest, read_entry
from tests.simulation.oracle.office import Office
from tests.simulation.oracle.views import Contents, contents_of, figure_records

CODE_LIFE_MS = 10 * 60_000


@dataclass
class Expected:
    """What an answer must be: a refusal with `code`, or 200 with the rest."""

    status: int = 200
    code: str | None = None
    expected_seq: int | None = None
    acked_seq: int = 0
    head: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    outcomes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    scopes: list[str] | None = None
    number: int = 0


@dataclass
class Code:
    """A one-time code."""

    worker: str
    expires_ms: int
    used_by: str | None = None


class Oracle:
    """Its own world of dicts, fed by what went over the wire and by what supervisors did."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.installations: dict[str, Installation] = {}
        self.judgement = Judgement(office, self.installations)
        self.codes: dict[str, Code] = {}
        self.known_faults: dict[str, str] = {}
        self.incidents: list[str] = []
        # sha256 of what a fork brought: kept as evidence, in no journal.
        self.contested: set[str] = set()
        self.last_number = 0
        self.epoch = 1
        self._contents: tuple[Contents, Any] | None = None

    # --- what supervisors do ---

    def code_issued(self, code: str, worker: str, now_ms: int) -> None:
        self.codes[code] = Code(worker, now_ms + CODE_LIFE_MS)

    def revoked(self, installation_id: str) -> None:
        installation = self.installations[installation_id]
        installation.last_valid_seq = max(installation.acked, installation.last_valid_seq or 0)
        installation.state = "revoked"

    def expired(self, now_ms: int) -> None:
        self.judgement.expire(now_ms)
        self._contents = None

    # --- what goes over the wire ---

    def enrol(self, request: dict[str, Any], certificate: str | None, now_ms: int) -> Expected:
        """Take in an enrolment; `certificate` is the text of the answer's, where it was heard."""
        code = self.codes.get(request["code"])
        wanted = request["installation"]
        if code is None or (code.used_by is None and code.expires_ms < now_ms):
            return Expected(403, "enrolment_code_invalid")
        known = self.installations.get(wanted)
        if known is not None and code.used_by == wanted:
            return Expected(number=known.number)
        if known is not None or code.used_by is not None:
            return Expected(403, "enrolment_code_invalid")
        predecessor = self.installations.get(request["predecessor"] or "")
        if request["predecessor"] is not None:
            if predecessor is None or predecessor.worker != code.worker:
                return Expected(409, "predecessor_mismatch")
            if predecessor.state != "revoked":
                predecessor.state = "superseded"
        self.last_number += 1
        code.used_by = wanted
        self.installations[wanted] = Installation(
            wanted,
            self.last_number,
            code.worker,
            certificate or "",
            now_ms,
            request["predecessor"],
            digests=[genesis(wanted)],
        )
        return Expected(number=self.last_number)

    def sync(self, request: dict[str, Any], now_ms: int) -> Expected:
        """Take in a sync that the office has accepted or refused; return what it must have said."""
        installation = self.installations.get(request["installation"])
        if installation is None:
            return Expected(401, "installation_unknown")
        if installation.state in {"fenced", "superseded"}:
            return Expected(403, f"installation_{installation.state}")
        if request["predecessor"] not in {None, installation.predecessor}:
            return Expected(409, "predecessor_mismatch")
        push, head = request["push"], request["journal_head"]
        first = push["first_seq"] if push else installation.acked + 1
        readings = [read_entry(raw, self.known_faults) for raw in push["entries"]] if push else []
        digests = [push["previous_digest"] if push else installation.head]
        for reading in readings:
            digests.append(next_digest(digests[-1], reading.sha256))
        last = first + len(readings) - 1
        if push and (head["seq"] < last or (head["seq"] == last and head["digest"] != digests[-1])):
            return Expected(409, "head_mismatch")
        if first > installation.acked + 1:
            return Expected(409, "journal_gap", expected_seq=installation.acked + 1)
        shown = {first - 1 + n: digest for n, digest in enumerate(digests)} | {head["seq"]: head["digest"]}
        stored = installation.digests
        if any(seq < len(stored) and stored[seq] != digest for seq, digest in shown.items()):
            if installation.state != "revoked":
                installation.state = "fenced"
            self.incidents.append("journal_forked")
            self.contested |= {reading.sha256 for reading in readings}
            return Expected(409, "journal_forked")
        return self._accepted(
            installation, request, first, list(zip(readings, digests[1:], strict=True)), now_ms
        )

    def _accepted(
        self,
        installation: Installation,
        request: dict[str, Any],
        first: int,
        run: list[tuple[Any, str]],
        now_ms: int,
    ) -> Expected:
        verdicts = []
        for seq, (reading, digest) in enumerate(run, start=first):
            if seq <= installation.acked:
                verdicts.append(installation.verdicts[seq - 1])
                continue
            verdict = self.judgement.judge(installation, seq, reading, request, now_ms)
            captured = reading.captured
            installation.walls.append(captured["wall_ms"] if captured else None)
            installation.digests.append(digest)
            installation.verdicts.append(verdict)
            verdicts.append(verdict)
        installation.marks.append(installation.mark_of(request, now_ms))
        for contested in self.judgement.fenced_by_receipts:
            if self.installations[contested].state == "active":
                self.installations[contested].state = "fenced"
        self.judgement.fenced_by_receipts.clear()
        self._contents = None
        scopes = None
        if request["pull"] is not None:
            is_active = installation.state == "active"
            scopes = self.office.scopes(installation.worker, now_ms) if is_active else []
        return Expected(
            acked_seq=installation.acked,
            head=installation.head,
            verdicts=verdicts,
            outcomes=self._outcomes(installation.worker, verdicts),
            scopes=scopes,
        )

    def _outcomes(self, worker: str, verdicts: list[Verdict]) -> dict[str, tuple[str, str | None]]:
        found = {}
        for verdict in verdicts:
            entry = self.judgement.entries.get(verdict.entry_id)
            if entry is None or verdict.code == "entry_id_reused" or entry.worker != worker:
                continue
            if entry.state != verdict.verdict:
                found[verdict.entry_id] = (entry.state, entry.code)
        return found

    # --- what must be true now ---

    def contents(self) -> tuple[Contents, dict[str, dict[str, dict[str, int]]]]:
        """Return what every scope holds, and the figures of every agent."""
        if self._contents is None:
            self._contents = (contents_of(self.judgement), figure_records(self.judgement))
        return self._contents

    def forget_views(self) -> None:
        """Compute the contents anew: something outside of a sync has changed them."""
        self._contents = None


def parsed(body: bytes) -> dict[str, Any]:
    """Return a request's JSON as the oracle reads it."""
    content: dict[str, Any] = json.loads(body)
    return content
