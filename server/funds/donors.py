"""Reads of who gave, by class; no name is in any of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import Connection, func, select

from server.bank.queries import matched_lines
from server.funds.models import Donation, OfficeDonation
from server.funds.rules import DonorClass, MatchKind


def given_by_class(
    connection: Connection, fund: int, from_day: date, to_day: date
) -> dict[DonorClass, tuple[int, int]]:
    """Return by class how many donations came in on these days, and their đồng.

    Cash counts on its own day, a transfer on that of the line which shows it. What was voided or
    reversed does not count; what bounced or was refunded still does, since it had come in.
    """
    counts, amounts = defaultdict[DonorClass, int](int), defaultdict[DonorClass, int](int)
    for donor_class, count, amount_vnd in [
        *_cash(connection, fund, from_day, to_day),
        *_transfers(connection, fund, from_day, to_day),
    ]:
        counts[DonorClass(donor_class)] += count
        amounts[DonorClass(donor_class)] += amount_vnd
    return {each: (counts[each], amounts[each]) for each in DonorClass if counts[each]}


def _cash(connection: Connection, fund: int, from_day: date, to_day: date) -> list[tuple[str, int, int]]:
    door, office = Donation.__table__.c, OfficeDonation.__table__.c
    statements = (
        select(door.donor_class, func.count(), func.sum(door.amount_vnd)).where(
            door.fund == fund,
            door.method == "cash",
            door.voided_by.is_(None),
            door.business_day.between(from_day, to_day),
        ),
        select(office.donor_class, func.count(), func.sum(office.amount_vnd)).where(
            office.fund == fund,
            office.channel == "cash",
            office.reversed_ms.is_(None),
            office.day.between(from_day, to_day),
        ),
    )
    return [
        (row[0], row[1], int(row[2]))
        for statement, name in zip(statements, (door.donor_class, office.donor_class), strict=True)
        for row in connection.execute(statement.group_by(name))
    ]


def _transfers(connection: Connection, fund: int, from_day: date, to_day: date) -> list[tuple[str, int, int]]:
    door, office = Donation.__table__.c, OfficeDonation.__table__.c
    at_doors = select(door.entry_id, door.donor_class).where(door.fund == fund, door.method == "transfer")
    at_office = select(office.id, office.donor_class).where(office.fund == fund, office.channel == "transfer")
    class_of = {row[0]: row[1] for one in (at_doors, at_office) for row in connection.execute(one)}
    kinds = (MatchKind.DOOR_DONATION, MatchKind.OFFICE_DONATION)
    # A donation that a restored office has yet to hear of again has no class yet.
    return [
        (class_of[target], 1, line.amount_vnd)
        for line, _, target in matched_lines(connection, fund, kinds)
        if target in class_of and from_day <= line.day <= to_day
    ]
