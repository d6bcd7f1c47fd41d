"""The registry of kinds: what to load for an entry of each kind, and what applies it.

Reads like an index of the features; the schemas of the same kinds are in `schemas.catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.exchange.batch import Batch
from server.exchange.corrections import apply_entry_voided, apply_payment_collected
from server.exchange.intake import Candidate
from server.exchange.merging import (
    apply_person_amendment,
    apply_records_merged,
    apply_records_unmerged,
    want_merge,
    want_other_identity,
    want_unmerge,
)
from server.exchange.returns import apply_entry_corrected, apply_entry_returned, apply_return_answered
from server.funds.door_queries import DOOR_TABLES
from server.funds.handlers import (
    apply_beneficiary_nominated,
    apply_card_handed_over,
    apply_cash_remitted,
    apply_donation_received,
)
from server.outreach.handlers import (
    apply_enrolment_recorded,
    apply_visit_recorded,
    apply_vssid_installed,
)
from server.people.handlers import (
    apply_consent_recorded,
    apply_household_amended,
    apply_household_registered,
    apply_person_registered,
)
from sync.judgement import Arrival, Ruling


@dataclass(frozen=True, slots=True)
class KindHandler:
    """`want` asks the workspaces for rows before they load; `apply` gives the entry its effect.

    `refuses_other_kinds`: `apply` is called even where a reference is to an entry of another kind.
    """

    want: Callable[[Batch, Candidate], None]
    apply: Callable[[Batch, Arrival], Ruling]
    refuses_other_kinds: bool = False


def _want_nothing(_batch: Batch, _candidate: Candidate) -> None:
    return


def _want_household_amended(batch: Batch, candidate: Candidate) -> None:
    household_id = candidate.body["household"]
    batch.people.want_households([household_id])
    batch.people.edits.want(household_id)
    if "area" in candidate.body["set"]:
        batch.people.want_members(household_id)


def _want_person_registered(batch: Batch, candidate: Candidate) -> None:
    if candidate.body["household"] is not None:
        batch.people.want_households([candidate.body["household"]])
    batch.people.want_numbers(candidate.body)


def _want_person_amended(batch: Batch, candidate: Candidate) -> None:
    person_id, values = candidate.body["person"], candidate.body["set"]
    batch.people.want_persons([person_id])
    batch.people.edits.want(person_id)
    batch.people.want_numbers(values)
    if "household" in values:
        batch.people.want_households([values["household"]])
    batch.outreach.want_facts_of([person_id])
    want_other_identity(batch, candidate)


def _want_visit(batch: Batch, candidate: Candidate) -> None:
    batch.people.want_households([candidate.body["household"]])


def _want_person_fact(batch: Batch, candidate: Candidate) -> None:
    batch.people.want_persons([candidate.body["person"]])


def _want_enrolment(batch: Batch, candidate: Candidate) -> None:
    _want_person_fact(batch, candidate)
    batch.outreach.want_rates()


def _want_payment(batch: Batch, candidate: Candidate) -> None:
    batch.money.want_payments([candidate.entry_id])
    batch.receipts.want_payments([candidate.entry_id])
    batch.outreach.want_enrolments(item["enrolment"] for item in candidate.body["allocations"])


def _want_receipt(batch: Batch, candidate: Candidate) -> None:
    batch.money.want_payments([candidate.body["payment"]])
    batch.receipts.want_payments([candidate.body["payment"]])
    batch.receipts.want_tokens([candidate.body["token"]])


def _want_donation(batch: Batch, candidate: Candidate) -> None:
    batch.money.want_payments([candidate.entry_id])
    batch.receipts.want_payments([candidate.entry_id])
    batch.funds.want(candidate.entry_id, candidate.body)


def _want_remittance(batch: Batch, candidate: Candidate) -> None:
    batch.funds.want(candidate.entry_id, candidate.body)


def _want_beneficiary(batch: Batch, candidate: Candidate) -> None:
    _want_person_fact(batch, candidate)
    batch.funds.want(candidate.entry_id, candidate.body)


def _want_void(batch: Batch, candidate: Candidate) -> None:
    target = candidate.body["target"]
    match batch.kind_of(target):
        case "payment_collected" | "donation_received":
            batch.money.want_payments([target])
            batch.receipts.want_payments([target])
        case "enrolment_recorded":
            batch.outreach.want_enrolments([target])
    kind = batch.kind_of(target)
    if kind in DOOR_TABLES:
        batch.funds.want_void(kind, target)
    batch.quotas.want_facts([target])


HANDLERS: dict[str, KindHandler] = {
    "household_registered": KindHandler(
        _want_nothing, lambda batch, arrival: apply_household_registered(arrival, batch.people)
    ),
    "household_amended": KindHandler(
        _want_household_amended, lambda batch, arrival: apply_household_amended(arrival, batch.people)
    ),
    "person_registered": KindHandler(
        _want_person_registered, lambda batch, arrival: apply_person_registered(arrival, batch.people)
    ),
    "person_amended": KindHandler(_want_person_amended, apply_person_amendment),
    "visit_recorded": KindHandler(
        _want_visit,
        lambda batch, arrival: apply_visit_recorded(arrival, batch.outreach, batch.people, batch.quotas),
    ),
    "vssid_installed": KindHandler(
        _want_person_fact,
        lambda batch, arrival: apply_vssid_installed(arrival, batch.outreach, batch.people, batch.quotas),
    ),
    "enrolment_recorded": KindHandler(
        _want_enrolment,
        lambda batch, arrival: apply_enrolment_recorded(arrival, batch.outreach, batch.people, batch.quotas),
    ),
    "consent_recorded": KindHandler(
        _want_person_fact, lambda batch, arrival: apply_consent_recorded(arrival, batch.people)
    ),
    "payment_collected": KindHandler(_want_payment, apply_payment_collected),
    # A true receipt is kept whatever its payment's id is by now (docs/protocol.md, T7).
    "receipt_issued": KindHandler(
        _want_receipt, lambda batch, arrival: batch.receipts.apply(arrival), refuses_other_kinds=True
    ),
    "donation_received": KindHandler(
        _want_donation,
        lambda batch, arrival: apply_donation_received(arrival, batch.funds, batch.money, batch.receipts),
    ),
    "cash_remitted": KindHandler(
        _want_remittance, lambda batch, arrival: apply_cash_remitted(arrival, batch.funds)
    ),
    "beneficiary_nominated": KindHandler(
        _want_beneficiary,
        lambda batch, arrival: apply_beneficiary_nominated(arrival, batch.funds, batch.people),
    ),
    "card_handed_over": KindHandler(
        _want_beneficiary,
        lambda batch, arrival: apply_card_handed_over(arrival, batch.funds, batch.people),
    ),
    "entry_voided": KindHandler(_want_void, apply_entry_voided),
    # What a correction touches is asked for by the corrected entry itself.
    "entry_corrected": KindHandler(_want_nothing, apply_entry_corrected),
    "entry_returned": KindHandler(_want_nothing, apply_entry_returned),
    "return_answered": KindHandler(_want_nothing, apply_return_answered),
    "records_merged": KindHandler(want_merge, apply_records_merged),
    "records_unmerged": KindHandler(want_unmerge, apply_records_unmerged),
}
