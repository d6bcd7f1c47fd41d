"""The lists of the treasurer's pages: nominations, cards, payouts, donations, cash that was carried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from sqlalchemy import Connection

from server.access.queries import logins_by_account
from server.bank.queries import matched_targets
from server.dashboard.rules import Listing, paged
from server.funds.incoming import (
    Carried,
    DoorDonationState,
    carried_open,
    door_donation_by_id,
    door_donations_of,
)
from server.funds.nominations import NominationStanding, NominationView, nominations_of
from server.funds.office_queries import (
    AllocationState,
    OfficeDonationState,
    PayoutState,
    allocations_of,
    office_donation_by_id,
    office_donations_of,
    payouts_of,
    refunded_vnd,
)
from server.funds.payouts import unpaid_cards
from server.funds.rules import MatchKind, Stage
from server.funds.wording import EXCLUSION_WORDS
from server.office.queries import areas_by_key, areas_on, workers_by_id
from server.people.queries import persons_by_id
from server.receipts.queries import OwnReceipt, office_receipts_of
from server.treasury.overview import bucket_names, pool_words
from server.treasury.wording import EVIDENCE_WORDS, Words

LIST_LINES = 50
_ACCOUNT = "account:"


@dataclass(frozen=True, slots=True)
class NominationLine:
    """A nominated person, and what speaks against a card. `against` is None where nothing does."""

    id: str
    name: str
    birth_date: date | None
    area: str
    pool: Words
    evidence: Words
    agent: str
    day: date
    standing: NominationStanding
    against: Words | None
    reason: str | None
    can_be_proposed: bool


@dataclass(frozen=True, slots=True)
class CardLine:
    """A card with the person whom it is for, and who proposed it."""

    card: AllocationState
    name: str
    area: str
    pool: Words
    bucket: Words
    proposed_by: str
    approved_by: str | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """Money to leave the account; `is_paid`: the statement shows it."""

    payout: PayoutState
    proposed_by: str
    approved_by: str | None
    is_own: bool
    is_paid: bool
    cards: int
    bucket: Words | None


@dataclass(frozen=True, slots=True)
class DonationLine:
    """A donation from a door or of the office; `is_here`: its money came in."""

    id: str
    day: date
    is_door: bool
    way: str
    donor_class: str
    amount_vnd: int
    bucket: Words
    is_here: bool
    is_gone: bool
    by: str


@dataclass(frozen=True, slots=True)
class DonationPage:
    """One donation; `receipts` are the office's own."""

    line: DonationLine
    fund: int
    refunded_vnd: int
    is_bounced: bool
    receipts: list[OwnReceipt]
    office: OfficeDonationState | None

    @property
    def left_vnd(self) -> int:
        """Return what could still be given back."""
        if not self.line.is_here or self.line.is_gone or self.is_bounced:
            return 0
        return self.line.amount_vnd - self.refunded_vnd


@dataclass(frozen=True, slots=True)
class CarriedLine:
    """Cash that an agent says was carried away."""

    carried: Carried
    name: str


def nomination_lines(
    connection: Connection, fund: int, today: date, standing: NominationStanding, page: int
) -> tuple[list[NominationLine], Listing, dict[NominationStanding, int]]:
    """Return the nominations of one standing, in the order of their capture, and how many each has."""
    views = nominations_of(connection, fund, today)
    counts = dict.fromkeys(NominationStanding, 0)
    for view in views:
        counts[view.standing] += 1
    wanted = [view for view in views if view.standing is standing]
    start = (page - 1) * LIST_LINES
    shown, listing = paged(wanted[start : start + LIST_LINES + 1], page, LIST_LINES)
    return _nominated(connection, shown), listing, counts


