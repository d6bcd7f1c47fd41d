"""Gathers a list for the insurer out of the features: enrolments, persons, payments, receipts, codes.

What an agent declared is sensitive and stands in the entries' sealed bytes alone; it is opened here for
whoever may have the list, and whoever calls this writes it into the audit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.bulk_rows import chunks
from server.dashboard.queries import names_of
from server.dashboard.rules import vietnamese_order
from server.declarations.rules import Declared, Gathered, ReceiptGiven, declared
from server.exchange.intake import held_candidate
from server.imports.given_codes import WORKER, codes_of
from server.journals.queries import stored_entries
from server.money.queries import settled_allocations
from server.office.queries import all_organisations, areas_by_key, rate_tables
from server.outreach.queries import EnrolmentListed, enrolments_between
from server.people.queries import HouseholdState, PersonState, households_by_id, persons_by_id
from server.people.rules import root_of
from server.quotas.queries import facts_by_id
from server.receipts.queries import official_names, receipts_of_payments
from server.receipts.rules import KnownReceipt, OfficialName, ReceiptState, is_money_receipt
from server.sealing import Sealer

# As many as one sheet of an insurer's office takes in good order; a longer period is asked for in parts.
LINES_MOST = 20_000
_READ_ENTRIES = 2_000
_STANDING = {ReceiptState.PENDING, ReceiptState.RECONCILED}


class ListTooLongError(Exception):
    """The period has more enrolments than a list takes."""


@dataclass(frozen=True, slots=True)
class ListAsked:
    """Which list: its scheme, its days (both included), and an organisation with all below it, or all."""

    scheme: str
    from_day: date
    to_day: date
    organisation_key: str | None = None


def declared_list(
    connection: Connection,
    sealer: Sealer,
    zone: ZoneInfo,
    asked: ListAsked,
    area_keys: Collection[str] | None,
) -> list[Declared]:
    """Return the lines of a list in these areas (None: in all), by commune and name.

    An enrolment belongs to the list of its own day, so that it is in one period and no other. Raises
    ListTooLongError.
    """
    found = enrolments_between(connection, asked.scheme, asked.from_day, asked.to_day, LINES_MOST + 1)
    if len(found) > LINES_MOST:
        raise ListTooLongError
    if area_keys is not None:
        found = [each for each in found if each.area_key in area_keys]
    if asked.organisation_key is not None:
        wanted = _organisations_under(connection, asked.organisation_key)
        facts = facts_by_id(connection, [each.entry_id for each in found])
        inside = {fact_id for fact_id, fact in facts.items() if fact.organisation_key in wanted}
        found = [each for each in found if each.entry_id in inside]
    tables, gathering = rate_tables(connection), _Gathering(connection, sealer, zone, found)
    lines = [declared(tables, gathering.of(each)) for each in found]
    return sorted(lines, key=_order)


def _order(line: Declared) -> Any:
    found = line.gathered
    return found.area_name, vietnamese_order(found.name), found.enrolment_id


def _organisations_under(connection: Connection, key: str) -> set[str]:
    return {node.key for node in all_organisations(connection) if key in node.path}


class _Gathering:
    """What all lines of a list need, read with a few queries a table."""

    def __init__(
        self, connection: Connection, sealer: Sealer, zone: ZoneInfo, enrolments: list[EnrolmentListed]
    ) -> None:
        self._sealer, self._zone = sealer, zone
        ids = [each.entry_id for each in enrolments]
        self._terms, self._flags = _declared_terms(connection, sealer, ids)
        self._persons = _with_roots(lambda ids: persons_by_id(connection, ids), _persons_of(enrolments))
        self._person_edges = _edges(self._persons)
        wanted = {each.household_id for each in self._persons.values() if each.household_id is not None}
        self._households = _with_roots(lambda ids: households_by_id(connection, ids), wanted)
        self._household_edges = _edges(self._households)
        self._area_names = _area_names(connection, {each.area_key for each in enrolments})
        self._area_names |= _area_names(connection, {each.area_key for each in self._households.values()})
        self._receipts = _receipts(connection, zone, ids)
        agents = {each.agent_id for each in enrolments}
        self._codes, self._agents = codes_of(connection, sealer, WORKER, agents), names_of(connection, agents)

    def of(self, enrolment: EnrolmentListed) -> Gathered:
        """Return one enrolment with whatever the office has beside it."""
        own = self._persons[enrolment.person_id]
        person = self._persons[root_of(own.id, self._person_edges)]
        return Gathered(
            enrolment_id=enrolment.entry_id,
            name=person.full_name,
            insurance_number=self._number("insurance_number", person, own),
            national_id=self._number("national_id", person, own),
            birth_date=person.birth_date or own.birth_date,
            sex=person.sex or own.sex,
            address=self._address(person) or self._address(own),
            area_name=self._area_names.get(enrolment.area_key, (enrolment.area_key,))[0],
            terms=self._terms.get(enrolment.entry_id) or enrolment.terms,
            status=enrolment.status,
            on=enrolment.business_day,
            paid_vnd=enrolment.paid_vnd,
            receipts=tuple(self._receipts.get(enrolment.entry_id, ())),
            collector_code=self._codes.get(enrolment.agent_id),
            agent_name=self._agents.get(enrolment.agent_id, "–"),
            flags=self._flags.get(enrolment.entry_id, ()),
        )

    def _number(self, name: str, *persons: PersonState) -> str | None:
        """Return a number of whom a person was merged into, else of the record itself."""
        for person in persons:
            sealed = person.numbers[name][0]
            if sealed is not None:
                return self._sealer.open(sealed, f"person.{name}", person.id)
        return None

    def _address(self, person: PersonState) -> str | None:
        if person.household_id not in self._households:
            return None
        household = self._households[root_of(person.household_id, self._household_edges)]
        parts = [household.address, household.hamlet, *self._area_names.get(household.area_key, ())]
        return ", ".join(part for part in parts if part)


def _persons_of(enrolments: Iterable[EnrolmentListed]) -> set[str]:
    return {each.person_id for each in enrolments}


def _declared_terms(
    connection: Connection, sealer: Sealer, enrolment_ids: list[str]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, tuple[str, ...]]]:
    """Return what agents declared, as the office may have corrected it, and the flags of each entry."""
    terms: dict[str, Mapping[str, Any]] = {}
    flags: dict[str, tuple[str, ...]] = {}
    for part in chunks(enrolment_ids, _READ_ENTRIES):
        for entry_id, stored in stored_entries(connection, sealer, part).items():
            candidate = held_candidate(stored)
            if candidate is not None:
                terms[entry_id] = candidate.body
            flags[entry_id] = stored.flags
    return terms, flags


def _with_roots(read: Any, ids: set[str]) -> dict[str, Any]:
    """Return records by id, with those that they were merged into."""
    found: dict[str, PersonState | HouseholdState] = {}
    wanted = ids
    while wanted:
        found |= read(wanted)
        wanted = {each.merged_into for each in found.values() if each.merged_into is not None} - found.keys()
    return found


def _edges(records: Mapping[str, Any]) -> dict[str, str]:
    return {each.id: each.merged_into for each in records.values() if each.merged_into in records}


def _area_names(connection: Connection, keys: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of each area and of those above it, its own first."""
    nodes = areas_by_key(connection, keys)
    above = areas_by_key(connection, {key for node in nodes.values() for key in node.path})
    return {
        key: tuple(above[each].name for each in reversed(node.path) if each in above)
        for key, node in nodes.items()
    }


