"""What can be known of a pushed entry before the transaction: its envelope, its body, its seal.

Nothing here reads the database, so that the write lock is held only while deciding. What there is
one of for each entry is a msgspec struct: a frozen dataclass takes five times as long to make.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from schemas.catalogue import KINDS, Kind, Referral, load_body, referrals
from schemas.reading import read_known
from server.journals.queries import SEALED_AT, StoredEntry
from server.sealing import Sealer
from sync.clock import ClockReading, CorrectedTime
from sync.codes import EntryCode
from sync.entry import UUID7_PATTERN, CapturedEntry, Fault, UnreadableEntry, read_entry
from sync.journal import DESK, entry_sha256
from sync.limits import LIMITS

# Money comes with these, and is posted whatever their verdict.
MONEY_KINDS = frozenset({"payment_collected", "donation_received"})
DEVICE = "device"
# The desk writing down what a sheet brings may also register households; a page of it may not. Devices
# never see an entry of the desk, so this is no part of the contract.
SHEET = "sheet"
_REGISTERED_BY_SHEETS = frozenset({"household_registered"})


class Incoming(Struct, frozen=True, gc=False):
    """One pushed entry as it reads. With a `fault` it can only be quarantined.

    `raw_body` is whatever object stands in `body`, unvalidated: the ledger needs its amounts even
    where the entry is bad.
    """

    seq: int
    raw: str
    sha256: str
    shown_id: str | None
    kind_name: str | None
    captured: ClockReading | None
    raw_body: dict[str, Any] | None
    kind: Kind | None
    body: dict[str, Any] | None
    referrals: tuple[Referral, ...]
    fault: Fault | None

    @property
    def is_cash(self) -> bool:
        """Return whether money came with the entry, whatever else is wrong with it."""
        return self.kind_name in MONEY_KINDS


def read_incoming(seq: int, raw: str, origin: str = DEVICE) -> Incoming:
    """Read one entry of a device, the desk or a sheet; never raises, whatever the text is."""
    known = read_known(raw, LIMITS)
    if known is None or not _may_write(known[1], origin):
        return _read_slowly(seq, raw, origin)
    entry, kind, body = known
    return Incoming(
        seq,
        raw,
        entry_sha256(raw),
        entry.entry_id,
        entry.kind,
        entry.captured,
        entry.body,
        kind,
        body,
        tuple(referrals(kind, body)),
        None,
    )


def _may_write(kind: Kind, origin: str) -> bool:
    if origin == SHEET:
        return DESK in kind.origins or kind.name in _REGISTERED_BY_SHEETS
    return origin in kind.origins


def _read_slowly(seq: int, raw: str, origin: str) -> Incoming:
    """Read an entry that is written in an unusual way, or find out what is wrong with it."""
    entry = read_entry(raw, LIMITS)
    if not isinstance(entry, CapturedEntry):
        return _incoming(seq, entry, None, None, entry.fault)
    kind = KINDS.get(entry.kind)
    if kind is None:
        return _incoming(seq, entry, None, None, Fault(EntryCode.KIND_UNKNOWN, "kind"))
    if not _may_write(kind, origin):
        return _incoming(seq, entry, None, None, Fault(EntryCode.KIND_NOT_FOR_DEVICES, "kind"))
    loaded = load_body(kind, entry.body)
    if isinstance(loaded, Fault):
        return _incoming(seq, entry, kind, None, loaded)
    return _incoming(seq, entry, kind, loaded, None)


def _incoming(
    seq: int,
    entry: CapturedEntry | UnreadableEntry,
    kind: Kind | None,
    body: dict[str, Any] | None,
    fault: Fault | None,
) -> Incoming:
    raw = entry.raw
    return Incoming(
        seq=seq,
        raw=raw,
        sha256=entry_sha256(raw),
        shown_id=entry.entry_id,
        kind_name=entry.kind,
        captured=entry.captured,
        raw_body=entry.body,
        kind=kind,
        body=body,
        referrals=tuple(referrals(kind, body)) if kind is not None and body is not None else (),
        fault=fault,
    )


def stand_in_id(worker_id: str, incoming: Incoming) -> str:
    """Return the name of an entry whose own id cannot be read or is taken.

    It is the same wherever the agent's devices send the same bytes: a carry-over is a duplicate,
    and its cash is not posted again.
    """
    return f"{worker_id}/{incoming.sha256[:32]}"


def receipt_shown(incoming: Incoming) -> dict[str, Any] | None:
    """Return the body of a receipt that can be looked into, whatever else is wrong with it (T7)."""
    body = incoming.raw_body if incoming.body is None else incoming.body
    if incoming.kind_name != "receipt_issued" or body is None:
        return None
    payment, token = body.get("payment"), body.get("token")
    is_named = isinstance(payment, str) and UUID7_PATTERN.fullmatch(payment) is not None
    return body if is_named and isinstance(token, str) else None


def seal_entry(sealer: Sealer, installation_id: str, seq: int, raw: str) -> bytes:
    """Return an entry's bytes sealed for its place in the journal."""
    return sealer.seal(raw, SEALED_AT, f"{installation_id}/{seq}")


