"""A fund with everything that the public sees, and canaries wherever a person could be named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.rate_tables import published_rows
from server.audit.changes import Change
from server.bank.models import BankLine, BankMatch
from server.funds import postings
from server.funds.accounts import ANY
from server.funds.models import (
    Allocation,
    Donation,
    Fund,
    FundPublication,
    Handover,
    Nomination,
    OfficeDonation,
    Payout,
    Pool,
    Remittance,
    RemittanceConfirmation,
)
from server.funds.postings import FundStep
from server.funds.rules import MatchKind
from server.money.ledger import post
from server.money.rules import Line, arrival_lines, reversed_lines
from server.office.actions import load_rates, register_worker
from sync.clock import local_day
from tests.support.clocks import FakeClock
from tests.support.small_office import COMMUNES, SmallOffice, small_office

FUND = 7
# Never a part of any other word, and alike in upper and lower case nowhere.
CANARIES = {
    "donor": "Quách Thị Hoàng Yến Canary",
    "donor_phone": "0977123899",
    "tax_code": "8877665544",
    "description": "CHUYEN KHOAN TU QUACH CANARY",
    "beneficiary": "Đàm Văn Nghèo Canary",
    "evidence": "HN-99123-CANARY",
    "national_id": "082199912345",
    "card_number": "GD4828912345678",
    "witness": "Tôn Nữ Chứng Canary",
    "worker": "Kha Viên Thu Canary",
    "reference": "FT99CANARY77",
    "reason": "Ly do hoan cua ba Canary",
}
STAGES = ("committed", "issued", "handed", "returned")
PRICE_VND = 201_150


@dataclass
class FundedOffice:
    """A small office with a fund; every method is one change, at the clock's time."""

    office: SmallOffice
    workers: list[str]
    numbers: int = 0

    def id(self) -> str:
        """Return a fresh id."""
        self.numbers += 1
        return f"0191e2b4-0000-7000-8000-{self.numbers:012}"

    @property
    def day(self) -> date:
        """Return today."""
        return local_day(self.office.clock.now_ms(), self.office.runtime.config.time_zone)

    def change(self, work: Any) -> Any:
        """Run `work` as one change that says so in the audit."""

        def audited(change: Change) -> Any:
            change.audit("test", "fund")
            return work(change)

        return self.office.change(audited)

    def post(self, change: Change, source: str, step: str, lines: tuple[Line, ...]) -> None:
        """Post what a step moves, today."""
        post(change, source, step, lines, self.day, "test")

    def door(
        self, amount_vnd: int, method: str = "cash", worker: int = 0, fund: int = FUND, bucket: str = ANY
    ) -> str:
        """Take a donation at a door, arrived and settled."""
        entry, agent = self.id(), self.workers[worker]

        def work(change: Change) -> None:
            sealed = json.dumps({"name": CANARIES["donor"], "phone": CANARIES["donor_phone"]})
            self._insert(
                change,
                Donation,
                entry_id=entry,
                worker_id=agent,
                fund=fund,
                bucket=bucket,
                donor_class="benefactor",
                sealed=sealed,
                method=method,
                amount_vnd=amount_vnd,
                area_key=COMMUNES[0],
                upper_ms=change.now_ms,
                business_day=self.day,
                received_ms=change.now_ms,
            )
            self.post(change, entry, "arrival", arrival_lines(agent, method, amount_vnd))
            lines = postings.door_settlement(agent, method, fund, bucket, amount_vnd)
            self.post(change, entry, "settlement", lines)

        self.change(work)
        return entry

    def void_door(self, entry: str, amount_vnd: int, worker: int = 0) -> None:
        """Take a cash donation back."""
        agent = self.workers[worker]

        def work(change: Change) -> None:
            change.update(Donation.__table__, {"entry_id": entry}, voided_by="void", voided_on=self.day)
            posted = (
                *arrival_lines(agent, "cash", amount_vnd),
                *postings.door_settlement(agent, "cash", FUND, ANY, amount_vnd),
            )
            self.post(change, entry, "void", reversed_lines(posted))

        self.change(work)

    def remit(self, amount_vnd: int, worker: int = 0) -> None:
        """Carry cash to the office, which confirms it."""
        entry, agent = self.id(), self.workers[worker]

        def work(change: Change) -> None:
            self._insert(
                change,
                Remittance,
                entry_id=entry,
                worker_id=agent,
                fund=FUND,
                destination="office",
                amount_vnd=amount_vnd,
                reference=CANARIES["reference"],
                upper_ms=change.now_ms,
                business_day=self.day,
                received_ms=change.now_ms,
            )
            self.post(change, entry, FundStep.REMITTANCE, postings.remittance(agent, FUND, amount_vnd))
            self._insert(change, RemittanceConfirmation, entry_id=entry, actor="t", at_ms=change.now_ms)
            self.post(change, entry, FundStep.CONFIRMATION, postings.confirmation(FUND, amount_vnd))

        self.change(work)

    def at_office(self, amount_vnd: int) -> str:
        """Take a cash donation at the office."""
        row = self.id()

        def work(change: Change) -> None:
            self._insert(
                change,
                OfficeDonation,
                id=row,
                fund=FUND,
                bucket=ANY,
                donor_class="company",
                sealed=json.dumps({"name": CANARIES["donor"], "tax_code": CANARIES["tax_code"]}),
                channel="cash",
                amount_vnd=amount_vnd,
                day=self.day,
                reason=CANARIES["reason"],
                actor="account:t",
                at_ms=change.now_ms,
            )
            self.post(change, row, FundStep.OFFICE_DONATION, postings.office_donation(FUND, ANY, amount_vnd))

        self.change(work)
        return row

    def bank_line(self, kind: MatchKind, amount_vnd: int, target: str, worker: int | None = None) -> None:
        """Let the statement show a line, and match it."""
        line, matched = self.id(), self.id()
        agent = None if worker is None else self.workers[worker]

        def work(change: Change) -> None:
            self._insert(
                change,
                BankLine,
                id=line,
                import_id="import",
                number=self.numbers,
                fund=FUND,
                day=self.day,
                amount_vnd=amount_vnd,
                reference=CANARIES["reference"],
                sealed=json.dumps({"description": CANARIES["description"]}),
            )
            self.post(change, line, FundStep.LINE, postings.statement_line(FUND, amount_vnd))
            self._insert(
                change,
                BankMatch,
                id=matched,
                line_id=line,
                fund=FUND,
                kind=kind.value,
                target_id=target,
                actor="account:t",
                at_ms=change.now_ms,
            )
            self.post(change, matched, FundStep.MATCH, postings.match(kind, FUND, amount_vnd, ANY, agent))

        self.change(work)

    def refund(self, amount_vnd: int) -> None:
        """Approve that a donor gets money back."""
        row = self.id()

        def work(change: Change) -> None:
            self._insert(
                change,
                Payout,
                id=row,
                fund=FUND,
                kind="refund",
                amount_vnd=amount_vnd,
                bucket=ANY,
                reason=CANARIES["reason"],
                proposed_by="account:t",
                proposed_ms=change.now_ms,
                approved_by="account:u",
                approved_ms=change.now_ms,
            )
            self.post(change, row, FundStep.REFUND, postings.refund(FUND, ANY, amount_vnd))

        self.change(work)

    def cards(self, count: int, stage: str, area: str = COMMUNES[0], pool: str = "returned_workers") -> None:
        """Let so many cards come to a stage of their life."""

        def work(change: Change) -> None:
            for _ in range(count):
                self._card(change, stage, area, pool)

        self.change(work)

    def _card(self, change: Change, stage: str, area: str, pool: str) -> None:
        card, nomination, person = self.id(), self.id(), self.id()
        now_ms, is_issued = change.now_ms, stage != "committed"
        self._insert(
            change,
            Nomination,
            entry_id=nomination,
            worker_id=self.workers[0],
            fund=FUND,
            pool=pool,
            person_id=person,
            evidence="poor_book",
            sealed=json.dumps({"evidence_number": CANARIES["evidence"], "note": CANARIES["beneficiary"]}),
            consent_id="consent",
            area_key=area,
            upper_ms=now_ms,
            business_day=self.day,
            received_ms=now_ms,
        )
        self._insert(
            change,
            Allocation,
            id=card,
            nomination_id=nomination,
            person_id=person,
            fund=FUND,
            bucket=ANY,
            pool=pool,
            area_key=area,
            months=3,
            member=1,
            proposed_by="account:t",
            proposed_ms=now_ms,
            price_vnd=PRICE_VND,
            priced_on=self.day,
            approved_by="account:u",
            approved_ms=now_ms,
            issued_ms=now_ms if is_issued else None,
            card_sealed=CANARIES["card_number"],
            ended="returned" if stage == "returned" else None,
            ended_reason=CANARIES["reason"],
            ended_ms=now_ms if stage == "returned" else None,
        )
        self.post(change, card, FundStep.APPROVAL, postings.approval(FUND, ANY, PRICE_VND))
        if is_issued:
            self.post(change, card, FundStep.ISSUE, postings.issue(FUND, ANY, PRICE_VND))
        if stage == "handed":
            entry = self.id()
            proof = {"national_id": CANARIES["national_id"], "witness_name": CANARIES["witness"]}
            self._insert(
                change,
                Handover,
                entry_id=entry,
                worker_id=self.workers[0],
                allocation_id=card,
                person_id=person,
                proof="witness",
                sealed=json.dumps(proof),
                upper_ms=now_ms,
                business_day=self.day,
                received_ms=now_ms,
            )
            self.post(change, entry, FundStep.HANDOVER, postings.handover(FUND, ANY))
        if stage == "returned":
            self.post(change, card, FundStep.RETURN, postings.card_return(FUND, ANY))

    @staticmethod
    def _insert(change: Change, model: Any, **values: Any) -> None:
        table = model.__table__
        change.insert(table, **{column.name: values.get(column.name) for column in table.columns})


