"""The world of one history: one true clock, one server, tablets, lines between them, and an oracle."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from field_client.transport import LineDownError, NotOurServerError, Reply, Transport
from tests.simulation import plan
from tests.simulation.answers import ENROLMENTS, require_answer
from tests.simulation.chance import Chance
from tests.simulation.founding import found_office, issue_code
from tests.simulation.oracle.auditor import Expected, Oracle, parsed, shown_acknowledgement
from tests.simulation.oracle.office import Assignment, Office
from tests.simulation.server_process import DISK, ServerKilledError, ServerProcess, StatementFault
from tests.simulation.tablets import Tablet, place_files
from tests.simulation.violation import Violation
from tests.support.clocks import START_MS, FakeClock
from tests.support.offices import create_schema

SERVER_URL = "http://localhost:8000"
# As a name or a note it makes the server's handler raise.
POISON = "thuốc độc"
_STATEMENT_FAULTS = ("server_killed", "disk_full", "database_locked")


@dataclass
class Known:
    """What agents could refer to, oldest first: ids with what is needed to speak of them."""

    households: list[tuple[str, str]] = field(default_factory=list)
    persons: list[tuple[str, str]] = field(default_factory=list)
    visits: list[tuple[str, str]] = field(default_factory=list)
    enrolments: list[tuple[str, str, int]] = field(default_factory=list)
    payments: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Beginning:
    """Where every history begins: an office with one enrolled tablet for each worker."""

    office_files: dict[str, bytes]
    homes: dict[str, dict[str, bytes]]
    # The oracle, and what agents could refer to.
    believed: bytes
    now_ms: int


class World:
    """See the module. One world serves many histories; `begin` sets everything back."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self._folder = Path(tempfile.mkdtemp(prefix="tungnha-sim-", dir=memory if memory.is_dir() else None))
        self.clock = FakeClock()
        self.chance = Chance()
        self.server = ServerProcess(self._folder / "office.sqlite3", self.clock)
        self.tablets: list[Tablet] = []
        self.trace: list[str] = []
        self.fired: Counter[str] = Counter()
        self.beginning: Beginning | None = None
        # The worker who decides at the desk.
        self.supervisor = ""
        self._stored: sqlite3.Connection | None = None
        self._set_back()

    def _set_back(self) -> None:
        self.known = Known()
        self.requests: list[tuple[Tablet, str, bytes, str]] = []
        self.true_ms: dict[str, int] = {}
        self.made = 0
        # How many entries and rows fit into a request and an answer, None: as the limits say.
        self.narrow_to: int | None = None
        # Backups of the office that could be restored, by the oracle's index.
        self.backups: dict[int, Path] = {}
        # Counts how often another file was put in the database's place.
        self.placed = 0

    def close(self) -> None:
        """Remove everything."""
        self._clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _clear(self) -> None:
        for tablet in self.tablets:
            tablet.close()
        self.tablets = []
        self.let_go()
        for path in self._folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def let_go(self) -> None:
        """Stop the server and stop looking at its file: another one may take its place."""
        if self._stored is not None:
            self._stored.close()
        self._stored = None
        self.server.stop()
        self.placed += 1

    @property
    def folder(self) -> Path:
        """Return where everything of a history lies."""
        return self._folder

    # --- beginnings ---

    def found(self) -> None:
        """Found the office and enrol the first tablets: the beginning of every history."""
        self._clear()
        self._set_back()
        self.chance.begin("founding")
        self.clock.set(START_MS)
        create_schema(f"sqlite:///{self.server.path}")
        founded = found_office(self.server.runtime)
        self.supervisor = founded.supervisor
        days = {number: _day_numbers(*span) for number, span in plan.CAMPAIGNS.items()}
        office = Office(
            dict(plan.PARENTS),
            list(plan.COMMUNES),
            days,
            plan.INDICATORS,
            {worker: name for name, worker in founded.workers.items()},
        )
        self.oracle = Oracle(office)
        self.oracle.judgement.poison = POISON
        for name, worker in founded.workers.items():
            assignment = founded.assignments[name]
            office.assignments[assignment] = Assignment(assignment, worker, plan.WORKERS[name], START_MS)
            tablet = self.new_tablet(worker)
            self.clock.advance(seconds=1)
            tablet.client.enrol(SERVER_URL, self.new_code(worker))
        self._first_round()
        self.beginning = Beginning(
            {},
            {tablet.worker: tablet.copied_files() for tablet in self.tablets},
            pickle.dumps((self.oracle, self.known), pickle.HIGHEST_PROTOCOL),
            self.clock.now_ms(),
        )
        self.server.stop()
        self._stored_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.beginning.office_files = self._office_files()

    def begin(self) -> None:
        """Set everything back to the beginning."""
        assert self.beginning is not None
        self._clear()
        self._set_back()
        self.chance.begin("beginning")
        self.trace, self.fired = [], Counter()
        self.clock.set(self.beginning.now_ms)
        for name, content in self.beginning.office_files.items():
            (self._folder / name).write_bytes(content)
        self.oracle, self.known = pickle.loads(self.beginning.believed)
        for worker, files in self.beginning.homes.items():
            place_files(self._folder / f"tablet-{self.made}", files)
            tablet = self.new_tablet(worker)
            tablet.saved = [sha256 for sha256, _, _ in tablet.entries()]

    def _first_round(self) -> None:
        """Let the first agent register a household and a person in each commune, and all hear of them."""
        actions = self.tablets[0].client.actions
        for number, area in enumerate(plan.COMMUNES):
            household = actions.register_household(area=area, head_name=f"Đầu {number}", address="1")
            person = actions.register_person(full_name=f"Người đầu {number}", household=household)
            self.known.households.append((household, area))
            self.known.persons.append((person, area))
        for tablet in self.tablets:
            tablet.client.sync()

    def _office_files(self) -> dict[str, bytes]:
        """Return the database and what lies beside it, such as the desk journal."""
        paths = self._folder.glob(f"{self.server.path.name}*")
        return {path.name: path.read_bytes() for path in paths if not path.name.endswith(("-wal", "-shm"))}

    # --- what there is ---

    def stored(self) -> sqlite3.Connection:
        """Return a connection that only looks at the server's file."""
        return self._stored_connection()

    def _stored_connection(self) -> sqlite3.Connection:
        if self._stored is None:
            self._stored = sqlite3.connect(self.server.path, isolation_level=None)
        return self._stored

    def new_tablet(self, worker: str) -> Tablet:
        """Hand a tablet to a worker; its home may be there already."""
        tablet = Tablet(f"T{self.made}", self._folder / f"tablet-{self.made}", worker, self)
        self.made += 1
        self.tablets.append(tablet)
        return tablet

    def clone(self, tablet: Tablet) -> Tablet:
        """Make a copy of a tablet as it is now."""
        place_files(self._folder / f"tablet-{self.made}", tablet.copied_files())
        twin = self.new_tablet(tablet.worker)
        twin.saved = [sha256 for sha256, _, _ in twin.entries()]
        twin.heard = tablet.heard
        return twin

    def new_code(self, worker: str) -> str:
        """Have a supervisor issue a code."""
        code = issue_code(self.server.runtime, worker)
        self.oracle.code_issued(code, worker, self.clock.now_ms())
        return code

    def sleep(self, seconds: float) -> None:
        """Let time pass while a tablet waits."""
        self.clock.advance(ms=int(seconds * 1000))

    def note(self, *words: Any) -> None:
        """Add a line to the trace."""
        self.trace.append(" ".join(map(str, words)))

    def fire(self, fault: str) -> None:
        """Count a fault that struck."""
        self.fired[fault] += 1

    # --- the wire ---

    def line_of(self, tablet: Tablet) -> Transport:
        """Return the line that a tablet sends through."""
        return _Line(self, tablet)

    def deliver(self, tablet: Tablet, path: str, body: bytes, signature: str, fault: str = "") -> Reply:
        """Bring a request to the server and its answer to the oracle. Raises LineDownError when it dies."""
        request = parsed(body)
        chain = f"installation:{request['installation']}"
        before = self._audited(chain)[0]
        kind, _, at = fault.partition(":")
        DISK.fault = StatementFault(kind, int(at)) if kind in _STATEMENT_FAULTS else None
        reply: Reply | None = None
        try:
            reply = self.server.answer(path, body, signature)
        except ServerKilledError:
            self.server.restart()
        struck = DISK.fault if reply is not None else StatementFault(kind, 0, has_struck=True)
        DISK.fault = None
        if struck is not None and struck.has_struck:
            self.fire(kind)
        is_disturbed = reply is None or (struck is not None and struck.has_struck and reply.status != 200)
        status = "killed" if reply is None else reply.status
        self.note(" ", tablet.name, path, _short(body), "->", status, _short(reply.body) if reply else "")
        if is_disturbed:
            if reply is not None and reply.status not in {503, 507}:
                raise Violation(f"20: {reply.status} where the disk failed: {reply.body[:300]!r}")
            self._hear_of(path, request, self._audited(chain, before)[1])
        else:
            assert reply is not None
            self._compare(path, request, reply)
        if reply is None:
            raise LineDownError("the server died")
        return reply

    def _audited(self, chain: str, after: int = 1 << 62) -> tuple[int, list[str]]:
        """Return the end of an audit chain, and what stands in it after a number."""
        stored = self._stored_connection()
        found = stored.execute("SELECT seq FROM audit_head WHERE chain = ?", (chain,)).fetchone()
        rows = stored.execute(
            "SELECT action FROM audit_row WHERE chain = ? AND seq > ? ORDER BY seq", (chain, after)
        )
        return int((found or (0,))[0]), [action for (action,) in rows]

    def _hear_of(self, path: str, request: dict[str, Any], actions: list[str]) -> None:
        """Tell the oracle what was committed of a request whose answer nobody has."""
        if path == ENROLMENTS:
            if actions:
                self._hear(path, request, None)
            return
        is_taken_in = False
        for action in actions:
            if action == "installation_readmitted":
                self.oracle.let_in(request)
            elif action == "epoch_started":
                shown = shown_acknowledgement(request)
                assert shown is not None
                self.oracle.begin_epoch(shown["epoch"])
            elif action in {"sync", "installation_fenced"} and not is_taken_in:
                is_taken_in = True
                self.oracle.take_in(request, self.clock.now_ms())

    def _hear(self, path: str, request: dict[str, Any], answer: dict[str, Any] | None) -> Expected:
        if path == ENROLMENTS:
            certificate = answer["certificate"]["text"] if answer and "certificate" in answer else None
            if certificate is None:
                found = self._stored_connection().execute(
                    "SELECT certificate_text FROM installation WHERE id = ?", (request["installation"],)
                )
                certificate = (found.fetchone() or (None,))[0]
            return self.oracle.enrol(request, certificate, self.clock.now_ms())
        return self.oracle.sync(request, self.clock.now_ms())

    def _compare(self, path: str, request: dict[str, Any], reply: Reply) -> None:
        answer = json.loads(reply.body)
        expected = self._hear(path, request, answer if reply.status == 200 else None)
        require_answer(self.oracle, path, expected, reply.status, answer)


