"""A small office with a fund, and the four kinds of entries that its doors send, for tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from server.funds.issuing import issue_card
from server.funds.queries import FundStanding
from server.funds.verification import fund_differences
from tests.support.fund_decisions import approved
from tests.support.funds import FUND, FundOffice, a_fund, pools_and_fund
from tests.support.office_checks import rows
from tests.support.raw_tablet import RawTablet
from tests.support.small_office import COMMUNES, SmallOffice

NATIONAL_ID = "082150000001"


@dataclass
class FundDoors:
    """An office with a fund, and what its doors and its treasurers do."""

    office: SmallOffice
    funds: FundOffice = field(init=False)

    def __post_init__(self) -> None:
        self.funds = FundOffice(self.office.runtime)

    @property
    def standing(self) -> FundStanding:
        """Return where the fund stands."""
        return self.funds.standing

    def problems(self) -> list[str]:
        """Return where the fund's ledger is not what its rows ask for."""
        with self.office.runtime.transactions.reading() as connection:
            found = fund_differences(connection, self.office.runtime.config.time_zone)
        return [str(each) for each in found]

    def beneficiary(self, tablet: RawTablet, national_id: str | None = NATIONAL_ID) -> tuple[str, str]:
        """Let a tablet bring somebody born in 1950 who consents, and their nomination; return both ids."""
        more = {} if national_id is None else {"national_id": national_id}
        person = tablet.person(birth_date="1950-01-01", **more)
        consent = tablet.append("consent_recorded", a_consent(person))
        nomination = tablet.append("beneficiary_nominated", a_nomination(person, consent))
        assert set(tablet.sync().decisions) == {"applied"}
        return person, nomination

    def issued_card(self, tablet: RawTablet, national_id: str | None = NATIONAL_ID) -> tuple[str, str]:
        """Return a person and the allocation whose card was issued to them."""
        person, nomination = self.beneficiary(tablet, national_id)
        allocation = approved(self.funds, nomination)
        self.funds.act(issue_card, allocation, f"{int(allocation[-8:], 16):010d}", self.funds.day)
        return person, allocation

    def records(self, record_type: str) -> dict[str, dict[str, Any]]:
        """Return the replicated records of a type by id, each with its `scope`."""
        found = rows(
            self.office,
            "SELECT record.record_id, record.wire_json, feed.scope FROM record JOIN feed ON "
            "feed.record_type = record.record_type AND feed.record_id = record.record_id "
            "WHERE record.record_type = :type AND record.wire_json IS NOT NULL",
            type=record_type,
        )
        return {record_id: json.loads(text) | {"scope": scope} for record_id, text, scope in found}


def fund_doors(office: SmallOffice) -> FundDoors:
    """Set a fund up in an office, with 10,000,000 đồng that nobody gave at a door."""
    office.change(lambda change: pools_and_fund(change, a_fund()))
    doors = FundDoors(office)
    doors.funds.cash(10_000_000)
    return doors


def a_donation(**more: Any) -> dict[str, Any]:
    """Return the body of 500,000 đồng in cash from a company."""
    body = {
        "area": COMMUNES[1],
        "fund": FUND,
        "donor_class": "company",
        "donor": {"name": "Công ty Thử", "phone": "99900000003"},
        "method": "cash",
        "amount_vnd": 500_000,
    }
    return body | more


def a_remittance(**more: Any) -> dict[str, Any]:
    """Return the body of 300,000 đồng carried to the office."""
    return {"fund": FUND, "amount_vnd": 300_000, "destination": "office"} | more


def a_consent(person: str, **more: Any) -> dict[str, Any]:
    """Return the body of a consent to a donated card."""
    return {"person": person, "purpose": "card_donation", "decision": "given", "evidence": "spoken"} | more


def a_nomination(person: str, consent: str, **more: Any) -> dict[str, Any]:
    """Return the body of a nomination of somebody old."""
    body = {"person": person, "fund": FUND, "pool": "elderly", "evidence": "id_card", "consent": consent}
    return body | more


def a_handover(allocation: str, person: str, **more: Any) -> dict[str, Any]:
    """Return the body of a handover before a witness."""
    proof = {"method": "witness", "witness_name": "Trưởng ấp 2"}
    return {"allocation": allocation, "person": person, "proof": proof} | more
