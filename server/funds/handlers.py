"""What each kind of a fund's door does, once its references are in effect."""

from __future__ import annotations

from server.funds.door_rows import bucket_of
from server.funds.nominations import CONSENT_PURPOSE
from server.funds.postings import door_settlement
from server.funds.workspace import FundsWorkspace
from server.money.rules import DONATION, Claim, Settlement
from server.money.workspace import MoneyWorkspace
from server.people.workspace import PeopleWorkspace
from server.receipts.workspace import ReceiptsWorkspace
from sync.codes import EntryCode, Flag
from sync.entry import Fault
from sync.judgement import Applied, Arrival, Refused, Ruling


def apply_donation_received(
    arrival: Arrival, funds: FundsWorkspace, money: MoneyWorkspace, receipts: ReceiptsWorkspace
) -> Ruling:
    """Settle a donation, which is on the ledger already, to its fund."""
    body = arrival.body
    claim = Claim(body["method"], body["amount_vnd"])
    bucket = bucket_of(body["restriction"])
    lines = door_settlement(arrival.worker_id, claim.method, body["fund"], bucket, body["amount_vnd"])
    ruling = money.settle_as(arrival, Settlement(DONATION, claim, lines, "amount_vnd"))
    if isinstance(ruling, Refused):
        return ruling
    funds.record_donation(arrival)
    receipts.payment_settled(arrival.entry_id)
    return Applied(funds.day_flags(body["fund"], arrival.business_day))


def apply_cash_remitted(arrival: Arrival, funds: FundsWorkspace) -> Ruling:
    """Let cash leave the agent's hands, whatever the books say that is in them (docs/protocol.md, K13)."""
    funds.record_remittance(arrival)
    return Applied()


def apply_beneficiary_nominated(arrival: Arrival, funds: FundsWorkspace, people: PeopleWorkspace) -> Ruling:
    """Keep who was named for a card; whether they get one is the office's to say."""
    body = arrival.body
    flags = funds.day_flags(body["fund"], arrival.business_day)
    if people.standing_consent(body["person"], CONSENT_PURPOSE) != "given":
        flags = (*flags, Flag.CONSENT_MISSING)
    funds.record_nomination(arrival)
    return Applied(flags)


def apply_card_handed_over(arrival: Arrival, funds: FundsWorkspace, people: PeopleWorkspace) -> Ruling:
    """Take a handover to the beneficiary of an issued card; the earliest one stands."""
    body = arrival.body
    allocation = funds.allocation(body["allocation"])
    merged = people.cluster_of("person", body["person"])
    if allocation.person_id not in merged:
        return Refused(Fault(EntryCode.NOT_THE_BENEFICIARY, "person"))
    scanned = body["proof"]["national_id"]
    known = people.numbers_of(merged, "national_id")
    if scanned is not None and known and funds.national_id_index(scanned) not in known:
        return Refused(Fault(EntryCode.NOT_THE_BENEFICIARY, "proof.national_id"))
    if allocation.issued_ms is None or allocation.ended is not None:
        return Refused(Fault(EntryCode.CARD_NOT_ISSUED, "allocation"))
    return Applied(funds.record_handover(arrival))