class _Line:
    """One connection of a tablet: what `Tablet.line` says happens to the next requests."""

    def __init__(self, world: World, tablet: Tablet) -> None:
        self._world, self._tablet = world, tablet

    def close(self) -> None:
        """Let the line go."""

    def post(self, path: str, body: bytes, signature: str) -> Reply:
        world, tablet = self._world, self._tablet
        fault = tablet.line.pop(0) if tablet.line else ""
        if fault in {"request_lost", "down"}:
            world.fire("request_lost")
            world.note(" ", tablet.name, path, "lost on the way")
            raise LineDownError(fault)
        if fault == "portal_page":
            world.fire("captive_portal")
            return Reply(200, {"content-type": "text/html"}, b"<html>Welcome</html>")
        if fault == "portal_forgery":
            world.fire("forged_answer")
            return _forged(tablet, body)
        if fault == "tampered":
            self._tamper(path, body, signature)
        world.requests.append((tablet, path, body, signature))
        reply = world.deliver(tablet, path, body, signature, fault)
        if fault == "duplicated":
            world.fire("request_duplicated")
            reply = world.deliver(tablet, path, body, signature)
        if fault == "answer_lost":
            world.fire("answer_lost")
            raise LineDownError(fault)
        if fault == "answer_cut":
            world.fire("answer_cut")
            raise LineDownError(fault) if len(body) % 2 else NotOurServerError(fault)
        if reply.status == 200 and path != ENROLMENTS:
            tablet.last_answer = reply.body
        return reply

    def _tamper(self, path: str, body: bytes, signature: str) -> None:
        self._world.fire("request_tampered")
        request = parsed(body)
        request["journal_head"] = {"seq": 0, "digest": "0" * 64} if "journal_head" in request else None
        reply = self._world.server.answer(path, json.dumps(request).encode(), signature)
        if reply.status not in {401, 422}:
            raise Violation(f"R3.2: a tampered request was answered {reply.status}")


def _forged(tablet: Tablet, body: bytes) -> Reply:
    """What somebody without the office's key could answer: all as it should be but the signature."""
    if tablet.last_answer is None:
        return Reply(200, {"content-type": "application/json"}, b"{}")
    answer, head = json.loads(tablet.last_answer), parsed(body).get("journal_head")
    if head is not None and "ack" in answer:
        text = json.loads(answer["ack"]["text"]) | {"acked_seq": head["seq"], "head": head["digest"]}
        answer["ack"]["text"] = json.dumps(text)
        answer |= {"verdicts": [], "outcomes": [], "grants": None, "rows": []}
    return Reply(200, {"content-type": "application/json"}, json.dumps(answer).encode())


def _short(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _day_numbers(first: str, last: str) -> tuple[int, int]:
    epoch = date(1970, 1, 1)
    return (date.fromisoformat(first) - epoch).days, (date.fromisoformat(last) - epoch).days
