"""What an agent does, each an append to the journal; nothing invalid is ever captured.

Text is stored in Unicode NFC, as the contract wants it: keyboards of some systems type Vietnamese
in another form.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from field_client.outbox import Appended, CaptureRefusedError, Outbox
from field_client.projection import Projection
from field_client.receipts import OFFICE_ZONE, SCHEME_KINDS, IssuedReceipt, ReceiptBook
from field_client.store import Store
from schemas.receipt_token import ReceiptKind, parse_receipt
from sync.clock import Clock, local_day
from sync.codes import EntryCode
from sync.entry import Fault
from sync.ports import IdSource

# Money that a receipt was handed over for: its void comes with another one.
RECEIPTED = ("payment_collected", "donation_received")
VOIDABLE_ALONE = (
    "visit_recorded",
    "vssid_installed",
    "enrolment_recorded",
    "cash_remitted",
    "beneficiary_nominated",
    "card_handed_over",
)


@dataclass(frozen=True, slots=True)
class Collected:
    """A payment or donation in the journal with the receipt that was made for it."""

    payment_id: str
    amount_vnd: int
    receipt: IssuedReceipt


def _refuse(code: EntryCode, field: str) -> CaptureRefusedError:
    return CaptureRefusedError(Fault(code, field))


def _tidy(value: Any) -> Any:
    """Return text in NFC without blanks around it, days as ISO text, and no blank optional texts."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip() or None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _tidy(member) for name, member in value.items()}
    return value