def _set_up(funded: FundedOffice, change: Change) -> None:
    ids = funded.office.runtime.ids
    load_rates(change, published_rows())
    funded.workers = [register_worker(change, ids, f"{CANARIES['worker']} {n}") for n in (1, 2)]
    fund = {
        "number": FUND,
        "name": "Tặng thẻ BHYT – Chia sẻ yêu thương",
        "name_en": "Health cards – sharing love",
        "purpose": "Mua thẻ bảo hiểm y tế tặng người lao động về quê và hộ khó khăn của tỉnh.",
        "purpose_en": "Buys health-insurance cards for workers who came home and families in hardship.",
        "target_cards": 2500,
        "months": 3,
        "opens_on": date(2020, 5, 1),
        "closes_on": date(2020, 5, 31),
        "bank_bin": "970403",
        "bank_account": "011204567801",
        "bank_holder": "BAO HIEM XA HOI TINH",
        "actor": "account:t",
        "at_ms": change.now_ms,
    }
    funded._insert(change, Fund, **fund)
    change.insert(FundPublication.__table__, fund=FUND, kind="call", actor="account:t", at_ms=change.now_ms)
    named = {
        "returned_workers": ("Người lao động về quê", "Returned workers"),
        "lost_subsidy": ("Người mất hỗ trợ BHYT", "People who lost a subsidy"),
        "near_poor": ("Hộ cận nghèo", "Near-poor households"),
    }
    for code, (name, name_en) in named.items():
        row = {"code": code, "name": name, "name_en": name_en, "actor": "account:t"}
        change.insert(Pool.__table__, **row, at_ms=change.now_ms)
    change.audit("test", "fund")