def _nominated(connection: Connection, views: Sequence[NominationView]) -> list[NominationLine]:
    named = pool_words(connection)
    areas = areas_by_key(connection, {view.nomination.area_key for view in views})
    workers = workers_by_id(connection, {view.nomination.worker_id for view in views})
    found = []
    for view in views:
        nomination, code = view.nomination, view.verdict.code
        worker, area = workers.get(nomination.worker_id), areas.get(nomination.area_key)
        found.append(
            NominationLine(
                id=nomination.entry_id,
                name="–" if view.person is None else view.person.full_name,
                birth_date=None if view.person is None else view.person.birth_date,
                area=nomination.area_key if area is None else area.name,
                pool=named.get(nomination.pool, (nomination.pool,) * 2),
                evidence=EVIDENCE_WORDS[nomination.evidence],
                agent="–" if worker is None else worker.name,
                day=nomination.business_day,
                standing=view.standing,
                against=None if code is None else EXCLUSION_WORDS[code],
                reason=None if view.decision is None else view.decision.reason,
                can_be_proposed=view.can_be_proposed,
            )
        )
    return found


def card_lines(
    connection: Connection, fund: int, stage: Stage, page: int, account_id: str
) -> tuple[list[CardLine], Listing, dict[Stage, int]]:
    """Return the cards at one stage in the order of their proposal, and how many each stage has."""
    cards = allocations_of(connection, fund)
    counts = dict.fromkeys(Stage, 0)
    for card in cards:
        counts[card.stage] += 1
    wanted = [card for card in cards if card.stage is stage]
    start = (page - 1) * LIST_LINES
    shown, listing = paged(wanted[start : start + LIST_LINES + 1], page, LIST_LINES)
    return lines_of_cards(connection, shown, account_id), listing, counts


def lines_of_cards(
    connection: Connection, cards: Sequence[AllocationState], account_id: str
) -> list[CardLine]:
    """Return cards with the names that a page needs."""
    people = persons_by_id(connection, {card.person_id for card in cards})
    areas = areas_by_key(connection, {card.area_key for card in cards})
    named, buckets = pool_words(connection), bucket_names(connection, {card.bucket for card in cards})
    logins = chain_names(
        connection, {one for card in cards for one in (card.proposed_by, card.approved_by) if one}
    )
    return [
        CardLine(
            card=card,
            name=people[card.person_id].full_name if card.person_id in people else "–",
            area=areas[card.area_key].name if card.area_key in areas else card.area_key,
            pool=named.get(card.pool, (card.pool, card.pool)),
            bucket=buckets[card.bucket],
            proposed_by=logins[card.proposed_by],
            approved_by=None if card.approved_by is None else logins[card.approved_by],
            is_own=card.proposed_by == f"{_ACCOUNT}{account_id}",
        )
        for card in cards
    ]


def payout_lines(
    connection: Connection, fund: int, account_id: str
) -> tuple[list[PayoutLine], list[AllocationState]]:
    """Return a fund's payouts, the newest first, and the issued cards that none of them pays."""
    payouts, cards = payouts_of(connection, fund), allocations_of(connection, fund)
    paid = {
        kind: matched_targets(connection, fund, match.value)
        for kind, match in (("premium", MatchKind.PREMIUM), ("refund", MatchKind.REFUND))
    }
    logins = chain_names(
        connection, {one for each in payouts for one in (each.proposed_by, each.approved_by) if one}
    )
    buckets = bucket_names(connection, {each.bucket for each in payouts if each.bucket is not None})
    lines = [
        PayoutLine(
            payout=each,
            proposed_by=logins[each.proposed_by],
            approved_by=None if each.approved_by is None else logins[each.approved_by],
            is_own=each.proposed_by == f"{_ACCOUNT}{account_id}",
            is_paid=each.id in paid[each.kind],
            cards=sum(card.payout_id == each.id for card in cards),
            bucket=None if each.bucket is None else buckets[each.bucket],
        )
        for each in reversed(payouts)
    ]
    return lines, unpaid_cards(cards)


def donation_lines(
    connection: Connection, fund: int, page: int, *, is_door: bool
) -> tuple[list[DonationLine], Listing]:
    """Return a fund's donations from doors, or those that the office took down, the newest first."""
    start = (page - 1) * LIST_LINES
    if is_door:
        doors = door_donations_of(connection, fund, limit=LIST_LINES + 1, offset=start)
        shown, listing = paged(doors, page, LIST_LINES)
        return _door_lines(connection, fund, shown), listing
    taken = list(reversed(office_donations_of(connection, fund)))
    own, listing = paged(taken[start : start + LIST_LINES + 1], page, LIST_LINES)
    return _office_lines(connection, fund, own), listing


