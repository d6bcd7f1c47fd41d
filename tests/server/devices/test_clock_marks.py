"""Of a tablet's many clock marks a push reads those that can say something of its entries."""

from __future__ import annotations

import random
from dataclasses import replace

from sqlalchemy import insert

from server.audit.changes import Actor, Change, run_change
from server.devices.models import ClockMarkRow
from server.devices.queries import InstallationView, clock_marks_of
from server.runtime import Runtime
from sync.clock import ClockMark, ClockReading, Timeline, spans_by_boot

OWN, PREDECESSOR = "own", "predecessor"
BOOTS = ("a", "b", "c")
AN_INSTALLATION = InstallationView(
    **dict.fromkeys(InstallationView.__dataclass_fields__) | {"id": OWN, "number": 1}
)
LINEAGE = [AN_INSTALLATION, replace(AN_INSTALLATION, id=PREDECESSOR)]


def store(runtime: Runtime, marks: list[tuple[str, ClockMark]]) -> None:
    """Store marks of installations."""

    def work(change: Change) -> None:
        for number, (installation_id, mark) in enumerate(marks):
            row = {
                "id": f"{number:05}",
                "installation_id": installation_id,
                "server_ms": mark.server_ms,
                "boot": mark.boot,
                "monotonic_ms": mark.monotonic_ms,
                "wall_ms": 0,
                "head_seq": mark.head_seq,
            }
            change.connection.execute(insert(ClockMarkRow), row)
        change.audit("marks", "test")

    run_change(runtime.transactions, Actor("job:test"), 0, work)


def test_the_marks_that_are_read_prove_what_all_of_them_prove(any_runtime):
    chance = random.Random(7)
    marks = []
    for server_ms in sorted(chance.sample(range(5_000), 60)):
        mark = ClockMark(server_ms, chance.choice(BOOTS), chance.randrange(3_000), chance.randrange(40))
        marks.append((chance.choice((OWN, OWN, PREDECESSOR, "somebody else's")), mark))
    store(any_runtime, marks)
    everything = [
        mark if installation_id == OWN else replace(mark, head_seq=None)
        for installation_id, mark in marks
        if installation_id in {OWN, PREDECESSOR}
    ]
    this_sync = ClockMark(6_000, "c", 3_500)
    with any_runtime.transactions.reading() as connection:
        for first_seq in range(45):
            for boots in (("a",), ("b", "c"), ("never seen",), (*BOOTS, "never seen")):
                within = chance.choice((30, 4_000))
                begin_ms, seqs = chance.randrange(4_000), range(first_seq, first_seq + chance.randrange(1, 7))
                captures = [
                    ClockReading(0, chance.choice(boots), begin_ms + chance.randrange(within)) for _ in seqs
                ]
                read = clock_marks_of(connection, LINEAGE, (seqs[0], seqs[-1]), spans_by_boot(captures))
                for seq, captured in zip(seqs, captures, strict=True):
                    expected = Timeline(everything, this_sync, 100).corrected(captured, seq)
                    assert Timeline(read, this_sync, 100).corrected(captured, seq) == expected


def test_a_year_of_marks_is_not_read_for_one_push(any_runtime):
    marks = [(OWN, ClockMark(day * 100, f"boot {day}", 5, day)) for day in range(1, 366)]
    store(any_runtime, marks)
    with any_runtime.transactions.reading() as connection:
        read = clock_marks_of(connection, LINEAGE, (364, 364), {"boot 200": (7, 9)})
    assert [mark.head_seq for mark in read] == [200, 363, 364]


def test_a_boot_of_a_thousand_syncs_is_not_read_for_one_push(any_runtime):
    marks = [(OWN, ClockMark(number * 100, "a", number * 100, number)) for number in range(1, 1001)]
    store(any_runtime, marks)
    with any_runtime.transactions.reading() as connection:
        read = clock_marks_of(connection, LINEAGE, (998, 999), {"a": (50_150, 50_350)})
    assert [mark.head_seq for mark in read] == [501, 502, 503, 504, 997, 998, 999]
