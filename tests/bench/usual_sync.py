"""The usual sync of a day: 30 entries up and 50 rows down, by the real field client."""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from field_client.actions import Actions
from field_client.client import FieldClient
from tests.bench.office import CAMPAIGN, Served, served, set_up
from tests.bench.parts import Measures, Part, Scale
from tests.bench.pushing import seed_households
from tests.bench.relay import CountingRelay
from tests.bench.tablet import BenchTablet
from tests.bench.wire import Line, RefusedError

AN_ENROLMENT: dict[str, Any] = {
    "scheme": "voluntary",
    "status": "new",
    "from_month": "2026-01",
    "months": 6,
    "amount_due_vnd": 330_000,
    "campaign": CAMPAIGN,
}
ROWS = 50
ENTRIES = 30
_KNOWN_VISITS = 10
_NEW_HOUSEHOLDS = 6
_PERSONS = 4


class _OneDay:
    """Records what an agent does in some streets: 30 entries that belong together."""

    def __init__(self, client: FieldClient, area: str, known: list[str]) -> None:
        self._client, self._area, self._known = client, area, known
        self._visits = 0

    def record(self) -> None:
        """Append 22 visits and registrations, 4 persons, install, enrolment, payment and receipt."""
        with self._client.recording() as actions:
            for number in range(_KNOWN_VISITS):
                self._visits += 1
                household = self._known[self._visits % len(self._known)]
                note = "Hẹn đến cuối tháng" if number % 3 == 0 else None
                actions.record_visit(
                    household=household, area=self._area, disposition="agreed", campaign=CAMPAIGN, note=note
                )
            homes = [self._new_home(actions, number) for number in range(_NEW_HOUSEHOLDS)]
            persons = [
                actions.register_person(
                    household=homes[number], full_name=f"Nguyễn Thị {number}", birth_date="1974-03-09"
                )
                for number in range(_PERSONS)
            ]
            actions.record_install(
                person=persons[1],
                state="activated",
                occasion="home_visit",
                evidence="seen_on_screen",
                campaign=CAMPAIGN,
            )
            self._pay(actions, persons[0])

    def _new_home(self, actions: Actions, number: int) -> str:
        household = actions.register_household(
            area=self._area, head_name=f"Trần Văn {number}", address=f"{self._visits + number} Ấp Nam"
        )
        actions.record_visit(household=household, disposition="agreed", campaign=CAMPAIGN)
        return household

    def _pay(self, actions: Actions, person: str) -> None:
        enrolment = actions.record_enrolment(person=person, **AN_ENROLMENT)
        actions.collect_payment([(enrolment, AN_ENROLMENT["amount_due_vnd"])])


def measure(scale: Scale) -> Measures:
    """Sync some hundred times; another tablet of the commune makes up the rows to fifty."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'office.sqlite3'}"
        mine, others = set_up(url, 2, 2)
        with (
            served(url, folder) as server,
            Line(server.address) as line,
            CountingRelay(server.address) as relay,
            FieldClient(folder / "tablet") as client,
        ):
            neighbour = BenchTablet(line, others)
            neighbour.enrol()
            known = seed_households(neighbour, max(scale.households // 4, 1), scale.large_batch)
            client.enrol(relay.address, mine.code)
            client.sync()
            day = _OneDay(client, mine.area, known)
            return _measured(scale.usual_syncs, day, client, neighbour, known, server, relay)


def _measured(
    syncs: int,
    day: _OneDay,
    client: FieldClient,
    neighbour: BenchTablet,
    known: list[str],
    server: Served,
    relay: CountingRelay,
) -> Measures:
    samples: list[dict[str, float]] = []
    foreign_rows = ENTRIES // 2
    for number in range(syncs + 2):
        visits = [neighbour.visit(known[n % len(known)]) for n in range(foreign_rows)]
        if visits:
            neighbour.push(visits, len(visits))
        day.record()
        relay.reset()
        logged = server.log.stat().st_size
        report = client.sync()
        if not report.is_clean:
            raise RefusedError(f"the usual sync is not clean: {report}")
        foreign_rows = max(foreign_rows + ROWS - report.received, 0)
        if number < 2:
            # Until here the neighbour's share was being found.
            continue
        samples.append(
            {
                "up_bytes": relay.up_bytes,
                "down_bytes": relay.down_bytes,
                "round_trips": report.rounds,
                "entries": report.sent,
                "rows": report.received,
                "server_ms": sum(_answer_times_ms(server.log, logged)),
            }
        )
    medians = {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}
    quarter = max(len(samples) // 4, 1)
    first_ms, last_ms = (
        statistics.median(sample["server_ms"] for sample in part)
        for part in (samples[:quarter], samples[-quarter:])
    )
    times_ms = sorted(sample["server_ms"] for sample in samples)
    return medians | {
        "most_round_trips": max(sample["round_trips"] for sample in samples),
        "most_up_bytes": max(sample["up_bytes"] for sample in samples),
        "most_down_bytes": max(sample["down_bytes"] for sample in samples),
        # 1 where a sync costs the same however many came before it.
        "slowing": last_ms / max(first_ms, 1),
        "p95_server_ms": times_ms[min(int(len(times_ms) * 0.95), len(times_ms) - 1)],
    }


def _answer_times_ms(log: Path, start: int) -> list[float]:
    """Return what the server's own log says of the syncs after this place."""
    with log.open("rb") as lines:
        lines.seek(start)
        events: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith(b"{")]
    return [event["ms"] for event in events if event.get("route") == "/api/v1/sync"]


PART = Part(
    "usual",
    "the field client through a counting relay (bytes with headers, without TLS); 30 entries: 16 visits,"
    " 6 households, 4 persons, install, enrolment, payment, receipt; 50 rows; SQLite, one process;"
    " milliseconds from the server's request log",
    measure,
    repeats=False,
)
