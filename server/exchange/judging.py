"""The decision pass over one push: every entry gets exactly one verdict, in journal order.

Runs inside the batch's transaction, after everything the batch touches was locked and then read
(docs/protocol.md, rule 1). An exception while judging one entry names that entry, so that the
caller can decide again with it quarantined (rule 5).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import structlog
from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from server.audit.changes import Change
from server.devices.queries import InstallationView
from server.devices.rules import is_revoked_at
from server.errors import frames_of
from server.exchange.batch import Batch
from server.exchange.intake import MONEY_KINDS, Candidate, receipt_shown, stand_in_id
from server.exchange.registry import HANDLERS
from server.exchange.storing import Position, Storing, texts
from server.exchange.surroundings import Surroundings
from server.funds.door_queries import DOOR_TABLES
from server.journals.actions import mark_corrected, return_entry, set_waits
from server.money.rules import claim_of
from server.receipts.workspace import RefusedReceipt
from sync.codes import EntryCode, Flag
from sync.entry import Fault
from sync.journal import DESK
from sync.judgement import Arrival, Refused, Ruling
from sync.ports import IdSource
from sync.verdict import Decision, OutcomeState, Verdict


class JudgementError(Exception):
    """Judging the entry at `seq` raised; the batch is decided again with it quarantined."""

    def __init__(self, seq: int, entry_id: str) -> None:
        super().__init__(f"judging entry {entry_id} raised")
        self.seq = seq
        self.entry_id = entry_id


class SetAside(Struct, frozen=True):
    """Entries that are quarantined for what became of a push that judged them (rule 5).

    `failing`: judging them raised. `unwritable`: those of them whose effect could not be written, so that
    nothing of them is but their bytes and their verdict.
    """

    failing: frozenset[str] = frozenset()
    unwritable: frozenset[str] = frozenset()

    def with_failing(self, entry_id: str) -> SetAside:
        """Return these and one more whose judgement raised."""
        return SetAside(self.failing | {entry_id}, self.unwritable)

    def with_unwritable(self, entry_ids: Iterable[str]) -> SetAside:
        """Return these and more whose effect cannot be written."""
        more = frozenset(entry_ids)
        return SetAside(self.failing | more, self.unwritable | more)


_log = structlog.get_logger("tungnha.exchange")


class Judge:
    """Judges the new entries of one push and releases what waited for them."""

    def __init__(
        self,
        batch: Batch,
        ids: IdSource,
        installation: InstallationView,
        surroundings: Surroundings,
        held: Sequence[Candidate],
        waits: dict[str, set[str]],
        aside: SetAside,
        numbers: dict[str, int],
    ) -> None:
        self._batch = batch
        self._change: Change = batch.change
        self._storing = Storing(batch, ids, installation)
        self._installation = installation
        self._surroundings = surroundings
        self._held = {candidate.entry_id: candidate for candidate in held}
        self._waits = waits
        self._stored_waits = {entry_id: set(wanted) for entry_id, wanted in waits.items()}
        self._waiting_on: dict[str, list[str]] = defaultdict(list)
        for entry_id, wanted in waits.items():
            for wanted_id in sorted(wanted):
                self._waiting_on[wanted_id].append(entry_id)
        self._aside = aside
        self._numbers = numbers

    def judge(self, position: Position) -> Verdict:
        """Give one pushed entry its verdict, store it, and release what waited for it."""
        incoming = position.incoming
        if incoming.shown_id is not None and incoming.shown_id not in self._batch.known:
            return self._judge_new(position, incoming.shown_id)
        stand_in = stand_in_id(self._installation.worker_id, incoming)
        entry_id = incoming.shown_id or stand_in
        known = self._batch.known.get(entry_id)
        if known is not None and known.sha256 != incoming.sha256 and stand_in in self._batch.known:
            # A carry-over brings the same incident again.
            entry_id, known = stand_in, self._batch.known[stand_in]
        if known is not None and known.sha256 == incoming.sha256:
            code = str(EntryCode.ENTRY_ALREADY_RECEIVED)
            verdict = Verdict(incoming.seq, entry_id, Decision.DUPLICATE, code)
            self._storing.store_entry(position, entry_id, verdict)
            return verdict
        if known is not None:
            fault = Fault(EntryCode.ENTRY_ID_REUSED, "id")
            self._storing.report("entry_id_reused", incoming)
            # Cash once per entry id: what is no second payment under this id is posted all the same.
            is_unposted = incoming.is_cash and known.kind not in MONEY_KINDS
            flags = self._post_cash(position, stand_in) if is_unposted else ()
            return self._quarantine(position, stand_in, fault, flags)
        return self._judge_new(position, entry_id)

    def finish(self) -> None:
        """Write what still waits for what, after the last entry."""
        for entry_id, wanted in sorted(self._waits.items()):
            set_waits(self._change, entry_id, self._stored_waits.get(entry_id, set()), wanted)

    def _judge_new(self, position: Position, entry_id: str) -> Verdict:
        incoming, candidate = position.incoming, position.candidate
        flags = self._flags(position)
        if incoming.is_cash:
            flags += self._post_cash(position, entry_id)
        if is_revoked_at(self._installation.state, self._installation.last_valid_seq, incoming.seq):
            return self._quarantine(position, entry_id, Fault(EntryCode.INSTALLATION_REVOKED), flags)
        if entry_id in self._aside.failing:
            return self._quarantine(position, entry_id, Fault(EntryCode.JUDGEMENT_FAILED), flags)
        if candidate is None or incoming.fault is not None:
            fault = incoming.fault or Fault(EntryCode.ENTRY_UNREADABLE)
            return self._quarantine(position, entry_id, fault, flags)
        result = self._decide(candidate)
        if isinstance(result, set):
            return self._hold(position, candidate, result, flags)
        if isinstance(result, Fault):
            return self._quarantine(position, entry_id, result, flags)
        flags += result[1]
        decision = Decision.MERGED if result[0] is OutcomeState.MERGED else Decision.APPLIED
        verdict = Verdict(incoming.seq, entry_id, decision, None, None, texts(flags) if flags else ())
        self._storing.store_entry(position, entry_id, verdict)
        self._storing.store_outcome(position, entry_id, result[0], None)
        if entry_id in self._waiting_on:
            self._release(entry_id)
        return verdict

    def _decide(self, candidate: Candidate) -> tuple[OutcomeState, tuple[Flag, ...]] | Fault | set[str]:
        """Return the new state with flags, a fault, or the ids that the entry has to wait for."""
        fault = self._surroundings.fault_of(candidate)
        if fault is None and candidate.kind.name in DOOR_TABLES:
            fault = self._batch.funds.office_fault(candidate.body)
        if fault is not None:
            return fault
        missing = set()
        is_any_kind_let_in = HANDLERS[candidate.kind.name].refuses_other_kinds
        for referral in candidate.referrals:
            known = self._batch.known.get(referral.entry_id)
            is_named = known is not None and known.kind is not None and bool(referral.kinds)
            is_other_kind = known is not None and is_named and known.kind not in referral.kinds
            if is_other_kind and not is_any_kind_let_in:
                return Fault(EntryCode.REFERENCE_WRONG_KIND, referral.field)
            if known is None or (referral.in_effect and not known.is_seen):
                missing.add(referral.entry_id)
        if missing:
            return missing
        try:
            ruling, flags = self._apply(candidate)
        except (DBAPIError, JudgementError):
            # Whether the database is at fault or a value that it refuses is for the caller to find out;
            # what is judged within this entry's effect names itself.
            raise
        except Exception as error:
            raise JudgementError(candidate.seq, candidate.entry_id) from error
        if isinstance(ruling, Refused):
            return ruling.fault
        state = OutcomeState.MERGED if ruling.merged else OutcomeState.APPLIED
        return state, (*flags, *ruling.flags)

    def _apply(self, candidate: Candidate) -> tuple[Ruling, tuple[Flag, ...]]:
        area_key = self._batch.area_of(candidate)
        in_area, flags = True, tuple[Flag, ...]()
        # What the office decides at its desk is not captured anywhere.
        if area_key is not None and candidate.installation_id != DESK:
            in_area, flags = self._surroundings.standing(candidate, area_key)
        name = candidate.kind.name
        # By place: naming fourteen members takes longer than all else here.
        arrival = Arrival(
            candidate.entry_id,
            name,
            candidate.body,
            candidate.sha256,
            candidate.installation_id,
            self._numbers[candidate.installation_id],
            candidate.worker_id,
            candidate.corrected,
            candidate.business_day,
            candidate.received_ms,
            area_key,
            in_area,
            self._surroundings.team(candidate),
            self._surroundings.organisation(candidate),
        )
        ruling = HANDLERS[name].apply(self._batch, arrival)
        if name == "receipt_issued":
            self._follow_payment(candidate.body["payment"])
        if name in _SETTLING and not isinstance(ruling, Refused):
            fault = self._settle_target(candidate)
            ruling = ruling if fault is None else Refused(fault)
        return ruling, flags

    def _settle_target(self, candidate: Candidate) -> Fault | None:
        """Let the entry that this one settles have become what it is now."""
        match candidate.kind.name:
            case "entry_voided":
                self._storing.move_outcome(candidate.body["target"], OutcomeState.VOIDED, None)
            case "return_answered":
                self._waits[candidate.body["target"]] = set()
                self._storing.move_outcome(candidate.body["target"], OutcomeState.ANSWERED, None)
            case "entry_returned":
                target = self._batch.known[candidate.body["target"]]
                self._batch.known[target.entry_id] = return_entry(
                    self._change, target, candidate.body["reason"]
                )
            case "entry_corrected":
                return self._judge_corrected(candidate.body["target"], candidate.entry_id)
        return None

    def _judge_corrected(self, target_id: str, by_entry_id: str) -> Fault | None:
        """Judge a quarantined entry again, with its corrected body; a fault leaves it as it is."""
        corrected = self._batch.corrections[target_id]
        if isinstance(corrected, Fault):
            return corrected
        result = self._decide(corrected)
        if isinstance(result, Fault):
            return Fault(result.code, ".".join(filter(None, ("body", result.field))))
        self._batch.known[target_id] = mark_corrected(self._change, self._batch.known[target_id], by_entry_id)
        self._waits[target_id] = set()
        if isinstance(result, set):
            self._held[target_id] = corrected
            self._wait_for(target_id, result)
            self._storing.move_outcome(target_id, OutcomeState.HELD, _missing_fault(corrected, result))
            return None
        self._storing.move_outcome(target_id, result[0], None, result[1])
        self._release(target_id)
        return None

    def _follow_payment(self, payment_id: str) -> None:
        """Let the receipts of a payment that is quarantined say so."""
        if self._batch.known[payment_id].state == OutcomeState.QUARANTINED:
            self._batch.receipts.payment_quarantined(payment_id)

    def _release(self, entry_id: str) -> None:
        """Judge again what waited for `entry_id`, and what waited for that, in order of ids."""
        ready = sorted(self._waiting_on.pop(entry_id, []))
        while ready:
            candidate = self._held.get(ready.pop(0))
            if candidate is None or self._batch.known[candidate.entry_id].state not in _STILL_WAITING:
                continue
            if candidate.entry_id in self._aside.failing:
                result: tuple[OutcomeState, tuple[Flag, ...]] | Fault | set[str]
                result = Fault(EntryCode.JUDGEMENT_FAILED)
            else:
                result = self._decide(candidate)
            if isinstance(result, set):
                self._wait_for(candidate.entry_id, result)
                continue
            self._waits[candidate.entry_id] = set()
            if isinstance(result, Fault):
                self._storing.move_outcome(candidate.entry_id, OutcomeState.QUARANTINED, result)
                if candidate.kind.name in MONEY_KINDS:
                    self._follow_payment(candidate.entry_id)
                elif candidate.kind.name == "receipt_issued":
                    name, device, worker = candidate.entry_id, candidate.installation_id, candidate.worker_id
                    refused = RefusedReceipt(
                        name, device, worker, candidate.received_ms, candidate.body, result.code
                    )
                    self._keep_receipt(refused, candidate.seq, name)
                continue
            self._storing.move_outcome(candidate.entry_id, result[0], None, result[1])
            ready.extend(sorted(self._waiting_on.pop(candidate.entry_id, [])))

    def _keep_receipt(self, refused: RefusedReceipt, seq: int, shown_id: str | None) -> None:
        """Keep a true receipt whatever becomes of its entry (T7), unless it cannot be written."""
        if self._aside.unwritable & {refused.entry_id, shown_id}:
            return
        try:
            self._batch.receipts.keep_refused(refused)
        except DBAPIError:
            raise
        except Exception as error:
            if refused.entry_id not in self._aside.failing:
                raise JudgementError(seq, refused.entry_id) from error
            _log.error("receipt_not_kept", error=type(error).__name__, frames=frames_of(error))

    def _hold(
        self, position: Position, candidate: Candidate, missing: set[str], flags: tuple[Flag, ...]
    ) -> Verdict:
        entry_id = candidate.entry_id
        fault = _missing_fault(candidate, missing)
        verdict = Verdict(candidate.seq, entry_id, Decision.HELD, str(fault.code), fault.field, texts(flags))
        self._storing.store_entry(position, entry_id, verdict)
        self._storing.store_outcome(position, entry_id, OutcomeState.HELD, fault)
        self._held[entry_id] = candidate
        self._waits.setdefault(entry_id, set())
        self._wait_for(entry_id, missing)
        return verdict

    def _wait_for(self, entry_id: str, missing: set[str]) -> None:
        self._waits[entry_id] |= missing
        for wanted_id in missing:
            if entry_id not in self._waiting_on[wanted_id]:
                self._waiting_on[wanted_id].append(entry_id)

    def _flags(self, position: Position) -> tuple[Flag, ...]:
        """Return the flags about the entry's time, which hold whatever becomes of the entry."""
        captured, candidate = position.incoming.captured, position.candidate
        flags = () if candidate is None else self._surroundings.remarks(candidate)
        if captured is None or position.previous_wall_ms is None:
            return flags
        is_set_back = captured.wall_ms < position.previous_wall_ms
        return (Flag.CLOCK_BEFORE_PREVIOUS, *flags) if is_set_back else flags

    def _post_cash(self, position: Position, entry_id: str) -> tuple[Flag, ...]:
        flag = self._batch.money.post_on_arrival(
            entry_id,
            self._installation.worker_id,
            self._installation.id,
            claim_of(position.incoming.kind_name, position.incoming.raw_body),
            position.business_day,
            self._change.now_ms,
        )
        return () if flag is None else (flag,)

    def _quarantine(
        self, position: Position, entry_id: str, fault: Fault, flags: tuple[Flag, ...]
    ) -> Verdict:
        incoming = position.incoming
        shown_id = incoming.shown_id or entry_id
        verdict = Verdict(
            incoming.seq, shown_id, Decision.QUARANTINED, str(fault.code), fault.field, texts(flags)
        )
        self._storing.store_entry(position, entry_id, verdict)
        self._storing.store_outcome(position, entry_id, OutcomeState.QUARANTINED, fault)
        body = receipt_shown(incoming)
        if body is not None:
            device, worker = self._installation.id, self._installation.worker_id
            refused = RefusedReceipt(entry_id, device, worker, position.received_ms, body, fault.code)
            self._keep_receipt(refused, incoming.seq, incoming.shown_id)
        return verdict


# Kinds that let another entry become something else.
_SETTLING = frozenset({"entry_voided", "return_answered", "entry_returned", "entry_corrected"})
# A held entry that was shown as quarantined after 30 days still waits (docs/protocol.md, rule 7).
_STILL_WAITING = frozenset({OutcomeState.HELD, OutcomeState.QUARANTINED})


def _missing_fault(candidate: Candidate, missing: set[str]) -> Fault:
    field = next(item.field for item in candidate.referrals if item.entry_id in missing)
    return Fault(EntryCode.REFERENCE_NOT_SEEN, field)
