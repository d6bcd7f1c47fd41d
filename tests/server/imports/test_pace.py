"""An import's changes hold the write lock for a bounded time, and leave it alone between."""

from __future__ import annotations

from server.imports.pace import Pace


class _Machine:
    """A clock that stands still but for what is done on it, at so many milliseconds a row."""

    def __init__(self, ms_a_row: float) -> None:
        self.ms_a_row = ms_a_row
        self.now = 0.0
        self.slept: list[float] = []

    def now_s(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def change(self, pace: Pace, preparing_s: float = 0.0) -> float:
        """Make one change of as many rows as the pace says; return how long it held the lock."""
        rows = pace.rows
        self.now += preparing_s
        pace.wait()
        pace.begin()
        held_s = rows * self.ms_a_row / 1000
        self.now += held_s
        pace.end(rows)
        return held_s


def on(machine: _Machine, rows_most: int = 500) -> Pace:
    return Pace(rows_most, machine.now_s, machine.sleep)


def test_on_a_quick_machine_a_change_has_all_its_rows():
    machine = _Machine(ms_a_row=0.2)
    pace = on(machine)
    for _ in range(5):
        machine.change(pace)
    assert pace.rows == 500


def test_on_a_slow_machine_the_second_change_holds_the_lock_no_longer_than_a_push():
    machine = _Machine(ms_a_row=2)
    pace = on(machine)
    assert machine.change(pace) == 1.0
    assert machine.change(pace) <= 0.2
    assert pace.rows in (99, 100)


def test_a_machine_that_is_quick_again_gets_its_rows_back_by_and_by():
    machine = _Machine(ms_a_row=2)
    pace = on(machine)
    machine.change(pace)
    machine.ms_a_row = 0.1
    rows = []
    while pace.rows < 500:
        machine.change(pace)
        rows.append(pace.rows)
    assert rows == [150, 225, 337, 500]


def test_a_change_has_some_rows_however_slow_the_machine_is():
    machine = _Machine(ms_a_row=500)
    pace = on(machine)
    machine.change(pace)
    assert pace.rows == 50
    few = on(machine, rows_most=2)
    machine.change(few)
    assert few.rows == 2


def test_the_lock_is_left_alone_for_half_as_long_as_it_was_held_and_preparing_counts():
    machine = _Machine(ms_a_row=0.4)
    pace = on(machine)
    machine.change(pace)
    assert machine.slept == []
    machine.change(pace, preparing_s=0.05)
    machine.change(pace, preparing_s=0.5)
    assert [round(seconds, 3) for seconds in machine.slept] == [0.05, 0.0]
