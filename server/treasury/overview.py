"""Where funds stand, for the treasurer: every figure is the funds' own, this only puts them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.bank.queries import statement_checks, unmatched_sums
from server.bank.rules import PeriodCheck
from server.funds.accounts import ANY
from server.funds.buying import Buys, cards_bought
from server.funds.incoming import CHANNELS, came_in, carried_open, given_back, waiting_counts
from server.funds.office_queries import (
    FundState,
    PledgeState,
    all_funds,
    fund_by_number,
    pledges_fulfilled,
    pledges_of,
    pools,
    publications_of,
)
from server.funds.publications import DuePublication, PublicationState, due_publications
from server.funds.queries import FundStanding, cash_held, fund_standing
from server.funds.rules import DonorClass
from server.office.queries import areas_by_key, rate_tables, workers_by_id
from server.treasury.rules import CashAge, PledgeStanding, Promise, cash_age, pledge_standings
from server.treasury.rules import PledgeState as PledgeNow
from server.treasury.wording import CHANNEL_WORDS, Words, bucket_words
from sync.clock import local_day


@dataclass(frozen=True, slots=True)
class CameIn:
    """What one channel brought, by donor class, in đồng."""

    channel: str
    words: Words
    by_class_vnd: dict[str, int]

    @property
    def total_vnd(self) -> int:
        """Return what it brought in all."""
        return sum(self.by_class_vnd.values())


@dataclass(frozen=True, slots=True)
class Holder:
    """An agent who still holds cash of a fund; `oldest_ms` is when the oldest of it was taken."""

    worker_id: str
    name: str
    amount_vnd: int
    oldest_ms: int
    age: CashAge


@dataclass(frozen=True, slots=True)
class BucketLine:
    """Money for one restriction, in đồng."""

    bucket: str
    words: Words
    free_vnd: int
    in_hands_vnd: int
    reserved_vnd: int
    claimed_vnd: int
    spendable_vnd: int


@dataclass(frozen=True, slots=True)
class Promised:
    """What pledges still await, in đồng, and how many there are."""

    open_vnd: int = 0
    open_count: int = 0
    overdue_vnd: int = 0
    overdue_count: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for somebody: cards and payouts for a second person, cash for a confirmation."""

    cards: int
    payouts: int
    remittances: int


@dataclass(frozen=True, slots=True)
class FundGlance:
    """One fund of the list."""

    fund: FundState
    standing: FundStanding
    spendable_vnd: int
    in_hands_vnd: int
    unmatched_lines: int
    promised: Promised
    oldest: CashAge | None
    overdue: list[DuePublication]
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class FundPage:
    """Everything about one fund's money. `check` is the newest statement beside the lines that are kept."""

    glance: FundGlance
    came_in: list[CameIn]
    classes: list[str]
    bounced_vnd: int
    refunded_vnd: int
    unmatched: tuple[int, int, int]
    holders: list[Holder]
    publications: list[DuePublication]
    buckets: list[BucketLine]
    check: PeriodCheck | None
    buys: list[Buys]

    @property
    def received_vnd(self) -> int:
        """Return what came in by all channels."""
        return sum(each.total_vnd for each in self.came_in)

    @property
    def claimed_vnd(self) -> int:
        """Return what doors reported as transferred and no statement shows."""
        return sum(self.glance.standing.claimed_vnd.values())

    @property
    def committed_vnd(self) -> int:
        """Return what is reserved for approved cards."""
        return sum(self.glance.standing.reserved_vnd.values())


def glances(connection: Connection, now_ms: int, zone: ZoneInfo) -> list[FundGlance]:
    """Return every fund, the newest first."""
    return [glance_of(connection, fund, now_ms, zone) for fund in reversed(all_funds(connection))]


def fund_page(connection: Connection, number: int, now_ms: int, zone: ZoneInfo) -> FundPage | None:
    """Return one fund, None where there is none."""
    fund = fund_by_number(connection, number)
    if fund is None:
        return None
    glance = glance_of(connection, fund, now_ms, zone)
    channels, checks = came_in(connection, number), statement_checks(connection, number)
    bounced_vnd, refunded_vnd = given_back(connection, number)
    today = local_day(now_ms, zone)
    return FundPage(
        glance=glance,
        came_in=[
            CameIn(
                channel,
                CHANNEL_WORDS[channel],
                {each.value: channels.get((channel, each.value), 0) for each in DonorClass},
            )
            for channel in CHANNELS
        ],
        classes=[each.value for each in DonorClass],
        bounced_vnd=bounced_vnd,
        refunded_vnd=refunded_vnd,
        unmatched=unmatched_sums(connection, number),
        holders=holders(connection, number, now_ms),
        publications=publications(connection, fund, today, zone),
        buckets=_bucket_lines(connection, glance.standing),
        check=checks[-1] if checks else None,
        buys=cards_bought(glance.spendable_vnd, rate_tables(connection), today),
    )