def _receipts(
    connection: Connection, zone: ZoneInfo, enrolment_ids: list[str]
) -> dict[str, list[ReceiptGiven]]:
    """Return the receipts of the settled payments of each enrolment, by number."""
    payments = settled_allocations(connection, set(enrolment_ids))
    receipts = receipts_of_payments(connection, payments)
    officials = official_names(connection, (each for of in receipts.values() for each in of))
    found: dict[str, list[ReceiptGiven]] = defaultdict(list)
    for payment_id, enrolments in payments.items():
        given = [
            _given(each, zone, officials.get(each.key)) for each in receipts[payment_id] if _stands(each)
        ]
        for enrolment_id in enrolments:
            found[enrolment_id].extend(given)
    return {
        enrolment_id: sorted(given, key=lambda each: each.number) for enrolment_id, given in found.items()
    }


def _stands(receipt: KnownReceipt) -> bool:
    return is_money_receipt(receipt.kind) and receipt.code is None and receipt.state in _STANDING


def _given(receipt: KnownReceipt, zone: ZoneInfo, official: OfficialName | None) -> ReceiptGiven:
    issued_on = datetime.fromtimestamp(receipt.issued_at_s, tz=UTC).astimezone(zone).date()
    return ReceiptGiven(receipt.printed_number(zone), issued_on, None if official is None else str(official))