class Actions:
    """Imperative verbs over one journal. Each returns the id of the entry that it wrote."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        projection: Projection,
        receipts: ReceiptBook,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._projection = projection
        self._receipts = receipts
        self._clock = clock
        self._ids = ids

    def register_household(self, *, area: str, head_name: str, address: str, **optional: Any) -> str:
        """Put a household on the list; optional: hamlet, phone, members."""
        return self._append(
            "household_registered", area=area, head_name=head_name, address=address, **optional
        ).entry_id

    def amend_household(self, household: str, **changes: Any) -> str:
        """Change fields of a household; a None clears an optional one."""
        return self._amend("household", household, changes)

    def register_person(self, *, full_name: str, **optional: Any) -> str:
        """Put a person on the list, in a `household` or an `area`.

        Optional: birth_date, sex, national_id, insurance_number, phone.
        """
        self._require_born(optional.get("birth_date"), "birth_date")
        return self._append("person_registered", full_name=full_name, **optional).entry_id

    def amend_person(self, person: str, **changes: Any) -> str:
        """Change fields of a person; a None clears an optional one."""
        self._require_born(changes.get("birth_date"), "set.birth_date")
        return self._amend("person", person, changes)

    def record_visit(self, *, household: str, disposition: str, **optional: Any) -> str:
        """Record a knock at a door; optional: call_back_on, note, area, campaign, promoter."""
        optional.setdefault("area", self._area_of("household", household))
        return self._append(
            "visit_recorded", household=household, disposition=disposition, **optional
        ).entry_id

    def record_install(
        self, *, person: str, state: str, occasion: str, evidence: str, **optional: Any
    ) -> str:
        """Record a VssID install; optional: area, campaign, promoter."""
        optional.setdefault("area", self._area_of("person", person))
        return self._append(
            "vssid_installed", person=person, state=state, occasion=occasion, evidence=evidence, **optional
        ).entry_id

    def record_enrolment(
        self,
        *,
        person: str,
        scheme: str,
        status: str,
        from_month: str,
        months: int,
        amount_due_vnd: int,
        **optional: Any,
    ) -> str:
        """Record an enrolment.

        Optional: income_vnd, category, supported_months, member, support, hospital,
        local_support_vnd, visit, area, campaign, promoter.
        """
        optional.setdefault("area", self._area_of("person", person))
        return self._append(
            "enrolment_recorded",
            person=person,
            scheme=scheme,
            status=status,
            from_month=from_month,
            months=months,
            amount_due_vnd=amount_due_vnd,
            **optional,
        ).entry_id

    def record_consent(
        self, *, person: str, purpose: str, decision: str, evidence: str, note: str | None = None
    ) -> str:
        """Record that a person gave or withdrew their consent to a purpose."""
        return self._append(
            "consent_recorded",
            person=person,
            purpose=purpose,
            decision=decision,
            evidence=evidence,
            note=note,
        ).entry_id

    def collect_payment(
        self,
        allocations: Sequence[tuple[str, int]],
        *,
        scheme: str | None = None,
        method: str = "cash",
        campaign: int | None = None,
        note: str | None = None,
    ) -> Collected:
        """Record money taken, with its receipt: (enrolment id, đồng) each, all of one scheme.

        Scheme and campaign come from the enrolments that this device knows; pass them for others.
        The offline cap is not asked here: this money is taken already.
        """
        known = [self._projection.enrolment(enrolment) for enrolment, _ in allocations]
        schemes = {view.fields.get("scheme") for view in known if view is not None}
        if scheme is not None:
            schemes.add(scheme)
        if len(schemes) != 1:
            raise _refuse(EntryCode.ALLOCATION_MISMATCH, "scheme")
        the_scheme = str(schemes.pop())
        if the_scheme not in SCHEME_KINDS:
            raise _refuse(EntryCode.FIELD_INVALID, "scheme")
        if campaign is None and known and known[0] is not None:
            campaign = known[0].fields.get("campaign")
        payment_id = self._ids.new_id()
        body = {
            "payment": payment_id,
            "scheme": the_scheme,
            "method": method,
            "allocations": [
                {"enrolment": enrolment, "amount_vnd": amount_vnd} for enrolment, amount_vnd in allocations
            ],
            "note": _tidy(note),
        }
        with self._store.transaction():
            payment = self._outbox.append("payment_collected", body, payment_id)
            amount_vnd = sum(amount for _, amount in allocations)
            receipt = self._receipts.issue(
                SCHEME_KINDS[the_scheme], (payment_id, payment.raw), amount_vnd, campaign or 0, None
            )
        return Collected(payment_id, amount_vnd, receipt)

    def record_donation(
        self,
        *,
        area: str,
        fund: int,
        donor_class: str,
        amount_vnd: int,
        method: str = "cash",
        **optional: Any,
    ) -> Collected:
        """Record what somebody gave for cards, with its receipt.

        Optional: donor (name, phone, tax_code), restriction (kind, key), pledge, note. The offline
        cap is not asked here: this money is taken already.
        """
        members = {"area": area, "fund": fund, "donor_class": donor_class, "method": method}
        with self._store.transaction():
            donation = self._append("donation_received", **members, amount_vnd=amount_vnd, **optional)
            receipt = self._receipts.issue(
                ReceiptKind.DONATION, (donation.entry_id, donation.raw), amount_vnd, fund, None
            )
        return Collected(donation.entry_id, amount_vnd, receipt)

    def remit_cash(self, *, fund: int, amount_vnd: int, destination: str, **optional: Any) -> str:
        """Record that cash was carried to the account or the office; optional: reference, note."""
        return self._append(
            "cash_remitted", fund=fund, amount_vnd=amount_vnd, destination=destination, **optional
        ).entry_id

    def nominate(self, *, person: str, fund: int, pool: str, evidence: str, **optional: Any) -> str:
        """Name a person for a card; optional: consent, evidence_number, member, note.

        `consent` is by default what this device recorded of their consent to a donated card.
        """
        optional["consent"] = optional.get("consent") or self.card_consent(person)
        return self._append(
            "beneficiary_nominated", person=person, fund=fund, pool=pool, evidence=evidence, **optional
        ).entry_id

    def card_consent(self, person: str) -> str | None:
        """Return the own entry of a person's consent to a donated card, where the latest says so."""
        found = [
            entry
            for part in self._projection.same_as("person", person)
            for entry in self._outbox.entries_touching("consents_of", part)
            if entry.body.get("purpose") == "card_donation" and entry.state != "quarantined"
        ]
        latest = max(found, key=lambda entry: entry.local_id, default=None)
        return None if latest is None or latest.body.get("decision") != "given" else latest.entry_id

    def hand_over_card(
        self,
        *,
        allocation: str,
        proof: Mapping[str, Any],
        person: str | None = None,
        note: str | None = None,
    ) -> str:
        """Record that a card was given into the hand of whom it was allocated to.

        `proof` has the number of a scanned identity card, or the name of a witness. What the office
        has done since the last sync is not known here, so its stage is not asked.
        """
        view = self._projection.view("allocation", allocation)
        beneficiary = None if view is None else view.fields.get("person")
        same = {beneficiary} if person is None else {*self._projection.same_as("person", person)}
        if beneficiary is not None and beneficiary not in same:
            raise _refuse(EntryCode.NOT_THE_BENEFICIARY, "person")
        members = {"allocation": allocation, "person": person or beneficiary, "proof": proof, "note": note}
        return self._append("card_handed_over", **members).entry_id

    def void_payment(self, payment_id: str, reason: str) -> IssuedReceipt:
        """Void an own payment or donation, with the kind-9 receipt that takes the first one back."""
        payment = self._outbox.entry(payment_id)
        receipt = self._receipts.of_payment(payment_id)
        if payment is None or payment.kind not in RECEIPTED or receipt is None:
            raise _refuse(EntryCode.NOT_OWN_ENTRY, "target")
        with self._store.transaction():
            if self._receipts.is_voided(payment_id):
                raise _refuse(EntryCode.ALREADY_VOIDED, "target")
            self._append("entry_voided", target=payment_id, reason=reason)
            campaign = parse_receipt(receipt.token).content.campaign
            return self._receipts.issue(
                ReceiptKind.VOID, (payment_id, payment.raw), receipt.amount_vnd, campaign, receipt
            )

    def void_entry(self, target: str, reason: str) -> str:
        """Void an own entry that has no receipt; what has one goes through `void_payment`."""
        entry = self._outbox.entry(target)
        if entry is None:
            raise _refuse(EntryCode.NOT_OWN_ENTRY, "target")
        if entry.kind not in VOIDABLE_ALONE:
            raise _refuse(EntryCode.REFERENCE_WRONG_KIND, "target")
        with self._store.transaction():
            voids = self._outbox.entries_touching("voids_of", target)
            if any(void.state not in {"quarantined", "answered"} for void in voids):
                raise _refuse(EntryCode.ALREADY_VOIDED, "target")
            return self._append("entry_voided", target=target, reason=reason).entry_id

    def answer_return(self, target: str, *, replacement: str | None = None, note: str | None = None) -> str:
        """Settle an entry that the office sent back: replaced by an own later entry, or given up."""
        if target not in {returned.name for returned in self._projection.returned()}:
            raise _refuse(EntryCode.NOT_RETURNED, "target")
        if replacement is not None and self._outbox.entry(replacement) is None:
            raise _refuse(EntryCode.NOT_OWN_ENTRY, "replacement")
        reply = "withdrawn" if replacement is None else "replaced"
        members = {"target": target, "reply": reply, "replacement": replacement, "note": note}
        return self._append("return_answered", **members).entry_id

    def _append(self, kind: str, **members: Any) -> Appended:
        body = {name: _tidy(value) for name, value in members.items()}
        return self._outbox.append(kind, {name: value for name, value in body.items() if value is not None})

    def _amend(self, record_type: str, record_id: str, changes: Mapping[str, Any]) -> str:
        view = self._projection.view(record_type, record_id)
        if view is None:
            raise _refuse(EntryCode.REFERENCE_NOT_SEEN, record_type)
        body = {record_type: record_id, "base": view.last_entry, "set": _tidy(changes)}
        return self._outbox.append(f"{record_type}_amended", body).entry_id

    def _area_of(self, record_type: str, record_id: str) -> str | None:
        """The area of a record as this device sees it; None when it does not know the record."""
        view = self._projection.view(record_type, record_id)
        if view is None:
            return None
        household = view.fields.get("household")
        area = view.fields.get("area")
        return self._area_of("household", household) if area is None and household is not None else area

    def _require_born(self, birth_date: Any, field: str) -> None:
        today = local_day(self._clock.now_ms(), OFFICE_ZONE)
        if str(birth_date or "") > today.isoformat():
            raise _refuse(EntryCode.BIRTH_DATE_IN_FUTURE, field)
