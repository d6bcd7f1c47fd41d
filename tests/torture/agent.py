"""A field client in a process of its own, led by JSON lines, that a test may kill at any moment.

`python -m tests.torture.agent HOME WITNESS_FOLDER NAME`. It says "saved" with the ids of entries
only when the client has said so to a person; the witness writes down what goes over the line.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from field_client.client import FieldClient
from field_client.delivery import DeviceCopiedError, NotAcknowledgedError
from field_client.exchange import RefusedError, ServerBusyError
from field_client.session import NoProgressError, SyncRunningError
from field_client.store import NoSpaceError, StoreError
from field_client.transport import HttpTransport, LineDownError, NotOurServerError, checked_address
from tests.torture.witness import WitnessedTransport, WitnessFile

# Of tests/support/small_office.py, without importing a whole server with it.
COMMUNES = ("28249@2004-01-01", "28252@2004-01-01", "28255@2004-01-01")
DRIVE = 2
_LONGEST_WAIT_S = 0.3
AMOUNT_VND = 300_000
# A full disk ends a sync in one of several ways; the next one goes on.
_STOPPED = (DeviceCopiedError, NoProgressError, StoreError, SyncRunningError)
_FAILED = (LineDownError, ServerBusyError, NotOurServerError, NotAcknowledgedError, RefusedError)


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Agent:
    """One home directory and the person who holds it."""

    def __init__(self, home: Path, witness: WitnessFile) -> None:
        self._witness = witness
        self._quiet_s = 30.0
        self.client = FieldClient(home, transport=self._line, sleep=self._wait)

    def _line(self, url: str) -> WitnessedTransport:
        timeout = httpx.Timeout(self._quiet_s, connect=10.0)
        client = httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)
        return WitnessedTransport(HttpTransport(checked_address(url), client), self._witness)

    def _wait(self, seconds: float) -> None:
        time.sleep(min(seconds, _LONGEST_WAIT_S))

    def enrol(self, command: dict[str, Any]) -> dict[str, Any]:
        """Register with a one-time code."""
        identity = self.client.enrol(command["server"], command["code"])
        return {"installation": identity.installation}

    def work(self, command: dict[str, Any]) -> dict[str, Any]:
        """Knock at some doors; each door is one transaction, told as soon as it is saved."""
        chance = random.Random(command["seed"])
        households: list[str] = []
        try:
            self._knock(chance, command, households)
        except (NoSpaceError, StoreError, sqlite3.OperationalError) as error:
            return {"households": households, "refused": type(error).__name__}
        return {"households": households}

    def _knock(self, chance: random.Random, command: dict[str, Any], households: list[str]) -> None:
        for _ in range(command["doors"]):
            self.client.store.require_space(command.get("reserved_bytes", 0))
            with self.client.recording() as actions:
                household = actions.register_household(
                    area=chance.choice(COMMUNES),
                    head_name=f"Chủ {chance.randrange(10**6)}",
                    address=f"{chance.randrange(1, 300)} Lê Lợi",
                )
                person = actions.register_person(
                    full_name="Lê Thị Bưởi",
                    household=household,
                    national_id=f"{chance.randrange(10**12):012d}",
                )
                visit = actions.record_visit(household=household, disposition="agreed", campaign=DRIVE)
                enrolment = actions.record_enrolment(
                    person=person,
                    scheme="voluntary",
                    status="new",
                    from_month="2026-12",
                    months=3,
                    amount_due_vnd=AMOUNT_VND,
                    visit=visit,
                    campaign=DRIVE,
                )
                collected = actions.collect_payment([(enrolment, AMOUNT_VND)])
                for other in command.get("others", ()):
                    actions.record_visit(
                        household=other, disposition="call_back", area=COMMUNES[0], campaign=DRIVE
                    )
            households.append(household)
            _tell(saved=[household, person, visit, enrolment, collected.payment_id])

    def sync(self, command: dict[str, Any]) -> dict[str, Any]:
        """Sync until all is delivered, `rounds` times at most."""
        self._quiet_s = command.get("quiet_s", 30.0)
        heard: list[str] = []
        for attempt in range(1, command.get("rounds", 1) + 1):
            _tell(posting=attempt)
            try:
                report = self.client.sync()
            except _FAILED as error:
                heard.append(f"{type(error).__name__} {error}")
                self._wait(_LONGEST_WAIT_S)
                continue
            except (*_STOPPED, sqlite3.OperationalError) as error:
                return {"outcome": f"{type(error).__name__} {error}", "heard": heard}
            return {
                "outcome": "synced",
                "rounds": attempt,
                "unsent": report.unsent,
                "quarantined": report.quarantined,
                "differing": report.differing_scopes,
                "heard": heard,
            }
        return {"outcome": "not synced", "heard": heard, "unsent": self.client.outbox.unsent_count()}


def main(home: Path, witnesses: Path, name: str) -> None:
    """Obey commands until there are no more."""
    agent = Agent(home, WitnessFile(witnesses, name))
    _tell(ready=True)
    for line in sys.stdin:
        command = json.loads(line)
        done = getattr(agent, command["do"])(command)
        _tell(done=command["do"], **done)
    agent.client.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