def seal_entries(sealer: Sealer, installation_id: str, entries: Sequence[Incoming]) -> list[bytes]:
    """Return the entries' bytes, each sealed as by `seal_entry`."""
    return sealer.seal_all([(f"{installation_id}/{item.seq}", item.raw) for item in entries], SEALED_AT)


class Candidate(Struct, frozen=True, gc=False):
    """A readable entry up for judgement: pushed just now, or held since an earlier push."""

    entry_id: str
    installation_id: str
    seq: int
    worker_id: str
    kind: Kind
    body: dict[str, Any]
    sha256: str
    referrals: tuple[Referral, ...]
    corrected: CorrectedTime
    claimed_ms: int
    business_day: date
    received_ms: int
    is_held: bool = False

    @property
    def capture_ms(self) -> int:
        """Return the claimed time, clamped to what the marks prove."""
        lower_ms, upper_ms = self.corrected
        return min(max(self.claimed_ms, lower_ms), upper_ms)


def fresh_candidate(
    incoming: Incoming,
    installation_id: str,
    worker_id: str,
    *,
    corrected: CorrectedTime,
    claimed_ms: int,
    business_day: date,
    received_ms: int,
) -> Candidate | None:
    """Return an entry that has just come as a candidate; None where it does not read."""
    entry_id, kind, body = incoming.shown_id, incoming.kind, incoming.body
    if kind is None or body is None or entry_id is None:
        return None
    return Candidate(
        entry_id,
        installation_id,
        incoming.seq,
        worker_id,
        kind,
        body,
        incoming.sha256,
        incoming.referrals,
        corrected,
        claimed_ms,
        business_day,
        received_ms,
    )


def held_candidate(stored: StoredEntry) -> Candidate | None:
    """Return a stored entry as a candidate, as it was corrected; None where it no longer reads."""
    if stored.correction is not None:
        found = corrected_candidate(stored, json.loads(stored.correction)["body"]["body"])
        return found if isinstance(found, Candidate) else None
    origin = SHEET if stored.installation_id == DESK else DEVICE
    incoming = read_incoming(stored.seq, stored.raw, origin)
    if incoming.kind is None or incoming.body is None or incoming.captured is None:
        return None
    return _candidate(stored, incoming.kind, incoming.body, incoming.captured.wall_ms)


def corrected_candidate(stored: StoredEntry, raw_body: dict[str, Any]) -> Candidate | Fault:
    """Return a stored entry with `raw_body` for its own: same id, agent and frozen times.

    One without a readable id or kind stays what it is: nothing could refer to it.
    """
    kind = KINDS.get(stored.kind or "")
    if kind is None or DEVICE not in kind.origins or UUID7_PATTERN.fullmatch(stored.entry_id) is None:
        return Fault(EntryCode.NOT_CORRECTABLE, "target")
    body = load_body(kind, raw_body)
    if isinstance(body, Fault):
        return Fault(body.code, ".".join(filter(None, ("body", body.field))))
    captured = read_entry(stored.raw, LIMITS).captured
    return _candidate(stored, kind, body, stored.upper_ms if captured is None else captured.wall_ms)


def _candidate(stored: StoredEntry, kind: Kind, body: dict[str, Any], claimed_ms: int) -> Candidate:
    return Candidate(
        entry_id=stored.entry_id,
        installation_id=stored.installation_id,
        seq=stored.seq,
        worker_id=stored.worker_id,
        kind=kind,
        body=body,
        sha256=stored.sha256,
        referrals=tuple(referrals(kind, body)),
        corrected=CorrectedTime(stored.lower_ms, stored.upper_ms),
        claimed_ms=claimed_ms,
        business_day=stored.business_day,
        received_ms=stored.received_ms,
        is_held=True,
    )


def referred_ids(candidates: Sequence[Candidate]) -> set[str]:
    """Return every id that the candidates refer to."""
    return {referral.entry_id for candidate in candidates for referral in candidate.referrals}
