"""What pages show, as values: freshness, lines of the board, pages of a list. Pure.

The thresholds are the field's own (docs/architecture.md, glossary): an agent whose tablet has
been heard within three days is fresh, within seven stale, after that silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

_DAY_MS = 24 * 60 * 60 * 1000
FRESH_DAYS = 3
STALE_DAYS = 7
# Every office's agents fit on one page of the board; more than this is paged.
BOARD_LINES = 300
LIST_LINES = 25
# How deep a list can be leafed through: further back is the export's work.
PAGES_MOST = 2_000
INSTALLATION_TONES = {"active": "good", "fenced": "bad", "revoked": "bad", "superseded": "idle"}


class DeviceHeard(Protocol):
    """What the sync column needs of an installation."""

    @property
    def state(self) -> str:
        """Return its state."""

    @property
    def last_sync_ms(self) -> int | None:
        """Return when it was last heard."""

    @property
    def unsent(self) -> int:
        """Return how many entries it had not delivered then."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """How old what we have of an agent is, and how much the tablet kept back when it last reported."""

    last_sync_ms: int | None
    freshness: str
    unsent: int | None
    reported_ms: int | None


@dataclass(frozen=True, slots=True)
class PlanFigure:
    """A quota of one plan beside what is expected of it by today.

    `quoted_percent` is what somebody published, as text ("107"); it is shown and never computed with.
    """

    kind: str
    quota: int | None
    expected: int | None
    quoted_percent: str | None = None
    is_mismatched: bool = False


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One holder of quotas. `plans` holds one figure per plan of the board, in its order.

    `standing`: final, may_move (through what other agents recorded) or provisional.
    `is_minimum_met`: whether the plan's minimums are met, None where none is asked of this holder.
    """

    holder: str
    name: str
    organisation: str | None
    team: str | None
    done: int
    plans: tuple[PlanFigure, ...]
    worker_id: str | None
    sync: SyncState | None = None
    standing: str = "provisional"
    is_minimum_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a page stands in its list; `first` and `last` count from 1."""

    page: int
    first: int
    last: int
    has_older: bool


_Item = TypeVar("_Item")


def paged(items: Sequence[_Item], page: int, lines: int) -> tuple[list[_Item], Listing]:
    """Return the lines of one page and its place; `items` holds one more than fits if there are more."""
    shown = list(items[:lines])
    first = (page - 1) * lines + 1
    return shown, Listing(page, first, first + len(shown) - 1, len(items) > lines)


def freshness_of(last_sync_ms: int | None, now_ms: int) -> str:
    """Return "fresh" up to 3 days, "stale" above, "silent" above 7, "never" without any sync."""
    if last_sync_ms is None:
        return "never"
    age_ms = now_ms - last_sync_ms
    if age_ms <= FRESH_DAYS * _DAY_MS:
        return "fresh"
    return "stale" if age_ms <= STALE_DAYS * _DAY_MS else "silent"


def sync_of_one(device: DeviceHeard, now_ms: int) -> SyncState:
    """Return the sync state of one installation, a replaced one too."""
    is_known = device.last_sync_ms is not None and device.state != "fenced"
    return SyncState(
        last_sync_ms=device.last_sync_ms,
        freshness=freshness_of(device.last_sync_ms, now_ms),
        unsent=device.unsent if is_known else None,
        reported_ms=device.last_sync_ms,
    )


def sync_of(installations: Iterable[DeviceHeard], now_ms: int) -> SyncState:
    """Return the sync state of an agent: of the tablets that still have something to deliver.

    A replaced tablet's journal was carried over by its successor, so it no longer counts. What a
    fenced one still holds is not known: two journals claim its name. The age of the unsent count is
    that of the report least recently made.
    """
    counted = [each for each in installations if each.state != "superseded"]
    is_known = not any(each.state == "fenced" for each in counted)
    heard = [each.last_sync_ms for each in counted if each.last_sync_ms is not None]
    last_sync_ms = max(heard, default=None)
    return SyncState(
        last_sync_ms=last_sync_ms,
        freshness=freshness_of(last_sync_ms, now_ms),
        unsent=sum(each.unsent for each in counted) if heard and is_known else None,
        reported_ms=min(heard, default=None),
    )


def totals_of(lines: Sequence[BoardLine]) -> tuple[PlanFigure, ...]:
    """Return the sum of every plan over the lines."""
    totals = []
    for position, first in enumerate(lines[0].plans if lines else ()):
        figures = [line.plans[position] for line in lines]
        expected = [figure.expected for figure in figures if figure.expected is not None]
        totals.append(
            PlanFigure(
                kind=first.kind,
                quota=sum(figure.quota or 0 for figure in figures),
                expected=sum(expected) if expected else None,
            )
        )
    return tuple(totals)


def sorted_lines(lines: Iterable[BoardLine], order: str) -> list[BoardLine]:
    """Return the lines in one of the board's orders; "behind" puts first who lags most."""
    by_name = sorted(lines, key=lambda line: (vietnamese_order(line.name), line.holder))
    if order == "name":
        return by_name
    keys = {"behind": _lead, "done": _negative_done, "sync": _last_heard, "unsent": _negative_unsent}
    return sorted(by_name, key=keys[order])


HOLDER_KINDS = ("agent", "team", "promoter", "organisation", "area", "office")
BOARD_ORDERS = ("behind", "name", "done", "sync", "unsent")


def _lead(line: BoardLine) -> float:
    figure = line.plans[-1] if line.plans else None
    if figure is None or figure.expected is None or not figure.quota:
        return float(line.done)
    return (line.done - figure.expected) / figure.quota


def _negative_done(line: BoardLine) -> float:
    figure = line.plans[-1] if line.plans else None
    return -line.done / figure.quota if figure is not None and figure.quota else 0.0


def _last_heard(line: BoardLine) -> int:
    return (line.sync.last_sync_ms or 0) if line.sync is not None else 0


def _negative_unsent(line: BoardLine) -> int:
    return -(line.sync.unsent or 0) if line.sync is not None else 0


_LETTERS = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệfghiìỉĩíịjklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvwxyỳỷỹýỵz"
_RANK = {letter: rank for rank, letter in enumerate(_LETTERS)}


def vietnamese_order(name: str) -> tuple[tuple[int, ...], ...]:
    """Return a key that sorts names as Vietnamese lists do: by the given name, which comes last."""
    words = name.casefold().split()
    given_first = words[-1:] + words[:-1]
    return tuple(tuple(_RANK.get(letter, 1000 + ord(letter)) for letter in word) for word in given_first)
