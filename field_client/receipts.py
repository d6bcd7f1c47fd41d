"""The receipt book: gapless numbers, the chain from receipt to receipt, and the offline cap.

A receipt is signed and written in the transaction of its payment. The cap counts what the server
has not acknowledged: it is looked at before a form opens, never when money was already taken.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from field_client.identity import Identities, Identity
from field_client.outbox import Appended, Outbox
from field_client.store import Store
from schemas.receipt_token import (
    SALT_BYTES,
    ReceiptContent,
    ReceiptKind,
    parse_receipt,
    payment_digest,
    receipt_link,
    receipt_number,
    sign_receipt,
)
from schemas.signatures import to_base64url
from sync.clock import DAY_MS, Clock

OFFICE_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SCHEME_KINDS = {"voluntary": ReceiptKind.VOLUNTARY, "health": ReceiptKind.HEALTH}
_LARGEST_SECONDS = 0xFFFF_FFFF


class CapState(StrEnum):
    """How near the unacknowledged receipts are to the offline cap."""

    FREE = "free"
    WARNED = "warned"
    REACHED = "reached"


class CapReachedError(Exception):
    """A new collection form must not open before a sync; money already taken can be recorded."""


@dataclass(frozen=True, slots=True)
class OfflineCap:
    """The offline cap; a device warns at 80 % of any of the three."""

    receipts: int = 200
    amount_vnd: int = 100_000_000
    age_ms: int = 14 * DAY_MS
    warned_percent: int = 80


@dataclass(frozen=True, slots=True)
class CapStanding:
    """What counts against the cap: unacknowledged receipts, their amount, the age of the oldest."""

    receipts: int
    amount_vnd: int
    oldest_age_ms: int
    state: CapState


@dataclass(frozen=True, slots=True)
class IssuedReceipt:
    """One receipt in the book."""

    number: str
    installation_number: int
    counter: int
    kind: int
    payment_id: str
    amount_vnd: int
    token: str
    acked: bool
    local_id: int


class ReceiptBook:
    """Signs and numbers receipts, and finds them again."""

    def __init__(
        self, store: Store, identities: Identities, outbox: Outbox, clock: Clock, cap: OfflineCap
    ) -> None:
        self._store = store
        self._identities = identities
        self._outbox = outbox
        self._clock = clock
        self.cap = cap

    def issue(
        self,
        kind: ReceiptKind,
        payment: tuple[str, str],
        amount_vnd: int,
        campaign: int,
        refers: IssuedReceipt | None,
    ) -> IssuedReceipt:
        """Sign the next receipt for `payment` (id, exact text) and append its entry.

        Belongs inside the transaction of the entry that it proves.
        """
        payment_id, payment_raw = payment
        with self._store.transaction():
            identity = self._identities.current()
            now_ms = self._clock.now_ms()
            ack = self._identities.standing(identity.installation).last_ack
            linked_ack = None if ack is None else ack["text"]
            salt = secrets.token_bytes(SALT_BYTES)
            content = ReceiptContent(
                installation=identity.number,
                counter=self._next_counter(identity),
                issued_at_s=min(max(now_ms // 1000, 0), _LARGEST_SECONDS),
                kind=int(kind),
                amount_vnd=amount_vnd,
                campaign=campaign,
                link=receipt_link(self._last_signed(identity), linked_ack, identity.certificate["text"]),
                digest=payment_digest(salt, payment_raw),
                refers=None if refers is None else (refers.installation_number, refers.counter),
            )
            token = sign_receipt(content, identity.key)
            body = {
                "payment": payment_id,
                "token": token,
                "salt": to_base64url(salt),
                "linked_ack": linked_ack,
            }
            appended = self._outbox.append("receipt_issued", body)
            self._keep(identity, content, appended, payment_id, token, now_ms)
        return IssuedReceipt(
            receipt_number(content, OFFICE_ZONE),
            content.installation,
            content.counter,
            content.kind,
            payment_id,
            amount_vnd,
            token,
            acked=False,
            local_id=appended.local_id,
        )

    def receipts(self) -> list[IssuedReceipt]:
        """Return every receipt of this device and its predecessors in this store, oldest first."""
        return self._select("ORDER BY local_id", ())

    def find(self, number: str) -> IssuedReceipt | None:
        """Return the receipt with this printed number, or this counter of this installation."""
        parts = number.strip().split("-")
        if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
            return None
        if len(parts) == 3:
            key = (int(parts[1]), int(parts[2]))
        elif len(parts) == 1:
            key = (self._identities.current().number, int(parts[0]))
        else:
            return None
        found = self._select("WHERE installation_number = ? AND counter = ?", key)
        return found[0] if found else None

    def of_payment(self, payment_id: str) -> IssuedReceipt | None:
        """Return the receipt that was handed over for a payment (not its void), or None."""
        found = self._select(
            "WHERE payment_id = ? AND receipt.kind <> ?", (payment_id, int(ReceiptKind.VOID))
        )
        return found[-1] if found else None

    def is_voided(self, payment_id: str) -> bool:
        """Return whether this device has issued a void receipt for a payment."""
        return bool(
            self._select("WHERE payment_id = ? AND receipt.kind = ?", (payment_id, int(ReceiptKind.VOID)))
        )

    def cap_standing(self) -> CapStanding:
        """Return how the unacknowledged receipts stand against the cap."""
        count, amount_vnd, oldest_ms = self._store.connection.execute(
            "SELECT count(*), coalesce(sum(CASE WHEN kind <> 9 THEN amount_vnd END), 0), min(issued_ms) "
            "FROM receipt WHERE acked = 0"
        ).fetchone()
        age_ms = 0 if oldest_ms is None else max(self._clock.now_ms() - oldest_ms, 0)
        used = (
            (count, self.cap.receipts),
            (amount_vnd, self.cap.amount_vnd),
            (age_ms, self.cap.age_ms),
        )
        state = CapState.FREE
        if any(100 * part >= self.cap.warned_percent * whole for part, whole in used):
            state = CapState.WARNED
        if any(part >= whole for part, whole in used):
            state = CapState.REACHED
        return CapStanding(count, amount_vnd, age_ms, state)

    def require_room(self) -> CapStanding:
        """Return the standing before a form opens. Raises CapReachedError."""
        standing = self.cap_standing()
        if standing.state == CapState.REACHED:
            raise CapReachedError
        return standing

    def _next_counter(self, identity: Identity) -> int:
        # By number: numbers are never reused, so a new installation starts at 1.
        found = self._store.connection.execute(
            "SELECT max(counter) FROM receipt WHERE installation_number = ?", (identity.number,)
        ).fetchone()
        return int(found[0] or 0) + 1

    def _last_signed(self, identity: Identity) -> bytes | None:
        place = ("installation.last_receipt", identity.installation)
        sealed = self._store.connection.execute(
            "SELECT last_receipt FROM installation WHERE id = ?", (identity.installation,)
        ).fetchone()[0]
        if sealed is None:
            return None
        return parse_receipt(self._store.sealer.open(sealed, *place)).sig_structure

    def _keep(
        self,
        identity: Identity,
        content: ReceiptContent,
        appended: Appended,
        payment_id: str,
        token: str,
        now_ms: int,
    ) -> None:
        self._store.connection.execute(
            "INSERT INTO receipt (installation_number, counter, local_id, payment_id, kind, amount_vnd, "
            "issued_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                content.installation,
                content.counter,
                appended.local_id,
                payment_id,
                content.kind,
                content.amount_vnd,
                now_ms,
            ),
        )
        sealed = self._store.sealer.seal(token, "installation.last_receipt", identity.installation)
        self._store.connection.execute(
            "UPDATE installation SET last_receipt = ? WHERE id = ?", (sealed, identity.installation)
        )

    def _select(self, condition: str, values: tuple[object, ...]) -> list[IssuedReceipt]:
        columns = "installation_number, counter, receipt.kind, payment_id, amount_vnd, receipt.acked"
        rows = self._store.connection.execute(
            f"SELECT {columns}, local_id, entry_id "  # noqa: S608 - constants
            f"FROM receipt JOIN entry USING (local_id) {condition}",
            values,
        ).fetchall()
        issued = []
        for installation_number, counter, kind, payment_id, amount_vnd, acked, local_id, entry_id in rows:
            entry = self._outbox.entry(entry_id)
            assert entry is not None
            token = entry.body["token"]
            number = receipt_number(parse_receipt(token).content, OFFICE_ZONE)
            key = (number, installation_number, counter)
            issued.append(IssuedReceipt(*key, kind, payment_id, amount_vnd, token, bool(acked), local_id))
        return issued
