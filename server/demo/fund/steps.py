"""What a fund's year is made of: gifts, nominations, what agents do at doors, what the office does, lines.

A `ref` is what people write on paper (N0012, D07-03): the office's book, the tablets' notes and the
statement name each other by it, so that a recount needs no id of the server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from server.demo.made_up import MadeUpPerson

ANY = "any"


@dataclass(frozen=True)
class Gift:
    """Money that the office hears of: cash at its desk, or a transfer that the statement shows."""

    ref: str
    day: date
    channel: str
    donor_class: str
    donor: str
    amount_vnd: int
    bucket: str = ANY
    pledge: str = ""


@dataclass(frozen=True)
class Nominee:
    """A person named at a door. `wave`: which round of approvals; `fate`: what becomes of them."""

    ref: str
    agent: int
    area: str
    person: MadeUpPerson
    pool: str
    evidence: str
    member: int
    months: int
    wave: int
    fate: str = ""


@dataclass(frozen=True)
class DoorStep:
    """One thing that an agent does, on a day and at a minute of their own clock."""

    ref: str
    day: date
    minute: int
    what: str
    members: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outing:
    """What an agent does offline between two syncs, and the day of the second."""

    agent: int
    sync_on: date
    steps: tuple[DoorStep, ...]
    trouble: str = ""


@dataclass(frozen=True)
class OfficeStep:
    """A line of the office's book. `outcome` is what should come of it: done, or why it is refused."""

    day: date
    action: str
    ref: str
    target: str = ""
    amount_vnd: int = 0
    donor_class: str = ""
    donor: str = ""
    bucket: str = ""
    months: int = 0
    member: int = 0
    outcome: str = "done"


@dataclass(frozen=True)
class BankRow:
    """A line of the account's statement, with what it turns out to be: `kind` of `target`."""

    day: date
    reference: str
    description: str
    amount_vnd: int
    kind: str
    target: str = ""
    balance_vnd: int = 0


@dataclass(frozen=True)
class Statement:
    """A file that the bank hands out: the rows of some days in one of its layouts."""

    name: str
    layout: str
    rows: tuple[BankRow, ...]


@dataclass(frozen=True)
class Stretch:
    """A stretch of the year: what the office does day by day, then who comes home."""

    office: tuple[OfficeStep, ...]
    outings: tuple[Outing, ...]


def with_balances(rows: Iterable[BankRow]) -> list[BankRow]:
    """Return the rows in the order of their days, each with the balance after it."""
    balance_vnd, found = 0, []
    for row in sorted(rows, key=lambda each: (each.day, each.reference)):
        balance_vnd += row.amount_vnd
        found.append(replace(row, balance_vnd=balance_vnd))
    return found
