"""Which verdict an entry must get, and what it changes: rules 2, 3, 5, 6 and 7 written again."""

from __future__ import annotations

from typing import Any

from tests.simulation.oracle.clocks import business_day, corrected
from tests.simulation.oracle.deciding import DESK, Deciding
from tests.simulation.oracle.following import Following
from tests.simulation.oracle.model import (
    CASH_KIND,
    FACT_KINDS,
    SEEN,
    Entry,
    Installation,
    Reading,
    Ruling,
    Verdict,
    amount_claimed,
    references,
    refused,
)
from tests.simulation.oracle.office import LATE_MS, Office
from tests.simulation.oracle.receipts import (
    MONEY_KINDS,
    VOID,
    Receipt,
    Token,
    is_covered,
    link_of,
    read_token,
)
from tests.simulation.oracle.records import People, registered


class Judgement(Deciding, Following):
    """Everything that verdicts depend on. See the methods' names."""

    def __init__(self, office: Office, installations: dict[str, Installation]) -> None:
        self.office = office
        self.installations = installations
        self.entries: dict[str, Entry] = {}
        self.people = People()
        self.receipts: list[Receipt] = []
        # A handler raises on a body that has this text as a name or a note.
        self.poison = ""
        self.incidents: list[str] = []
        # Verdicts of the desk's own journal.
        self.desk_verdicts: list[str] = []
        self.fenced_by_receipts: list[str] = []

    def lineage(self, installation: Installation) -> list[Installation]:
        """Return an installation and those it replaced, newest first."""
        found, wanted = [installation], installation.predecessor
        while wanted is not None and wanted in self.installations:
            found.append(self.installations[wanted])
            wanted = found[-1].predecessor
        return found

    # --- one position of a push ---

    def judge(
        self, installation: Installation, seq: int, reading: Reading, request: dict[str, Any], now_ms: int
    ) -> Verdict:
        """Give the entry at `seq` its verdict."""
        stand_in = f"{installation.worker}/{reading.sha256[:32]}"
        entry_id = reading.entry_id or stand_in
        known = self.entries.get(entry_id)
        if known is not None and known.sha256 != reading.sha256 and stand_in in self.entries:
            entry_id, known = stand_in, self.entries[stand_in]
        if known is not None and known.sha256 == reading.sha256:
            return Verdict(seq, entry_id, "duplicate", "entry_already_received", frozenset())
        entry = self._placed(installation, seq, entry_id, reading, request, now_ms)
        if known is not None:
            return self._reused_id(entry, known, stand_in, seq)
        flags = self._time_flags(installation, entry) | self._post_cash(entry)
        # An entry has not been seen while it is judged itself.
        ruling = self._first_ruling(installation, seq, entry, reading)
        self.entries[entry_id] = entry
        entry.state, entry.code = ruling.state, ruling.code
        if ruling.state == "quarantined":
            self._keep_receipt(entry, ruling.code)
        if ruling.missing:
            entry.waits, entry.held_ms = ruling.missing, now_ms
        if ruling.state in {"applied", "merged"}:
            self._release(entry_id)
        return Verdict(seq, entry_id, ruling.state, ruling.code, frozenset(flags | ruling.flags))

    def _reused_id(self, entry: Entry, known: Entry, stand_in: str, seq: int) -> Verdict:
        self.incidents.append("entry_id_reused")
        shown_id, entry.entry_id = entry.entry_id, stand_in
        self.entries[stand_in] = entry
        flags = self._post_cash(entry) if known.kind != CASH_KIND else set()
        entry.state, entry.code = "quarantined", "entry_id_reused"
        self._keep_receipt(entry, entry.code)
        return Verdict(seq, shown_id, "quarantined", "entry_id_reused", frozenset(flags))

    def _placed(
        self,
        installation: Installation,
        seq: int,
        entry_id: str,
        reading: Reading,
        request: dict[str, Any],
        now_ms: int,
    ) -> Entry:
        captured = reading.captured or request["clock"]
        lineage = self.lineage(installation)
        marks = sorted(
            (mark for one in lineage for mark in one.marks_for(installation)), key=lambda mark: mark.server_ms
        )
        this, arrival_ms = installation.mark_of(request, now_ms), installation.arrival_of(seq, now_ms)
        lower, upper = corrected(captured, seq, marks, this, lineage[-1].enrolled_ms, arrival_ms)
        day = business_day(captured["wall_ms"], lower, upper)
        return Entry(
            entry_id,
            reading.raw,
            reading.sha256,
            reading.kind,
            reading.body,
            installation.worker,
            installation.installation_id,
            reading.captured,
            lower,
            upper,
            day,
            arrival_ms,
            # What names an unknown place reads well, and is refused for what it says.
            is_readable=reading.code in {None, "area_unknown"},
        )

    def _time_flags(self, installation: Installation, entry: Entry) -> set[str]:
        flags: set[str] = set()
        if entry.captured is None:
            return flags
        wall = entry.captured["wall_ms"]
        previous = installation.walls[-1] if installation.walls else None
        if previous is not None and wall < previous:
            flags.add("clock_before_previous")
        if entry.is_readable:
            campaign = self.office.campaigns.get(entry.body.get("campaign") or 0)
            if campaign is not None and not campaign[0] <= entry.day <= campaign[1]:
                flags.add("out_of_campaign")
            if entry.received_ms - entry.capture_ms > LATE_MS:
                flags.add("late_arrival")
            if wall > entry.upper_ms + 5 * 60_000:
                flags.add("clock_ahead")
        return flags

    def _post_cash(self, entry: Entry) -> set[str]:
        if entry.kind != CASH_KIND:
            return set()
        amount = amount_claimed(entry.body)
        entry.posted_vnd = amount or 0
        entry.method = "transfer" if entry.body.get("method") == "transfer" else "cash"
        return {"amount_unknown"} if amount is None else set()

    def _first_ruling(self, installation: Installation, seq: int, entry: Entry, reading: Reading) -> Ruling:
        if installation.state == "revoked" and seq > (installation.last_valid_seq or 0):
            return refused("installation_revoked")
        return self._rule(entry) if reading.code is None else refused(reading.code)

    # --- kinds ---

    def _rule(self, entry: Entry) -> Ruling:
        assert entry.kind is not None
        areas = {entry.body.get("area"), (entry.body.get("set") or {}).get("area")} - {None}
        if not areas <= self.office.parents.keys():
            return refused("area_unknown")
        missing = set()
        for name, kinds, in_effect in references(entry.kind, entry.body):
            known = self.entries.get(name)
            is_other_kind = known is not None and kinds and known.kind not in kinds
            if is_other_kind and entry.kind != "receipt_issued":
                return refused("reference_wrong_kind")
            if known is None or (in_effect and known.state not in SEEN):
                missing.add(name)
        if missing:
            return Ruling("held", "reference_not_seen", missing=missing)
        if self.poison and self.poison in map(entry.body.get, ("head_name", "full_name", "note")):
            return refused("judgement_failed")
        ruling: Ruling = getattr(self, f"_{entry.kind}")(entry)
        if entry.kind == "receipt_issued" and self.entries[entry.body["payment"]].state == "quarantined":
            self._quarantine_receipts(entry.body["payment"])
        if ruling.state in {"applied", "merged"} and entry.installation != DESK:
            area = self._area_of(entry)
            flag = None if area is None else self.office.standing(entry.worker, area, entry.capture_ms)
            entry.in_area = flag in {None, "in_grace"}
            ruling.flags |= set() if flag is None else {flag}
        return ruling

    def _area_of(self, entry: Entry) -> str | None:
        if entry.kind in {"receipt_issued", "entry_voided", "return_answered", CASH_KIND}:
            return None
        if entry.kind in FACT_KINDS:
            return str(entry.body["area"])
        about = {"household_amended": "household", "person_amended": "person"}
        record = entry.body[about[entry.kind]] if entry.kind in about else entry.entry_id
        return entry.area_before if entry.kind in about else self.people.area_of(record)

    def _household_registered(self, entry: Entry) -> Ruling:
        self.people.records[entry.entry_id] = registered("household", entry)
        return Ruling("applied")

    def _person_registered(self, entry: Entry) -> Ruling:
        self.people.records[entry.entry_id] = registered("person", entry)
        is_shared = self.people.shares_a_number(entry.entry_id)
        return Ruling("applied", flags={"possible_duplicate"} if is_shared else set())

    def _amended(self, entry: Entry, record_id: str) -> Ruling:
        record = self.people.records[record_id]
        if not record.names(entry.body["base"]):
            return refused("reference_wrong_kind")
        entry.area_before = self.people.area_of(record_id)
        if entry.installation == DESK:
            self.people.settle(record, entry)
        if self.people.amend(record, entry):
            return Ruling("merged", flags={"conflict"})
        return Ruling("applied")

    def _household_amended(self, entry: Entry) -> Ruling:
        return self._amended(entry, entry.body["household"])

    def _person_amended(self, entry: Entry) -> Ruling:
        return self._amended(entry, entry.body["person"])

    def _visit_recorded(self, _entry: Entry) -> Ruling:
        return Ruling("applied")

    _vssid_installed = _enrolment_recorded = _visit_recorded

    def _payment_collected(self, entry: Entry) -> Ruling:
        items = entry.body["allocations"]
        schemes = {self.entries[item["enrolment"]].body["scheme"] for item in items}
        is_repeated = len({item["enrolment"] for item in items}) < len(items)
        if schemes != {entry.body["scheme"]}:
            return refused("allocation_mismatch")
        if entry.body["payment"] != entry.entry_id:
            return refused("field_invalid")
        claimed = (entry.body["method"], sum(item["amount_vnd"] for item in items))
        if entry.posted_vnd == 0 and not is_repeated:
            # The office says what nobody could read: it is posted by the correction.
            entry.method, entry.posted_vnd = claimed
        if is_repeated or claimed != (entry.method, entry.posted_vnd):
            return refused("allocation_mismatch")
        for receipt in self._receipts_of(entry.entry_id):
            if receipt.is_money and receipt.code is None and receipt.state in {"pending", "quarantined"}:
                receipt.state = "reconciled"
        return Ruling("applied")

    def _entry_voided(self, entry: Entry) -> Ruling:
        target = self.entries[entry.body["target"]]
        if target.worker != entry.worker:
            return refused("not_own_entry")
        if target.state == "voided":
            return refused("already_voided")
        target.become("voided")
        for receipt in self._receipts_of(target.entry_id):
            if receipt.is_money and receipt.code is None and receipt.state in {"pending", "reconciled"}:
                receipt.state = "voided"
        return Ruling("applied")

    # --- receipts ---

    def _receipts_of(self, payment: str) -> list[Receipt]:
        return [receipt for receipt in self.receipts if receipt.payment == payment]

    def _receipt_issued(self, entry: Entry) -> Ruling:
        token = read_token(entry.body["token"])
        lineage = self.lineage(self.installations[entry.installation])
        signers = [one for one in lineage if one.number == token.number[0]]
        if not signers:
            return refused("receipt_not_of_this_device")
        same = [one for one in self.receipts if one.token.number == token.number]
        for known in same:
            if known.token.digest == token.digest:
                return Ruling("applied") if known.code is None else refused(known.code)
        payment = self.entries[entry.body["payment"]]
        code = "receipt_number_reused" if same else self._content_fault(token, entry, payment)
        receipt = Receipt(token, entry.entry_id, payment.entry_id, entry.worker, "quarantined", code)
        flags = self._chain_flags(token, entry, signers[0])
        self.receipts.append(receipt)
        if code is not None:
            if same:
                self.fenced_by_receipts.append(signers[0].installation_id)
            return refused(code)
        if token.kind == VOID:
            receipt.state = "reconciled"
        else:
            receipt.state = {"applied": "reconciled", "voided": "voided", "held": "pending"}.get(
                payment.state, "quarantined"
            )
        return Ruling("applied", flags=flags)

    def _keep_receipt(self, entry: Entry, code: str | None) -> None:
        """T7: a receipt is kept whatever its entry is refused for."""
        if entry.kind != "receipt_issued":
            return
        token = read_token(entry.body["token"])
        lineage = self.lineage(self.installations[entry.installation])
        signers = [one for one in lineage if one.number == token.number[0]]
        same = [one for one in self.receipts if one.token.number == token.number]
        if not signers or any(one.token.digest == token.digest for one in same):
            return
        if same:
            code = "receipt_number_reused"
            self.fenced_by_receipts.append(signers[0].installation_id)
        payment = entry.body["payment"]
        self.receipts.append(Receipt(token, entry.entry_id, payment, entry.worker, "quarantined", code))

    def _content_fault(self, token: Token, entry: Entry, payment: Entry) -> str | None:
        if payment.kind != CASH_KIND:
            # T7: kept all the same, or the next one would seem to miss a number.
            return "reference_wrong_kind"
        if not is_covered(token, entry.body["salt"], payment.raw):
            return "receipt_digest_mismatch"
        if payment.worker != entry.worker:
            return "receipt_not_of_this_device"
        others = self._receipts_of(payment.entry_id)
        if token.kind == VOID:
            if payment.state != "voided":
                return "reference_not_seen"
            if any(other.token.kind == VOID and other.code is None for other in others):
                return "already_voided"
            if token.refers not in {other.token.number for other in others if other.is_money}:
                return "reference_not_seen"
            return None if token.amount_vnd == payment.posted_vnd else "receipt_amount_mismatch"
        if payment.state in SEEN and MONEY_KINDS[payment.body["scheme"]] != token.kind:
            return "receipt_amount_mismatch"
        if any(other.is_money and other.code is None for other in others):
            return "receipt_amount_mismatch"
        return None if token.amount_vnd == payment.posted_vnd else "receipt_amount_mismatch"

    def _chain_flags(self, token: Token, entry: Entry, signer: Installation) -> set[str]:
        linked_ack = entry.body.get("linked_ack")
        if token.number[1] == 1:
            fits = token.link == link_of(None, linked_ack, signer.certificate)
            return set() if fits else {"receipt_link_broken"}
        before = (token.number[0], token.number[1] - 1)
        previous = [one.token.signed for one in self.receipts if one.token.number == before]
        if not previous:
            return {"receipt_gap"}
        links = {link_of(signed, linked_ack, signer.certificate) for signed in previous}
        return set() if token.link in links else {"receipt_link_broken"}

    def _quarantine_receipts(self, payment: str) -> None:
        for receipt in self._receipts_of(payment):
            if receipt.is_money and receipt.code is None and receipt.state == "pending":
                receipt.state = "quarantined"

    # --- rule 7 ---

    def _release(self, entry_id: str) -> None:
        """Judge again what waited for `entry_id`, and what waited for that, in order of ids."""
        ready = self._waiting_for(entry_id)
        while ready:
            entry = self.entries[ready.pop(0)]
            if not entry.waits:
                continue
            ruling = self._rule(entry)
            if ruling.missing:
                entry.waits |= ruling.missing
                continue
            entry.waits = set()
            entry.become(ruling.state, ruling.code)
            if ruling.state == "quarantined":
                self._quarantine_receipts(entry.entry_id)
                continue
            ready += self._waiting_for(entry.entry_id)

    def _waiting_for(self, entry_id: str) -> list[str]:
        return sorted(name for name, entry in self.entries.items() if entry_id in entry.waits)

    def expire(self, now_ms: int) -> None:
        """Show what has been held for 30 days as quarantined; it still waits."""
        for entry in self.entries.values():
            if entry.state == "held" and entry.held_ms <= now_ms - 30 * 86_400_000:
                entry.become("quarantined", "held_too_long")
                self._quarantine_receipts(entry.entry_id)
