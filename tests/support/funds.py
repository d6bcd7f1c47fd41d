"""A fund with donors, beneficiaries and two treasurers, for tests and demos.

What doors bring is written as the doors' part writes it: rows of their tables, and their postings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.rate_tables import published_rows
from server.audit.changes import Actor, Change, run_change
from server.bank.models import BankImport, BankLine, BankMatch
from server.funds.accounts import ANY, area_bucket, pool_bucket
from server.funds.desk import FundDesk
from server.funds.giving import Donor, Given, take_cash_donation, take_transfer_donation
from server.funds.models import Donation, Handover, Nomination, Remittance
from server.funds.office_queries import office_donation_by_id
from server.funds.postings import (
    FundStep,
    door_settlement,
    handover,
    match,
    remittance,
    statement_line,
)
from server.funds.queries import FundStanding, fund_standing
from server.funds.rules import DonorClass, MatchKind
from server.funds.setting_up import FundGiven, create_fund, seed_pools
from server.money.ledger import post
from server.money.rules import Step, arrival_lines, reversed_lines
from server.office.actions import NewArea, load_rates, register_areas
from server.people.models import Person
from server.runtime import Runtime
from sync.clock import local_day

FUND = 7
COMMUNES = ("28249@2004-01-01", "28252@2004-01-01")
PROVINCE = "82@2004-01-01"
FIRST, SECOND = Actor("account:first", "worker-first"), Actor("account:second", "worker-second")
_DOOR, _BANK = Actor("installation:door"), Actor("account:bank")
_SINCE = date(2004, 1, 1)


def a_fund(**changed: Any) -> FundGiven:
    """Return what somebody says of a fund; `changed` says something else."""
    given = {
        "name": "Tặng thẻ BHYT – Chia sẻ yêu thương",
        "name_en": "Cards for those in need",
        "purpose": "Mua thẻ bảo hiểm y tế tặng người khó khăn",
        "purpose_en": "Health-insurance cards for people in hardship",
        "target_cards": 2500,
        "months": 3,
        "opens_on": date(2020, 5, 1),
        "closes_on": date(2020, 5, 20),
        "bank_bin": "970403",
        "bank_account": "0112345678",
        "bank_holder": "BAO HIEM XA HOI TINH",
    }
    return FundGiven(**(given | changed))


@dataclass
class FundOffice:
    """An office with a fund; `act` decides as the first treasurer, `second` as the other one."""

    runtime: Runtime
    fund: int = FUND
    _rows: int = 0
    upper_ms: int = field(default=1_589_000_000_000)

    @property
    def desk(self) -> FundDesk:
        """Return what the office's decisions need."""
        return FundDesk.of(self.runtime)

    @property
    def day(self) -> date:
        """Return the office's day."""
        return local_day(self.runtime.clock.now_ms(), self.runtime.config.time_zone)

    def change(self, work: Any, actor: Actor = FIRST) -> Any:
        """Run `work(change)` as one change of somebody."""
        return run_change(self.runtime.transactions, actor, self.runtime.clock.now_ms(), work)

    def act(self, action: Any, *arguments: Any, actor: Actor = FIRST, **named: Any) -> Any:
        """Take one decision: `action(change, desk, …)`."""
        return self.change(lambda change: action(change, self.desk, *arguments, **named), actor)

    def second(self, action: Any, *arguments: Any, **named: Any) -> Any:
        """Take one decision as the second treasurer."""
        return self.act(action, *arguments, actor=SECOND, **named)

    def read(self, query: Any, *arguments: Any, **named: Any) -> Any:
        """Answer `query(connection, …)`."""
        with self.runtime.transactions.reading() as connection:
            return query(connection, *arguments, **named)

    @property
    def standing(self) -> FundStanding:
        """Return where the fund stands."""
        found: FundStanding = self.read(fund_standing, self.fund)
        return found

    def new_id(self) -> str:
        """Return an id of an entry: later ones are greater."""
        self._rows += 1
        return f"00000000-0000-7000-9000-{self._rows:012x}"

    # --- the office ---------------------------------------------------------------------------------

    def given(self, amount_vnd: int, restriction: tuple[str, str] | None = None, **more: Any) -> Given:
        """Return what a company gives."""
        donor = Donor("Công ty TNHH Mẫu", "02963 123 456", "1600000001")
        return Given(self.fund, DonorClass.COMPANY, amount_vnd, donor, restriction, **more)

    def cash(self, amount_vnd: int, restriction: tuple[str, str] | None = None, **more: Any) -> str:
        """Take cash at the office and return the donation's id."""
        given = self.given(amount_vnd, restriction, **more)
        donation_id, _ = self.act(take_cash_donation, given, self.day)
        return str(donation_id)

    def transfer(self, amount_vnd: int, restriction: tuple[str, str] | None = None, **more: Any) -> str:
        """Take a transfer down and match a line of the statement with it; return the donation's id."""
        given = self.given(amount_vnd, restriction, **more)
        donation_id = self.act(take_transfer_donation, given, self.day)
        self.line(amount_vnd, MatchKind.OFFICE_DONATION, donation_id)
        return str(donation_id)

    # --- the bank -----------------------------------------------------------------------------------

    def line(self, amount_vnd: int, kind: MatchKind | None = None, target_id: str | None = None) -> str:
        """Let the statement show a line, matched at once where a kind is said; return the match's id."""
        line_id, match_id = self.new_id(), self.new_id()

        def work(change: Change) -> None:
            self._insert_line(change, line_id, amount_vnd)
            if kind is not None:
                bucket, worker_id = self._target(change, target_id)
                change.insert(
                    BankMatch.__table__,
                    id=match_id,
                    line_id=line_id,
                    fund=self.fund,
                    kind=kind.value,
                    target_id=target_id,
                    actor=_BANK.chain,
                    at_ms=change.now_ms,
                    undone_by=None,
                    undone_ms=None,
                )
                lines = match(kind, self.fund, amount_vnd, bucket, worker_id)
                if lines:
                    post(change, match_id, FundStep.MATCH, lines, self.day, _BANK.chain)
            change.audit("statement_shown", line_id)

        self.change(work, _BANK)
        return match_id

    def undo(self, match_id: str) -> None:
        """Undo a match."""

        def work(change: Change) -> None:
            table = BankMatch.__table__
            row = change.connection.execute(table.select().where(table.c.id == match_id)).one()
            amounts = BankLine.__table__
            line = change.connection.execute(amounts.select().where(amounts.c.id == row.line_id)).one()
            bucket, worker_id = self._target(change, row.target_id)
            lines = match(MatchKind(row.kind), self.fund, line.amount_vnd, bucket, worker_id)
            change.update(table, {"id": match_id}, undone_by=_BANK.chain, undone_ms=change.now_ms)
            post(change, match_id, FundStep.UNMATCH, reversed_lines(lines), self.day, _BANK.chain)
            change.audit("match_undone", match_id)

        self.change(work, _BANK)

    def _insert_line(self, change: Change, line_id: str, amount_vnd: int) -> None:
        change.insert(
            BankImport.__table__,
            id=f"import {line_id}",
            fund=self.fund,
            layout="plain",
            file_sha256="0" * 64,
            from_day=self.day,
            to_day=self.day,
            opening_vnd=None,
            closing_vnd=None,
            line_count=1,
            actor=_BANK.chain,
            at_ms=change.now_ms,
        )
        change.insert(
            BankLine.__table__,
            id=line_id,
            import_id=f"import {line_id}",
            number=1,
            fund=self.fund,
            day=self.day,
            amount_vnd=amount_vnd,
            balance_vnd=None,
            reference=None,
            sealed=self.desk.sealed("{}", "bank_line.sealed", line_id),
        )
        post(change, line_id, FundStep.LINE, statement_line(self.fund, amount_vnd), self.day, _BANK.chain)

    def _target(self, change: Change, target_id: str | None) -> tuple[str | None, str | None]:
        """Return the bucket and the agent of a donation, None for what is none."""
        if target_id is None:
            return None, None
        office = office_donation_by_id(change.connection, target_id)
        if office is not None:
            return office.bucket, None
        table = Donation.__table__
        row = change.connection.execute(table.select().where(table.c.entry_id == target_id)).one_or_none()
        return (None, None) if row is None else (row.bucket, row.worker_id)

    # --- the doors ----------------------------------------------------------------------------------

    def door_donation(
        self,
        amount_vnd: int,
        restriction: tuple[str, str] | None = None,
        *,
        method: str = "cash",
        worker: str = "an",
        pledge_id: str | None = None,
        entry_id: str | None = None,
    ) -> str:
        """Let an agent's donation arrive and be in effect; return its entry's id."""
        entry_id = entry_id or self.new_id()
        bucket = ANY
        if restriction is not None:
            bucket = area_bucket(restriction[1]) if restriction[0] == "area" else pool_bucket(restriction[1])
        self.upper_ms += 1

        def work(change: Change) -> None:
            change.insert(
                Donation.__table__,
                entry_id=entry_id,
                worker_id=worker,
                fund=self.fund,
                bucket=bucket,
                donor_class="anonymous",
                sealed=None,
                method=method,
                amount_vnd=amount_vnd,
                pledge_id=pledge_id,
                area_key=COMMUNES[0],
                upper_ms=self.upper_ms,
                business_day=self.day,
                received_ms=change.now_ms,
                voided_by=None,
                voided_on=None,
            )
            arrival = arrival_lines(worker, method, amount_vnd)
            post(change, entry_id, Step.ARRIVAL, arrival, self.day, entry_id)
            settled = door_settlement(worker, method, self.fund, bucket, amount_vnd)
            post(change, entry_id, Step.SETTLEMENT, settled, self.day, entry_id)
            change.audit("donation_received", entry_id)

        self.change(work, _DOOR)
        return entry_id

    def void_donation(self, entry_id: str) -> None:
        """Let an agent's donation be voided."""

        def work(change: Change) -> None:
            table = Donation.__table__
            row = change.connection.execute(table.select().where(table.c.entry_id == entry_id)).one()
            lines = [
                *arrival_lines(row.worker_id, row.method, row.amount_vnd),
                *door_settlement(row.worker_id, row.method, row.fund, row.bucket, row.amount_vnd),
            ]
            change.update(table, {"entry_id": entry_id}, voided_by="void", voided_on=self.day)
            post(change, entry_id, Step.VOID, reversed_lines(lines), self.day, "void")
            change.audit("donation_voided", entry_id)

        self.change(work, _DOOR)

    def remit(self, amount_vnd: int, *, worker: str = "an", destination: str = "office") -> str:
        """Let an agent say that cash was carried away; return the entry's id."""
        entry_id = self.new_id()
        self.upper_ms += 1

        def work(change: Change) -> None:
            change.insert(
                Remittance.__table__,
                entry_id=entry_id,
                worker_id=worker,
                fund=self.fund,
                destination=destination,
                amount_vnd=amount_vnd,
                reference=None,
                upper_ms=self.upper_ms,
                business_day=self.day,
                received_ms=change.now_ms,
                voided_by=None,
                voided_on=None,
            )
            lines = remittance(worker, self.fund, amount_vnd)
            post(change, entry_id, FundStep.REMITTANCE, lines, self.day, entry_id)
            change.audit("cash_remitted", entry_id)

        self.change(work, _DOOR)
        return entry_id

    def person(self, **values: Any) -> str:
        """Let there be a person who consents, born in 1950; return the record's id."""
        person_id = self.new_id()
        row = {column.name: None for column in Person.__table__.columns}
        row |= {
            "id": person_id,
            "version": 1,
            "last_entry": person_id,
            "area_key": COMMUNES[0],
            "full_name": "Nguyễn Văn Mẫu",
            "full_name_key": "nguyen van mau",
            "birth_date": date(1950, 1, 1),
            "consents": json.dumps({"card_donation": ["given", 1, person_id]}),
        }
        self.change(
            lambda change: (
                change.insert_row(Person.__table__, row | values),
                change.audit("person_registered", person_id),
            ),
            _DOOR,
        )
        return person_id

    def nominate(
        self,
        person_id: str | None = None,
        pool: str = "elderly",
        evidence: str = "id_card",
        **values: Any,
    ) -> str:
        """Let an agent nominate somebody; return the entry's id."""
        entry_id, person = self.new_id(), person_id or self.person()
        self.upper_ms += 1
        row = {
            "entry_id": entry_id,
            "worker_id": "an",
            "fund": self.fund,
            "pool": pool,
            "person_id": person,
            "evidence": evidence,
            "sealed": None,
            "consent_id": person,
            "member": None,
            "area_key": COMMUNES[0],
            "upper_ms": self.upper_ms,
            "business_day": self.day,
            "received_ms": self.upper_ms,
            "voided_by": None,
            "voided_on": None,
        }
        self.change(
            lambda change: (
                change.insert_row(Nomination.__table__, row | values),
                change.audit("beneficiary_nominated", entry_id),
            ),
            _DOOR,
        )
        return entry_id

    def hand_over(self, allocation: Any) -> str:
        """Let an agent hand a card over; return the entry's id."""
        entry_id = self.new_id()
        self.upper_ms += 1

        def work(change: Change) -> None:
            change.insert(
                Handover.__table__,
                entry_id=entry_id,
                worker_id="an",
                allocation_id=allocation.id,
                person_id=allocation.person_id,
                proof="id_scanned",
                sealed=None,
                upper_ms=self.upper_ms,
                business_day=self.day,
                received_ms=change.now_ms,
                voided_by=None,
                voided_on=None,
            )
            lines = handover(allocation.fund, allocation.bucket)
            post(change, entry_id, FundStep.HANDOVER, lines, self.day, entry_id)
            change.audit("card_handed_over", entry_id)

        self.change(work, _DOOR)
        return entry_id


def pools_and_fund(change: Change, given: FundGiven) -> None:
    """Load the published rates, and set up the usual pools and a fund."""
    load_rates(change, published_rows())
    seed_pools(change)
    create_fund(change, FUND, given)


def a_fund_office(runtime: Runtime, **fund: Any) -> FundOffice:
    """Set an office up: areas, the published rates, the usual pools and one fund."""
    office = FundOffice(runtime)

    def work(change: Change) -> None:
        register_areas(
            change,
            [
                NewArea("82", "Tỉnh Tiền Giang", "province", _SINCE, None),
                NewArea("815", "Thành phố Mỹ Tho", "district", _SINCE, "82"),
                NewArea("28249", "Phường 5", "commune", _SINCE, "815"),
                NewArea("28252", "Phường 4", "commune", _SINCE, "815"),
            ],
        )
        pools_and_fund(change, a_fund(**fund))

    office.change(work)
    return office
