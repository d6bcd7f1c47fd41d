"""Lines, enrolments and baselines for tests of the register's rules."""

from __future__ import annotations

from datetime import date
from typing import Any

from server.register.queries import last_day
from server.register.rules import Baseline, Joining, Listing, Register, Window

YEAR_END = date(2019, 12, 31)
WINDOW = Window("voluntary", date(2015, 1, 1), 90)


def a_listing(
    *numbers: str, valid_to: date = date(2020, 6, 30), as_of: date = YEAR_END, **more: Any
) -> Listing:
    """Return a line of the register; a number is `i1` (insurance) or `n1` (national id)."""
    return Listing(frozenset(map(_number, numbers)), as_of, valid_to, **more)


def a_joining(
    fact_id: str, *numbers: str, day: date = date(2020, 5, 12), months: int = 3, **more: Any
) -> Joining:
    """Return an enrolment in effect."""
    from_day = more.pop("from_day", day.replace(day=1))
    return Joining(
        fact_id=fact_id,
        person=more.pop("person", fact_id),
        numbers=frozenset(map(_number, numbers)),
        day=day,
        upper_ms=more.pop("upper_ms", day.toordinal()),
        from_day=from_day,
        until=last_day(from_day, months),
        declared=more.pop("declared", "new"),
        agent_id="an",
        area_key=more.pop("area_key", "A"),
        campaign=1,
    )


def _number(short: str) -> str:
    return ("insurance_number:" if short[0] == "i" else "national_id:") + short[1:]


def a_baseline(persons: int, as_of: date = YEAR_END, code: str = "2019") -> Baseline:
    """Return a baseline."""
    return Baseline("voluntary", code, f"Mốc {code}", as_of, persons)


def a_register(
    listings: list[Listing],
    joinings: list[Joining] | None = None,
    baselines: list[Baseline] | None = None,
    windows: list[Window] | None = None,
) -> Register:
    """Return a register under the rule of 90 days, unless told."""
    return Register(listings, joinings or [], baselines or [], [WINDOW] if windows is None else windows)