@contextmanager
def funded_office(database_url: str, clock: FakeClock | None = None) -> Iterator[FundedOffice]:
    """Give an office with fund 7, three pools, and two agents whose names are canaries."""
    with small_office(database_url, clock) as office:
        funded = FundedOffice(office, [])
        office.change(lambda change: _set_up(funded, change))
        yield funded
        office.runtime.transactions.engine.dispose()


def fill(funded: FundedOffice) -> None:
    """Let a fund live through a week: every kind of movement, and cards at every stage."""
    for day in range(6):
        for number in range(3 + day):
            funded.door(500_000 + 10_000 * number, worker=number % 2)
        funded.office.clock.advance(seconds=86_400)
    wrong = funded.door(90_000)
    funded.void_door(wrong, 90_000)
    funded.remit(4_000_000)
    funded.remit(2_500_000, worker=1)
    claimed = funded.door(7_000_000, method="transfer", worker=1)
    funded.bank_line(MatchKind.DOOR_DONATION, 7_000_000, claimed, worker=1)
    funded.door(1_000_000, method="transfer")
    company = funded.at_office(171_000_000)
    funded.bank_line(MatchKind.OFFICE_DONATION, 60_000_000, "gift")
    funded.bank_line(MatchKind.BOUNCE, -2_000_000, company)
    funded.refund(1_500_000)
    plan = {
        COMMUNES[0]: {"handed": 41, "issued": 12, "committed": 20, "returned": 2},
        COMMUNES[1]: {"handed": 3, "issued": 25, "committed": 9},
        COMMUNES[2]: {"handed": 64, "issued": 8, "committed": 30, "returned": 6},
    }
    pools = ("returned_workers", "lost_subsidy", "near_poor")
    for area, stages in plan.items():
        for stage, count in stages.items():
            for place, pool in enumerate(pools):
                share = count // 3 + (1 if place < count % 3 else 0)
                if share:
                    funded.cards(share, stage, area, pool)
    funded.bank_line(MatchKind.PREMIUM, -5_000_000, "premium")
