"""Reads of the register, as the rules' own types, and of what a further line would take the place of."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, literal, select

from server.bulk_rows import among, rows_among
from server.outreach.queries import enrolment_periods
from server.people.queries import numbers_of_persons
from server.quotas.queries import enrolments_in_effect
from server.register.models import Participant, RegisterBaseline, RegisterBatch, RenewalWindow
from server.register.rules import Baseline, Joining, Listing, Register, Window

_LINE, _BATCH = Participant.__table__.c, RegisterBatch.__table__.c


def _is_current() -> ColumnElement[bool]:
    """Return the condition that a line is shown, and no later one has taken its place."""
    return _LINE.superseded_by.is_(None) & _LINE.import_id.in_(select(_BATCH.import_id))


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A current line with its sealed values, and where they are sealed."""

    import_id: str
    number: int
    key_number: str
    scheme: str
    as_of: date
    valid_from: date | None
    valid_to: date
    area_key: str | None
    national_index: str | None
    lapse_reason: str | None
    sealed: str


_KNOWN = select(*(_LINE[name] for name in KnownLine.__dataclass_fields__))
_BY_KEY = _KNOWN.where(_is_current(), among(_LINE.key_number))
_BY_NATIONAL = select(_LINE.national_index, _LINE.scheme, _LINE.as_of, _LINE.key_number).where(
    _is_current(), _LINE.insurance_index.is_not(None), among(_LINE.national_index)
)


def lines_by_key(
    connection: Connection, key_numbers: Iterable[str]
) -> dict[tuple[str, str, date], KnownLine]:
    """Return the current lines of these numbers by (number, scheme, day)."""
    found = (KnownLine(*row) for row in rows_among(connection, _BY_KEY, key_numbers))
    return {(each.key_number, each.scheme, each.as_of): each for each in found}


def keys_by_national_id(connection: Connection, indexes: Iterable[str]) -> dict[tuple[str, str, date], str]:
    """Return with which insurance number each national id goes in current lines, by (index, scheme, day)."""
    return {
        (row.national_index, row.scheme, row.as_of): row.key_number
        for row in rows_among(connection, _BY_NATIONAL, indexes)
    }


def current_lines(connection: Connection, area_keys: Collection[str] | None, *, most: int) -> list[KnownLine]:
    """Return the current lines of these areas (None: all lines) by scheme and day, at most so many."""
    query = _KNOWN.where(_is_current()).order_by(
        _LINE.scheme, _LINE.as_of, _LINE.area_key, _LINE.import_id, _LINE.number
    )
    if area_keys is not None:
        query = query.where(_LINE.area_key.in_(sorted(area_keys)))
    return [KnownLine(*row) for row in connection.execute(query.limit(most))]


def has_register(connection: Connection) -> bool:
    """Return whether anything of a register is there: a line that is shown, or a baseline."""
    shown = select(literal(1)).select_from(RegisterBatch).limit(1)
    return (
        connection.execute(shown).first() is not None
        or connection.execute(select(literal(1)).select_from(RegisterBaseline).limit(1)).first() is not None
    )


def listings_of(connection: Connection, scheme: str) -> list[Listing]:
    """Return the current lines of a scheme."""
    query = select(
        _LINE.insurance_index,
        _LINE.national_index,
        _LINE.as_of,
        _LINE.valid_to,
        _LINE.valid_from,
        _LINE.area_key,
        _LINE.lapse_reason,
    ).where(_is_current(), _LINE.scheme == scheme)
    return [
        Listing(_numbers(national, insurance), *rest)
        for insurance, national, *rest in connection.execute(query).all()
    ]


def _numbers(national_index: str | None, insurance_index: str | None) -> frozenset[str]:
    if national_index is None:
        return frozenset((f"insurance_number:{insurance_index}",))
    if insurance_index is None:
        return frozenset((f"national_id:{national_index}",))
    return frozenset((f"national_id:{national_index}", f"insurance_number:{insurance_index}"))


def baselines_of(connection: Connection, scheme: str | None = None) -> list[Baseline]:
    """Return the baselines, the newest first."""
    base = RegisterBaseline.__table__.c
    query = select(*(base[name] for name in Baseline.__dataclass_fields__))
    if scheme is not None:
        query = query.where(base.scheme == scheme)
    rows = connection.execute(query.order_by(base.as_of.desc(), base.scheme, base.code))
    return [Baseline(*row) for row in rows]


