"""Reads of receipts: the stored ones, and what is true of the digits that somebody shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, and_, select

from schemas.receipt_token import (
    ParsedReceipt,
    ReceiptContent,
    ReceiptFault,
    ReceiptKind,
    ReceiptMalformedError,
    content_digest,
    is_signed_by,
    parse_receipt,
    printed_number,
    receipt_number,
)
from schemas.signatures import PublicKey
from server.audit.queries import is_recovering
from server.bulk_rows import among, chunks, rows_among
from server.devices.queries import device_keys_by_kid
from server.money.queries import payments_by_id
from server.office.queries import organisations_by_key, organisations_of_workers
from server.people.queries import initials_of
from server.receipts.models import OfficeReceipt, OfficialNumber, Receipt, ReceiptIncident
from server.receipts.rules import (
    KIND_OF_SCHEME,
    NOT_REMEMBERED,
    OFFICE_INSTALLATION,
    KnownReceipt,
    OfficialName,
    ReceiptState,
    Standing,
    is_after_cut_off,
    standing_of,
)
from sync.codes import EntryCode


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """What is true of some digits.

    `content` and `number` are null unless the signature is true; what comes from the office's own
    books (payer's initials, office, the receipt that voids it) is null unless the receipt is known.
    """

    standing: Standing
    fault: ReceiptFault | None = None
    content: ReceiptContent | None = None
    number: str | None = None
    payer_initials: str | None = None
    office_name: str | None = None
    method: str | None = None
    related_number: str | None = None
    official: OfficialName | None = None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """Two signed contents under one number."""

    installation: int
    counter: int
    entry_id: str
    worker_id: str
    opened_ms: int


def receipt_of_row(row: Any) -> KnownReceipt:
    """Return the receipt that a row of its table holds."""
    return KnownReceipt(
        installation=row.installation,
        counter=row.counter,
        content_digest=row.content_digest,
        entry_id=row.entry_id,
        payment_id=row.payment_id,
        worker_id=row.worker_id,
        kind=row.kind,
        amount_vnd=row.amount_vnd,
        issued_at_s=row.issued_at_s,
        token=row.token,
        state=ReceiptState(row.state),
        code=None if row.code is None else EntryCode(row.code),
        closed_by=row.closed_by,
    )


def receipts_of_numbers(connection: Connection, numbers: Iterable[tuple[int, int]]) -> list[KnownReceipt]:
    """Return every receipt under these (installation, counter)."""
    table = Receipt.__table__
    found: list[KnownReceipt] = []
    for part in chunks(sorted(set(numbers))):
        # The product of both lists is more than was asked for; a batch names one or two installations.
        statement = table.select().where(
            table.c.installation.in_({installation for installation, _ in part}),
            table.c.counter.in_({counter for _, counter in part}),
        )
        wanted = set(part)
        rows = connection.execute(statement.order_by(table.c.received_ms, table.c.content_digest))
        found.extend(receipt_of_row(row) for row in rows if (row.installation, row.counter) in wanted)
    return found


@dataclass(frozen=True, slots=True)
class OwnReceipt:
    """A receipt of the office's own key; `refers` is the counter of the one that it corrects or voids."""

    counter: int
    donation_id: str
    kind: int
    amount_vnd: int
    refers: int | None
    issued_at_s: int
    token: str
    content_digest: str

    def printed_number(self, zone: tzinfo) -> str:
        """Return its number as it is printed."""
        return printed_number(self.issued_at_s, OFFICE_INSTALLATION, self.counter, zone)


_OWN = select(*(OfficeReceipt.__table__.c[name] for name in OwnReceipt.__dataclass_fields__))
_OWN_OF_DONATIONS = _OWN.where(among(OfficeReceipt.__table__.c.donation_id)).order_by(
    OfficeReceipt.__table__.c.counter
)


def office_receipt(connection: Connection, counter: int) -> OwnReceipt | None:
    """Return a receipt of the office's own key by its counter, None where there is none."""
    row = connection.execute(_OWN.where(OfficeReceipt.__table__.c.counter == counter)).one_or_none()
    return None if row is None else OwnReceipt(*row)


def newest_office_receipt(connection: Connection) -> OwnReceipt | None:
    """Return the office's newest receipt, None before the first."""
    row = connection.execute(_OWN.order_by(OfficeReceipt.__table__.c.counter.desc()).limit(1)).one_or_none()
    return None if row is None else OwnReceipt(*row)


def office_receipts_of(connection: Connection, donation_ids: Iterable[str]) -> dict[str, list[OwnReceipt]]:
    """Return the office's receipts of each of these donations that has any, in their order."""
    found: dict[str, list[OwnReceipt]] = {}
    for row in rows_among(connection, _OWN_OF_DONATIONS, donation_ids):
        found.setdefault(row.donation_id, []).append(OwnReceipt(*row))
    return found


def office_receipt_gaps(connection: Connection, most: int = 100) -> list[int]:
    """Return the numbers that the office's receipts leave out; there never are any."""
    counters = connection.scalars(
        select(OfficeReceipt.__table__.c.counter).order_by(OfficeReceipt.__table__.c.counter)
    )
    found, expected = list[int](), 1
    for counter in counters:
        found.extend(range(expected, min(counter, expected + most)))
        expected = counter + 1
    return found[:most]


def _receipt_after(connection: Connection, counter: int) -> OwnReceipt | None:
    """Return the receipt that corrects or voids this one, None where it stands."""
    column = OfficeReceipt.__table__.c
    row = connection.execute(
        _OWN.where(column.refers == counter).order_by(column.counter).limit(1)
    ).one_or_none()
    return None if row is None else OwnReceipt(*row)


def receipts_of_payments(connection: Connection, payment_ids: Iterable[str]) -> dict[str, list[KnownReceipt]]:
    """Return the receipts of each payment, by number."""
    table = Receipt.__table__
    found: dict[str, list[KnownReceipt]] = {payment_id: [] for payment_id in payment_ids}
    for part in chunks(sorted(found)):
        statement = table.select().where(table.c.payment_id.in_(part))
        for row in connection.execute(statement.order_by(table.c.installation, table.c.counter)):
            found[row.payment_id].append(receipt_of_row(row))
    return found


def open_incidents(connection: Connection) -> list[IncidentView]:
    """Return the numbers that two contents share, oldest first."""
    incident = ReceiptIncident.__table__.c
    columns = [incident[name] for name in IncidentView.__dataclass_fields__]
    statement = (
        select(*columns).where(incident.closed_ms.is_(None)).order_by(incident.opened_ms, incident.entry_id)
    )
    return [IncidentView(*row) for row in connection.execute(statement)]


def receipt_shown(connection: Connection, digits: str, office_key: PublicKey, zone: tzinfo) -> ShownReceipt:
    """Return what is true of `digits`, as far as the office remembers."""
    shown = _receipt_shown(connection, digits, office_key, zone)
    if shown.standing in NOT_REMEMBERED and is_recovering(connection):
        return replace(shown, standing=Standing.RECOVERING)
    return shown


def _receipt_shown(connection: Connection, digits: str, office_key: PublicKey, zone: tzinfo) -> ShownReceipt:
    try:
        parsed = parse_receipt(digits)
    except ReceiptMalformedError as error:
        return ShownReceipt(Standing.NOT_A_RECEIPT, error.reason)
    content = parsed.content
    keys = [
        (key.public_key, is_after_cut_off(content.counter, key.state, key.last_valid_counter))
        for key in device_keys_by_kid(connection, parsed.kid)
        if key.number == content.installation
    ]
    if content.installation == OFFICE_INSTALLATION and parsed.kid == office_key.kid:
        keys.append((office_key, False))
    if not keys:
        return ShownReceipt(Standing.KEY_UNKNOWN)
    cut_offs = [is_cut_off for key, is_cut_off in keys if is_signed_by(parsed, key)]
    if not cut_offs:
        return ShownReceipt(Standing.SIGNATURE_INVALID)
    if content.installation == OFFICE_INSTALLATION:
        return _of_the_office(connection, parsed, zone)
    same_number = receipts_of_numbers(connection, [(content.installation, content.counter)])
    digest = content_digest(parsed)
    receipt = next((one for one in same_number if one.content_digest == digest), None)
    standing = standing_of(receipt, is_number_taken=bool(same_number), is_cut_off=all(cut_offs))
    if receipt is None:
        return ShownReceipt(standing, content=content, number=receipt_number(content, zone))
    return _with_the_books(connection, parsed, receipt, standing, zone)


def _of_the_office(connection: Connection, parsed: ParsedReceipt, zone: tzinfo) -> ShownReceipt:
    """Return what is true of a receipt that the office's own key signed."""
    content, number = parsed.content, receipt_number(parsed.content, zone)
    known = office_receipt(connection, content.counter)
    if known is None:
        return ShownReceipt(Standing.UNKNOWN, content=content, number=number)
    if known.content_digest != content_digest(parsed):
        return ShownReceipt(Standing.QUARANTINED, content=content, number=number)
    later = _receipt_after(connection, known.counter)
    other = later if known.refers is None or later is not None else office_receipt(connection, known.refers)
    standing = Standing.RECONCILED
    if later is not None:
        standing = Standing.VOIDED if later.kind == ReceiptKind.VOID else Standing.REPLACED
    related = None if other is None else other.printed_number(zone)
    return ShownReceipt(standing, content=content, number=number, related_number=related)


def _with_the_books(
    connection: Connection, parsed: ParsedReceipt, receipt: KnownReceipt, standing: Standing, zone: tzinfo
) -> ShownReceipt:
    payment = payments_by_id(connection, [receipt.payment_id]).get(receipt.payment_id)
    payer = payment.payer_person_id if payment is not None else None
    organisation_key = organisations_of_workers(connection, [receipt.worker_id]).get(receipt.worker_id)
    office = None
    if organisation_key is not None:
        office = organisations_by_key(connection, [organisation_key]).get(organisation_key)
    return ShownReceipt(
        standing,
        content=parsed.content,
        number=receipt_number(parsed.content, zone),
        payer_initials=None if payer is None else initials_of(connection, [payer]).get(payer),
        office_name=None if office is None else office.name,
        method=None if payment is None else payment.method,
        related_number=_related_number(connection, receipt, zone),
        official=official_names(connection, [receipt]).get(receipt.key),
    )


def _related_number(connection: Connection, receipt: KnownReceipt, zone: tzinfo) -> str | None:
    """Return the number of the receipt that voids this one, or that this one voids."""
    is_void = receipt.kind == ReceiptKind.VOID
    if not is_void and receipt.state is not ReceiptState.VOIDED:
        return None
    for other in receipts_of_payments(connection, [receipt.payment_id])[receipt.payment_id]:
        if other.code is None and (other.kind == ReceiptKind.VOID) is not is_void:
            return other.printed_number(zone)
    return None


@dataclass(frozen=True, slots=True)
class StandingNumber:
    """The row that says now what the insurer's number of a receipt is; `name` None: that there is none."""

    id: str
    name: OfficialName | None


@dataclass(frozen=True, slots=True)
class ListedReceipt:
    """A receipt of money in the office's book, beside the insurer's number; `has_standing` one was said."""

    receipt: KnownReceipt
    number: str
    official: OfficialName | None
    has_standing: bool


_OFFICIAL = OfficialNumber.__table__.c
_STANDING_ROWS = select(OfficialNumber.__table__).where(_OFFICIAL.superseded_by.is_(None))


def standing_number(connection: Connection, receipt: KnownReceipt) -> StandingNumber | None:
    """Return what stands beside a receipt, None where nobody ever said anything."""
    installation, counter, digest = receipt.key
    statement = _STANDING_ROWS.where(
        _OFFICIAL.installation == installation,
        _OFFICIAL.counter == counter,
        _OFFICIAL.content_digest == digest,
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else StandingNumber(row.id, _official_name(row))


def holder_of_number(connection: Connection, name: OfficialName) -> str | None:
    """Return the row in which a number of a series stands; zeros before a number make no other one."""
    statement = select(_OFFICIAL.id).where(
        _OFFICIAL.superseded_by.is_(None),
        _OFFICIAL.series == name.series,
        _OFFICIAL.number_value == int(name.number),
    )
    found: str | None = connection.scalar(statement)
    return found


def official_names(
    connection: Connection, receipts: Iterable[KnownReceipt]
) -> dict[tuple[int, int, str], OfficialName]:
    """Return the insurer's number of each receipt that has one, by the receipt's key."""
    digests, found = sorted({receipt.content_digest for receipt in receipts}), {}
    for part in chunks(digests):
        for row in connection.execute(_STANDING_ROWS.where(_OFFICIAL.content_digest.in_(part))):
            name = _official_name(row)
            if name is not None:
                found[row.installation, row.counter, row.content_digest] = name
    return found


def _official_name(row: Any) -> OfficialName | None:
    return None if row.series is None else OfficialName(row.series, row.number)


def listed_receipts(
    connection: Connection,
    zone: tzinfo,
    days: tuple[int, int],
    worker_ids: Iterable[str] | None,
    *,
    is_missing: bool,
    limit: int,
    offset: int,
) -> list[ListedReceipt]:
    """Return sound receipts of money, issued in `days` (first and last second), the newest first.

    Of these workers (None: of all); `is_missing`: those without an insurer's number alone.
    """
    receipt, official = Receipt.__table__, OfficialNumber.__table__
    standing = and_(
        official.c.installation == receipt.c.installation,
        official.c.counter == receipt.c.counter,
        official.c.content_digest == receipt.c.content_digest,
        official.c.superseded_by.is_(None),
    )
    statement = (
        select(receipt, official.c.id.label("official_id"), official.c.series, official.c.number)
        .select_from(receipt.outerjoin(official, standing))
        .where(
            receipt.c.issued_at_s.between(*days),
            receipt.c.kind.in_(sorted(KIND_OF_SCHEME.values())),
            receipt.c.code.is_(None),
        )
        .order_by(receipt.c.issued_at_s.desc(), receipt.c.installation, receipt.c.counter.desc())
    )
    if worker_ids is not None:
        statement = statement.where(receipt.c.worker_id.in_(sorted(worker_ids)))
    if is_missing:
        statement = statement.where(official.c.series.is_(None))
    rows = connection.execute(statement.limit(limit).offset(offset)).all()
    return [
        ListedReceipt(
            receipt=known,
            number=known.printed_number(zone),
            official=_official_name(row),
            has_standing=row.official_id is not None,
        )
        for row, known in ((row, receipt_of_row(row)) for row in rows)
    ]
