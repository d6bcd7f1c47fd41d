"""What the public sees of a fund, gathered from one snapshot and kept until something changes.

What is kept is a cache alone: it is a function of the database and the day, so that every worker answers
alike. A ledger only grows, so the count of a fund's lines names its state, and what was summed of older
lines need not be summed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from server.audit.queries import change_count, is_recovering
from server.devices.queries import all_installations
from server.funds.accounts import FREE
from server.funds.buying import Buys, cards_bought
from server.funds.publications import DuePublication, due_publications
from server.funds.published import (
    PlacedCards,
    PublishedFund,
    placed_cards,
    pool_names,
    published_at,
    published_funds,
)
from server.funds.queries import cash_arrived
from server.money.views import (
    DayTally,
    PostedSpan,
    fund_day_tallies,
    fund_line_count,
    moved_beside,
    newest_fund_posting_ms,
)
from server.office.queries import AreaNode, areas_by_key, rate_tables
from server.public_ledger.figures import CardStage, Figures, added, figures_of, in_hands
from server.public_ledger.roots import Root, latest_root
from server.public_ledger.suppression import shown_table
from server.quotas.completeness import lost_tablets
from server.quotas.periods import completeness_of, period_end_ms
from sync.clock import local_day

STAGES = tuple(stage.value for stage in CardStage)
_SUSPENSE = "suspense"
_HOUR_MS = 60 * 60 * 1000
# Lines that are summed at each change: those of the last hour, unless there are more than these.
_TAIL_MOST = 2_000


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One row of a table of cards: a commune or a pool. None is hidden."""

    key: str
    name: str
    name_en: str
    cards: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class SyncState:
    """How much may be missing: tablets that may hold something up to the end of `through`."""

    through: date
    tablets: int
    outstanding: int
    is_recovering: bool


@dataclass(frozen=True, slots=True)
class PublicFund:
    """Everything that is public of a fund. Tables are None where they are withheld."""

    fund: PublishedFund
    figures: Figures
    communes: tuple[PlaceRow, ...] | None
    pools: tuple[PlaceRow, ...] | None
    buys: tuple[Buys, ...]
    priced_on: date
    publications: tuple[DuePublication, ...]
    sync: SyncState
    root: Root | None
    posted_ms: int | None

    @property
    def is_open(self) -> bool:
        """Return whether it takes donations on the day of the figures."""
        closes = self.fund.closes_on
        return self.fund.opens_on <= self.priced_on and (closes is None or self.priced_on <= closes)


@dataclass(frozen=True, slots=True)
class _Older:
    """What lines posted before a moment come to; `taken_vnd` is cash of each agent's suspense account."""

    before_ms: int
    lines: int
    tallies: tuple[DayTally, ...]
    taken_vnd: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Ledger:
    """A state of a fund's ledger, folded, and the cards that it counts."""

    lines: int
    figures: Figures
    placed: tuple[PlacedCards, ...]


