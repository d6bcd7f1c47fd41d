"""The oracle: hears every request that the office answered, and says what the answer must be."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.oracle.judgement import Judgement
from tests.simulation.oracle.model import Installation, Verdict, genesis, next_digest, read_entry
from tests.simulation.oracle.office import Office
from tests.simulation.oracle.remembering import Remembering
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
    durable_seq: int = 0
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


class Oracle(Remembering):
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
        self.is_recovering = False
        self.met: Counter[str] = Counter()
        self._contents: tuple[Contents, Any] | None = None
        self.remember_nothing()

    # --- what supervisors do ---

    def code_issued(self, code: str, worker: str, now_ms: int) -> None:
        self.codes[code] = Code(worker, now_ms + CODE_LIFE_MS)

    def revoked(self, installation_id: str) -> None:
        installation = self.installations[installation_id]
        installation.last_valid_seq = max(installation.acked, installation.last_valid_seq or 0)
        installation.state = "revoked"
        self.desk.append(("revoked", installation_id, installation.last_valid_seq))

    def decided(self, raw: str, worker: str, now_ms: int) -> str | None:
        """Take in a decision of the desk; return the code with which it must have been refused."""
        code = self.judgement.decide(raw, worker, now_ms)
        self._contents = None
        if code is None:
            self.desk.append(("decided", raw, worker, now_ms))
        return code

    def expired(self, now_ms: int) -> None:
        self.judgement.expire(now_ms)
        self._contents = None

    # --- what goes over the wire ---

    def enrol(self, request: dict[str, Any], certificate: str | None, now_ms: int) -> Expected:
        """Take in an enrolment; `certificate` is the text of the answer's, where it was heard."""
        code = self.codes.get(request["code"])
        wanted = request["installation"]
        known = self.installations.get(wanted)
        is_repeated = known is not None and code is not None and code.used_by == wanted
        if code is None or (known is not None and not is_repeated):
            return Expected(403, "enrolment_code_invalid")
        if not is_repeated and (code.used_by is not None or code.expires_ms < now_ms):
            return Expected(403, "enrolment_code_invalid")
        shown = json.loads((request.get("predecessor_certificate") or {"text": "{}"})["text"])
        if shown.get("installation") not in {None, *self.installations}:
            self.readmit_shown(request["predecessor_certificate"]["text"])
        if known is not None:
            return Expected(number=known.number)
        predecessor = self.installations.get(request["predecessor"] or "")
        if request["predecessor"] is not None:
            if predecessor is None or predecessor.worker != code.worker:
                return Expected(409, "predecessor_mismatch")
            if predecessor.state != "revoked":
                predecessor.state = "superseded"
        shown_number = None if certificate is None else json.loads(certificate)["number"]
        code.used_by = wanted
        self.installations[wanted] = Installation(
            wanted,
            self.number_due(shown_number),
            code.worker,
            certificate or "",
            now_ms,
            request["predecessor"],
            digests=[genesis(wanted)],
        )
        self.desk.append(("enrolled", certificate))
        return Expected(number=self.last_number)

    def sync(self, request: dict[str, Any], now_ms: int) -> Expected:
        """Take in a sync that the office has accepted or refused; return what it must have said."""
        if not self.let_in(request):
            return Expected(401, "installation_unknown")
        installation = self.installations[request["installation"]]
        shown = shown_acknowledgement(request)
        is_unfit = self._unfit(installation, request) is not None
        if shown is not None and not is_unfit and shown["acked_seq"] > installation.acked:
            self.begin_epoch(shown["epoch"])
        expected = self.take_in(request, now_ms)
        if expected.status == 200:
            if shown is not None and shown["epoch"] > self.epoch:
                self.begin_epoch(shown["epoch"])
            expected.durable_seq = min(self.durable_seq(installation.installation_id), installation.acked)
        return expected

    def let_in(self, request: dict[str, Any]) -> bool:
        """Return whether an installation is known, by its certificate where the office forgot it."""
        if request["installation"] in self.installations:
            return True
        if request["certificate"] is None or not self.readmit_shown(request["certificate"]["text"]):
            return False
        self.incidents.append("installation_readmitted")
        self.met["tablet_readmitted"] += 1
        return True

    def _unfit(self, installation: Installation, request: dict[str, Any]) -> Expected | None:
        if installation.state in {"fenced", "superseded"}:
            return Expected(403, f"installation_{installation.state}")
        if request["predecessor"] not in {None, installation.predecessor}:
            return Expected(409, "predecessor_mismatch")
        return None

    def take_in(self, request: dict[str, Any], now_ms: int) -> Expected:
        """Take in the run and the heartbeat of a request of an installation that is known."""
        installation = self.installations[request["installation"]]
        unfit = self._unfit(installation, request)
        if unfit is not None:
            return unfit
        push, head, hole = request["push"], request["journal_head"], request["hole"]
        first = push["first_seq"] if push else installation.acked + 1
        readings = [read_entry(raw, self.known_faults) for raw in push["entries"]] if push else []
        digests = [push["previous_digest"] if push else installation.head]
        for reading in readings:
            digests.append(next_digest(digests[-1], reading.sha256))
        last = first + len(readings) - 1
        if push and (
            head["seq"] < last or (readings and head["seq"] == last and head["digest"] != digests[-1])
        ):
            return Expected(409, "head_mismatch")
        if hole is not None and not _hole_fits(hole, first, digests[0], head):
            return Expected(409, "hole_mismatch")
        acked_before = installation.acked
        if first > installation.acked + 1:
            if hole is None or hole["from_seq"] != installation.acked + 1:
                return Expected(409, "journal_gap", expected_seq=installation.acked + 1)
            self._give_up(installation, hole)
        shown = {first - 1 + n: digest for n, digest in enumerate(digests)} | {head["seq"]: head["digest"]}
        stored = installation.digests
        known = {seq: stored[seq] for seq in shown if seq < len(stored)}
        if any(digest not in {None, shown[seq]} for seq, digest in known.items()):
            if installation.state != "revoked":
                installation.state = "fenced"
            self.desk.append(("fenced", installation.installation_id))
            self.incidents.append("journal_forked")
            self.contested |= {reading.sha256 for reading in readings}
            return Expected(409, "journal_forked")
        if any(installation.is_lost(seq) for seq in range(first, min(last, installation.acked) + 1)):
            return Expected(409, "journal_gap", expected_seq=installation.acked + 1)
        self._hear_of_first_receipt(installation, request, acked_before)
        run = list(zip(readings, digests[1:], strict=True))
        return self._accepted(installation, request, first, run, now_ms)

    def _give_up(self, installation: Installation, hole: dict[str, Any]) -> None:
        count = hole["floor_seq"] - installation.acked
        installation.holes.append((hole["from_seq"], hole["floor_seq"]))
        installation.verdicts += [None] * count
        installation.digests += [*([None] * (count - 1)), hole["floor_digest"]]
        # When the last of them was captured nobody knows.
        installation.walls.append(None)
        self.incidents.append("journal_hole")
        self.met["hole_declared"] += 1

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
                stored = installation.verdicts[seq - 1]
                assert stored is not None
                verdicts.append(stored)
                continue
            verdict = self.judgement.judge(installation, seq, reading, request, now_ms)
            captured = reading.captured
            installation.walls.append(captured["wall_ms"] if captured else None)
            installation.digests.append(digest)
            installation.verdicts.append(verdict)
            self.has_received(installation.installation_id, seq, digest, reading.sha256)
            verdicts.append(verdict)
        installation.marks.append(installation.mark_of(request, now_ms))
        for contested in self.judgement.fenced_by_receipts:
            if self.installations[contested].state == "active":
                self.installations[contested].state = "fenced"
                self.desk.append(("fenced", contested))
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

    def _hear_of_first_receipt(
        self, installation: Installation, request: dict[str, Any], acked_before: int
    ) -> None:
        """R8.5: an acknowledgement beyond what is known proves when the journal first arrived."""
        shown = shown_acknowledgement(request)
        if shown is None or shown["acked_seq"] <= acked_before:
            return
        known = installation.first_received
        if known is None or known[0] < shown["acked_seq"]:
            installation.first_received = (shown["acked_seq"], shown["server_ms"])
            self.incidents.append("acknowledgement_forgotten")

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


def shown_acknowledgement(request: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a request's last acknowledgement says; one of a predecessor says nothing."""
    if request["last_ack"] is None:
        return None
    content: dict[str, Any] = json.loads(request["last_ack"]["text"])
    return content if content["installation"] == request["installation"] else None


def _hole_fits(hole: dict[str, Any], first: int, before: str | None, head: dict[str, Any]) -> bool:
    floor = (hole["floor_seq"], hole["floor_digest"])
    is_head = head["seq"] == hole["floor_seq"]
    return (
        floor == (first - 1, before)
        and hole["from_seq"] <= hole["floor_seq"]
        and (not is_head or head["digest"] == hole["floor_digest"])
    )