def donation_page(connection: Connection, fund: int, donation_id: str) -> DonationPage | None:
    """Return one donation of a fund, None where there is none."""
    office, door = office_donation_by_id(connection, donation_id), None
    if office is None:
        door = door_donation_by_id(connection, donation_id)
    found = office or door
    if found is None or found.fund != fund:
        return None
    lines = (
        _office_lines(connection, fund, [office])
        if office is not None
        else _door_lines(connection, fund, [door] if door is not None else [])
    )
    return DonationPage(
        line=lines[0],
        fund=fund,
        refunded_vnd=refunded_vnd(connection, donation_id),
        is_bounced=donation_id in matched_targets(connection, fund, MatchKind.BOUNCE.value),
        receipts=office_receipts_of(connection, [donation_id]).get(donation_id, []),
        office=office,
    )


def _door_lines(
    connection: Connection, fund: int, donations: Sequence[DoorDonationState]
) -> list[DonationLine]:
    matched = matched_targets(connection, fund, MatchKind.DOOR_DONATION.value)
    workers = workers_by_id(connection, {each.worker_id for each in donations})
    buckets = bucket_names(connection, {each.bucket for each in donations})
    return [
        DonationLine(
            id=each.entry_id,
            day=each.business_day,
            is_door=True,
            way=each.method,
            donor_class=each.donor_class,
            amount_vnd=each.amount_vnd,
            bucket=buckets[each.bucket],
            is_here=each.method == "cash" or each.entry_id in matched,
            is_gone=each.voided_by is not None,
            by=workers[each.worker_id].name if each.worker_id in workers else "–",
        )
        for each in donations
    ]


def _office_lines(
    connection: Connection, fund: int, donations: Sequence[OfficeDonationState]
) -> list[DonationLine]:
    matched = matched_targets(connection, fund, MatchKind.OFFICE_DONATION.value)
    buckets = bucket_names(connection, {each.bucket for each in donations})
    logins = chain_names(connection, {each.actor for each in donations})
    return [
        DonationLine(
            id=each.id,
            day=each.day,
            is_door=False,
            way=each.channel,
            donor_class=each.donor_class,
            amount_vnd=each.amount_vnd,
            bucket=buckets[each.bucket],
            is_here=each.channel == "cash" or each.id in matched,
            is_gone=each.reversed_ms is not None,
            by=logins[each.actor],
        )
        for each in donations
    ]


def carried_lines(connection: Connection, fund: int) -> list[CarriedLine]:
    """Return the cash that agents say was carried away and nobody confirmed, the oldest first."""
    carried = carried_open(connection, fund)
    workers = workers_by_id(connection, {each.worker_id for each in carried})
    return [
        CarriedLine(each, workers[each.worker_id].name if each.worker_id in workers else "–")
        for each in carried
    ]


def area_choices(connection: Connection, today: date) -> list[tuple[str, str]]:
    """Return (bucket, name) of every area that money can be for, by name."""
    return sorted(
        ((f"area:{area.key}", area.name) for area in areas_on(connection, today)),
        key=lambda each: (each[1], each[0]),
    )


def chain_names(connection: Connection, chains: Iterable[str]) -> dict[str, str]:
    """Return the log-in names behind audit chains; whatever is no account stands for itself."""
    chains = set(chains)
    accounts = {chain.removeprefix(_ACCOUNT) for chain in chains if chain.startswith(_ACCOUNT)}
    logins = logins_by_account(connection, accounts)
    return {chain: logins.get(chain.removeprefix(_ACCOUNT), chain) for chain in chains}


def receipt_numbers(receipts: Iterable[OwnReceipt], zone: tzinfo) -> dict[int, str]:
    """Return the printed number of each receipt, by its counter."""
    return {each.counter: each.printed_number(zone) for each in receipts}