class PublicLedger:
    """Answers what is public of funds; keeps what it summed. Safe in several threads: it replaces, whole."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._older: dict[int, _Older] = {}
        self._ledgers: dict[int, _Ledger] = {}
        self._funds: tuple[tuple[int, date], list[PublicFund]] | None = None

    def funds(self, connection: Connection, now_ms: int) -> list[PublicFund]:
        """Return every fund, the newest first."""
        today = local_day(now_ms, self._zone)
        state = (change_count(connection), today)
        kept = self._funds
        if kept is not None and kept[0] == state:
            return kept[1]
        sync, root = self._sync_state(connection, now_ms, today), latest_root(connection)
        fresh = [self._fund(connection, fund, today, sync, root) for fund in published_funds(connection)]
        # What is still the same stays the same object, so that pages drawn of it are known to be right.
        had = {} if kept is None else {one.fund.number: one for one in kept[1]}
        found = [old if (old := had.get(one.fund.number)) == one else one for one in fresh]
        self._funds = (state, found)
        return found

    def fund(self, connection: Connection, number: int, now_ms: int) -> PublicFund | None:
        """Return one fund, None where there is none."""
        return next((one for one in self.funds(connection, now_ms) if one.fund.number == number), None)

    def _fund(
        self, connection: Connection, fund: PublishedFund, today: date, sync: SyncState, root: Root | None
    ) -> PublicFund:
        ledger = self._ledger(connection, fund.number)
        published = {
            kind: local_day(at_ms, self._zone)
            for kind, at_ms in published_at(connection, fund.number).items()
        }
        return PublicFund(
            fund=fund,
            figures=ledger.figures,
            communes=_commune_rows(connection, ledger.placed),
            pools=_pool_rows(connection, ledger.placed),
            buys=tuple(cards_bought(ledger.figures.spendable_vnd, rate_tables(connection), today)),
            priced_on=today,
            publications=tuple(due_publications(fund.days, published, today)),
            sync=sync,
            root=root,
            posted_ms=newest_fund_posting_ms(connection, fund.number),
        )

    def _sync_state(self, connection: Connection, now_ms: int, today: date) -> SyncState:
        through, tablets = today - timedelta(days=1), all_installations(connection)
        known = completeness_of(
            tablets, lost_tablets(connection, tablets), {}, period_end_ms(through, self._zone), now_ms
        )
        return SyncState(through, known.installations, len(known.outstanding), is_recovering(connection))

    def _ledger(self, connection: Connection, fund: int) -> _Ledger:
        lines, kept = fund_line_count(connection, fund), self._ledgers.get(fund)
        if kept is not None and kept.lines == lines:
            return kept
        older, tail = self._older_and_tail(connection, fund, lines)
        rest = PostedSpan(since_ms=older.before_ms)
        tallies = added(older.tallies, tail)
        taken = _summed(older.taken_vnd, moved_beside(connection, fund, FREE, _SUSPENSE, rest))
        by_worker = {account.partition(":")[2]: amount_vnd for account, amount_vnd in taken.items()}
        figures = figures_of(tallies, in_hands(by_worker, cash_arrived(connection, fund)))
        found = _Ledger(lines, figures, tuple(placed_cards(connection, fund)))
        self._ledgers[fund] = found
        return found

    def _older_and_tail(self, connection: Connection, fund: int, lines: int) -> tuple[_Older, list[DayTally]]:
        """Return sums of older lines, moved on where the rest grew long, and sums of the rest."""
        older = self._older.get(fund)
        until_ms = (newest_fund_posting_ms(connection, fund) or 0) - _HOUR_MS
        if older is not None:
            tail = fund_day_tallies(connection, fund, PostedSpan(since_ms=older.before_ms))
            tail_lines = sum(tally.lines for tally in tail)
            # A line can come with an old time, from a change that waited long: then the counts differ.
            if older.lines + tail_lines != lines:
                older = None
            elif tail_lines <= _TAIL_MOST or until_ms <= older.before_ms:
                return older, tail
        since_ms = None if older is None else older.before_ms
        span = PostedSpan(since_ms, until_ms)
        tallies = fund_day_tallies(connection, fund, span)
        taken = moved_beside(connection, fund, FREE, _SUSPENSE, span)
        found = _Older(
            until_ms,
            sum(tally.lines for tally in tallies) + (0 if older is None else older.lines),
            tuple(added(() if older is None else older.tallies, tallies)),
            _summed({} if older is None else older.taken_vnd, taken),
        )
        self._older[fund] = found
        return found, fund_day_tallies(connection, fund, PostedSpan(since_ms=until_ms))


def _summed(some: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: some.get(name, 0) + more.get(name, 0) for name in {*some, *more}}


def _commune_rows(connection: Connection, placed: Iterable[PlacedCards]) -> tuple[PlaceRow, ...] | None:
    placed = list(placed)
    areas = areas_by_key(connection, {each.area_key for each in placed})
    above = areas_by_key(connection, {key for area in areas.values() for key in area.path})
    keys = {key: _commune_of(area, above) for key, area in areas.items()}
    counts = _counts((keys.get(each.area_key, each.area_key), each) for each in placed)
    named = {key: (above[key].name, above[key].name) if key in above else (key, key) for key in counts}
    return _rows(counts, named)


def _commune_of(area: AreaNode, above: Mapping[str, AreaNode]) -> str:
    """Return the commune that an area lies in; an area that lies in none stands for itself."""
    return next((key for key in area.path if key in above and above[key].level == "commune"), area.key)


def _pool_rows(connection: Connection, placed: Iterable[PlacedCards]) -> tuple[PlaceRow, ...] | None:
    named = pool_names(connection)
    return _rows(_counts((each.pool, each) for each in placed), named)


def _counts(placed: Iterable[tuple[str, PlacedCards]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, each in placed:
        counts[key][each.stage] += each.cards
    return {key: dict(cells) for key, cells in counts.items()}


def _rows(
    counts: Mapping[str, Mapping[str, int]], named: Mapping[str, tuple[str, str]]
) -> tuple[PlaceRow, ...] | None:
    shown = _shown(tuple(sorted((key, tuple(sorted(cells.items()))) for key, cells in counts.items())))
    if shown is None:
        return None
    rows = [PlaceRow(key, *named.get(key, (key, key)), cells) for key, cells in shown.items()]
    # By name, since an order by hidden sums would tell of them.
    return tuple(sorted(rows, key=lambda row: (row.name, row.key)))


@lru_cache(maxsize=64)
def _shown(
    counts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...],
) -> dict[str, dict[str, int | None]] | None:
    """Return a table with its hidden cells, worked out once for the same counts."""
    return shown_table({key: dict(cells) for key, cells in counts}, STAGES)