def glance_of(connection: Connection, fund: FundState, now_ms: int, zone: ZoneInfo) -> FundGlance:
    """Return what the list of funds says of one."""
    standing, today = fund_standing(connection, fund.number), local_day(now_ms, zone)
    held = cash_held(connection, fund.number)
    cards, payouts = waiting_counts(connection, fund.number)
    at_office = [each for each in carried_open(connection, fund.number) if each.destination == "office"]
    due = publications(connection, fund, today, zone)
    return FundGlance(
        fund=fund,
        standing=standing,
        # No more than the whole fund has, and so no more than what may be promised together.
        spendable_vnd=max(0, min(sum(standing.spendable_vnd.values()), sum(standing.here_vnd.values()))),
        in_hands_vnd=sum(each.amount_vnd for each in held),
        unmatched_lines=unmatched_sums(connection, fund.number)[0],
        promised=promised(pledges_on(connection, fund.number, today)),
        oldest=cash_age(held[0].oldest_ms, now_ms) if held else None,
        overdue=[each for each in due if each.state is PublicationState.OVERDUE],
        waiting=Waiting(cards, payouts, len(at_office)),
    )


def holders(connection: Connection, fund: int, now_ms: int) -> list[Holder]:
    """Return who still holds cash of a fund, the oldest first."""
    held = cash_held(connection, fund)
    workers = workers_by_id(connection, {each.worker_id for each in held})
    return [
        Holder(
            each.worker_id,
            workers[each.worker_id].name if each.worker_id in workers else "–",
            each.amount_vnd,
            each.oldest_ms,
            cash_age(each.oldest_ms, now_ms),
        )
        for each in held
    ]


def publications(
    connection: Connection, fund: FundState, today: date, zone: ZoneInfo
) -> list[DuePublication]:
    """Return what a fund has to publish, and how that stands."""
    done = {kind: local_day(at_ms, zone) for kind, at_ms in publications_of(connection, fund.number).items()}
    return due_publications(fund.days, done, today)


def pledges_on(connection: Connection, fund: int, today: date) -> list[tuple[PledgeState, PledgeStanding]]:
    """Return a fund's pledges, each with how it stands on a day."""
    taken = pledges_of(connection, fund)
    promises = [
        Promise(each.id, each.amount_vnd, each.due_on, each.cancelled_ms is not None) for each in taken
    ]
    standings = pledge_standings(promises, pledges_fulfilled(connection, fund), today)
    return list(zip(taken, standings, strict=True))


def promised(pledges: Iterable[tuple[PledgeState, PledgeStanding]]) -> Promised:
    """Return what pledges still await."""
    states = [standing for _, standing in pledges]
    still_open = [each.awaited_vnd for each in states if each.state is PledgeNow.OPEN]
    overdue = [each.awaited_vnd for each in states if each.state is PledgeNow.OVERDUE]
    return Promised(sum(still_open), len(still_open), sum(overdue), len(overdue))


def bucket_names(connection: Connection, buckets: Iterable[str]) -> dict[str, Words]:
    """Return what money of each of these buckets is for."""
    buckets = set(buckets)
    keys = {one.removeprefix("area:") for one in buckets if one.startswith("area:")}
    areas = {key: area.name for key, area in areas_by_key(connection, keys).items()}
    named = pool_words(connection)
    return {bucket: bucket_words(bucket, areas, named) for bucket in buckets}


def pool_words(connection: Connection) -> dict[str, Words]:
    """Return the name of every pool."""
    return {pool.code: (pool.name, pool.name_en) for pool in pools(connection)}


def _bucket_lines(connection: Connection, standing: FundStanding) -> list[BucketLine]:
    buckets = {
        *standing.free_vnd,
        *standing.in_hands_vnd,
        *standing.reserved_vnd,
        *standing.claimed_vnd,
        *standing.spendable_vnd,
    }
    names = bucket_names(connection, buckets)
    return [
        BucketLine(
            bucket,
            names[bucket],
            standing.free_vnd.get(bucket, 0),
            standing.in_hands_vnd.get(bucket, 0),
            standing.reserved_vnd.get(bucket, 0),
            standing.claimed_vnd.get(bucket, 0),
            standing.spendable_vnd.get(bucket, 0),
        )
        for bucket in sorted(buckets, key=lambda one: (one != ANY, names[one]))
    ]