def windows_of(connection: Connection, scheme: str) -> list[Window]:
    """Return the dated rule of a scheme: within how many days an enrolment is a renewal."""
    window = RenewalWindow.__table__.c
    query = select(*(window[name] for name in Window.__dataclass_fields__)).where(window.scheme == scheme)
    return [Window(*row) for row in connection.execute(query.order_by(window.valid_from))]


def joinings_of(connection: Connection, scheme: str) -> list[Joining]:
    """Return the enrolments of a scheme that are in effect: paid for, and not voided."""
    facts = enrolments_in_effect(connection, scheme)
    if not facts:
        return []
    periods, persons = enrolment_periods(connection, scheme), numbers_of_persons(connection)
    found = []
    for fact in facts:
        person_id, from_day, months = periods[fact.fact_id]
        cluster, numbers = persons[person_id]
        found.append(
            Joining(
                fact_id=fact.fact_id,
                person=cluster,
                numbers=frozenset(numbers),
                day=fact.business_day,
                upper_ms=fact.upper_ms,
                from_day=from_day,
                until=last_day(from_day, months),
                declared=fact.status or "",
                agent_id=fact.agent_id,
                area_key=fact.area_key,
                campaign=fact.campaign,
            )
        )
    return found


@lru_cache(1024)
def last_day(from_day: date, months: int) -> date:
    """Return the last day of so many months that begin on a day."""
    years, month = divmod(from_day.month - 1 + months, 12)
    year, month = from_day.year + years, month + 1
    day = min(from_day.day, calendar.monthrange(year, month)[1])
    return date(year, month, day) - timedelta(days=1)


def register_of(connection: Connection, scheme: str, joinings: Iterable[Joining] | None = None) -> Register:
    """Return one scheme's register with its enrolments."""
    return Register(
        listings_of(connection, scheme),
        joinings_of(connection, scheme) if joinings is None else joinings,
        baselines_of(connection, scheme),
        windows_of(connection, scheme),
    )


def superseded_lines(connection: Connection, import_id: str) -> list[int]:
    """Return the lines of a batch, by their number in the sheet, whose place a later one has taken."""
    query = select(_LINE.number).where(_LINE.import_id == import_id, _LINE.superseded_by.is_not(None))
    return list(connection.scalars(query.order_by(_LINE.number)))


def every_line(connection: Connection) -> list[Mapping[str, Any]]:
    """Return every line with its batch's place, None where it is not shown: for verification."""
    query = (
        select(Participant.__table__, _BATCH.seq)
        .select_from(
            Participant.__table__.outerjoin(RegisterBatch.__table__, _LINE.import_id == _BATCH.import_id)
        )
        .order_by(_LINE.import_id, _LINE.number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def is_shown(connection: Connection, import_id: str) -> bool:
    """Return whether a batch is shown."""
    return bool(connection.scalar(select(exists().where(_BATCH.import_id == import_id))))


def newest_seq(connection: Connection) -> int:
    """Return the place of the batch that was shown last, 0 before the first."""
    return int(connection.scalar(select(func.max(_BATCH.seq))) or 0)


_UNTIL = select(_LINE.insurance_index, _LINE.national_index, _LINE.as_of, _LINE.valid_to).where(
    _is_current(), _LINE.scheme == bindparam("scheme")
)
_UNTIL_BY = {
    "insurance_number": _UNTIL.where(among(_LINE.insurance_index)),
    "national_id": _UNTIL.where(among(_LINE.national_index)),
}


def insured_until(connection: Connection, scheme: str, numbers: Iterable[str]) -> dict[str, date]:
    """Return until which day the register says that each number is insured, by its newest line.

    Numbers are `<kind>:<blind index>`, as in `Listing.numbers`; those without a line are left out.
    """
    wanted: dict[str, set[str]] = {kind: set() for kind in _UNTIL_BY}
    for number in numbers:
        kind, _, index = number.partition(":")
        wanted[kind].add(index)
    newest: dict[str, tuple[date, date]] = {}
    for kind, indexes in wanted.items():
        for row in rows_among(connection, _UNTIL_BY[kind], indexes, scheme=scheme):
            number = f"{kind}:{row.insurance_index if kind == 'insurance_number' else row.national_index}"
            said = (row.as_of, row.valid_to)
            newest[number] = max(newest.get(number, said), said)
    return {number: valid_to for number, (_, valid_to) in newest.items()}
