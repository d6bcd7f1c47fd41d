"""New, renewal, repeat or pending; and what was gained and lost since a baseline. Pure.

Persons are put together by their numbers: whatever lines and enrolments share a number, directly or
through others, is about one person. Nothing here depends on the order in which anything arrived.

An enrolment that is in effect (paid for, not voided) is, by the first rule that applies:

1. repeat: its first day lies in the period of an earlier enrolment of the same person and scheme;
2. renewal: the latest line of the register before its day, or an earlier enrolment, shows validity within
   N days before it. N is a dated table; without a row for the day nothing is decided: pending;
3. new, "returned": the person is known from before, and validity ended longer ago;
4. new, "not_listed": a whole register of an earlier day does not list the person, though every line of it
   carries a number of a kind that the person has;
5. pending: whoever cannot be looked up is not new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from msgspec import Struct

SCHEMES = ("voluntary", "health")
STANDINGS = ("new", "renewal", "pending", "repeat")
LAPSE_REASONS = ("not_renewed", "cannot_afford", "moved", "other_scheme", "deceased", "other")
UNSTATED = "unstated"
# What may have become of a person since a baseline; nobody else is told of.
NEW, LAPSED, KEPT, UNMATCHED = "new", "lapsed", "kept", "unmatched"


class Listing(Struct, frozen=True, gc=False):
    """A line of the register. `numbers` are `<kind>:<blind index>`; `valid_from` None: from before."""

    numbers: frozenset[str]
    as_of: date
    valid_to: date
    valid_from: date | None = None
    area_key: str | None = None
    lapse_reason: str | None = None

    def covers(self, day: date) -> bool:
        """Return whether the person was insured on a day, as far as this line knows."""
        return (self.valid_from is None or self.valid_from <= day) and day <= self.valid_to


class Joining(Struct, frozen=True, gc=False):
    """An enrolment in effect. `person` is the record or the cluster of records that it is about."""

    fact_id: str
    person: str
    numbers: frozenset[str]
    day: date
    upper_ms: int
    from_day: date
    until: date
    declared: str
    agent_id: str
    area_key: str
    campaign: int | None

    @property
    def captured_order(self) -> tuple[int, str]:
        """The place of this enrolment among all others, as in every contest."""
        return (self.upper_ms, self.fact_id)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A named stock of one scheme: what its source says was insured as of a day."""

    scheme: str
    code: str
    name: str
    as_of: date
    persons: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """From `valid_from` on, validity within so many days before an enrolment makes it a renewal."""

    scheme: str
    valid_from: date
    days: int
    source: str = ""
    is_assumption: bool = True


class Standing(Struct, frozen=True, gc=False):
    """What an enrolment is, and why; `prior_until`: the last day of validity known from before."""

    standing: str
    reason: str
    prior_until: date | None = None


class Fate(Struct, frozen=True, gc=False):
    """What has become of one person since a baseline, and in which area."""

    fate: str
    area_key: str | None
    reason: str | None = None


class _Person(Struct, gc=False):
    """Everything that is known of one person: tuples, since most have one line and nothing else."""

    listings: tuple[Listing, ...] = ()
    joinings: tuple[Joining, ...] = ()
    numbers: frozenset[str] = frozenset()
    records: tuple[str, ...] = ()

    def take_over(self, other: _Person) -> None:
        """Be the other one too."""
        self.listings += other.listings
        self.joinings += other.joinings
        self.numbers |= other.numbers
        self.records += other.records


@dataclass(frozen=True, slots=True)
class _Stock:
    """A baseline with what the register lists as of its day."""

    baseline: Baseline
    listed: int
    kinds: frozenset[str]

    @property
    def is_whole(self) -> bool:
        return self.listed == self.baseline.persons


class Register:
    """One scheme's register with the enrolments of that scheme, put together by person."""

    def __init__(
        self,
        listings: Iterable[Listing],
        joinings: Iterable[Joining],
        baselines: Iterable[Baseline],
        windows: Iterable[Window],
    ) -> None:
        listings, joinings = list(listings), list(joinings)
        self._persons = _persons_of(listings, joinings)
        self._windows = sorted(windows, key=lambda each: each.valid_from)
        self._stocks = sorted(
            (self._stock(each) for each in baselines),
            key=lambda each: (each.baseline.as_of, each.baseline.code),
        )

    def listed_as_of(self, baseline: Baseline) -> int:
        """Return how many persons the register lists as insured on the baseline's own day."""
        return next(each.listed for each in self._stocks if each.baseline == baseline)

    def window_on(self, day: date) -> Window | None:
        """Return the rule of a day."""
        begun = [each for each in self._windows if each.valid_from <= day]
        return begun[-1] if begun else None

    def standings(self) -> dict[str, Standing]:
        """Return what each enrolment is."""
        found = {}
        for person in self._persons:
            earlier: list[Joining] = []
            for joining in sorted(person.joinings, key=lambda each: each.captured_order):
                found[joining.fact_id] = self._standing(person, earlier, joining)
                earlier.append(joining)
        return found

    def fates(self, baseline: Baseline, day: date) -> list[Fate]:
        """Return what has become, by `day`, of everybody who was or is insured."""
        stock = next(each for each in self._stocks if each.baseline == baseline)
        floor = self._floor(day)
        found = (self._fate(person, stock, day, floor) for person in self._persons)
        return [fate for fate in found if fate is not None]

    def insured_on(self, day: date) -> int | None:
        """Return how many are known to be insured on a day; None where no line is as old as that."""
        if not any(each.as_of <= day for person in self._persons for each in person.listings):
            return None
        floor = self._floor(day)
        return sum(bool(_current(person, day, floor)) for person in self._persons)

    def _floor(self, day: date) -> date | None:
        """Return the day of the newest whole register: it says who is insured, older lines no longer do."""
        whole = [each.baseline.as_of for each in self._stocks if each.is_whole and each.baseline.as_of <= day]
        return max(whole, default=None)

    def _stock(self, baseline: Baseline) -> _Stock:
        at, listed = baseline.as_of, 0
        kinds: set[frozenset[str]] = set()
        for person in self._persons:
            lines = [each for each in person.listings if each.as_of == at and each.covers(at)]
            if lines:
                listed += 1
                kinds.update(frozenset(map(_kind, each.numbers)) for each in lines)
        common = frozenset.intersection(*kinds) if kinds else frozenset(_EVERY_KIND)
        return _Stock(baseline, listed, common)

    def _standing(self, person: _Person, earlier: Sequence[Joining], joining: Joining) -> Standing:
        if any(each.from_day <= joining.from_day <= each.until for each in earlier):
            return Standing("repeat", "same_period", max(each.until for each in earlier))
        before = [each for each in person.listings if each.as_of < joining.day]
        ends = [each.until for each in earlier]
        if before:
            newest = max(each.as_of for each in before)
            ends += [each.valid_to for each in before if each.as_of == newest]
        prior = max(ends, default=None)
        window = self.window_on(joining.day)
        if window is None:
            return Standing("pending", "no_window", prior)
        if prior is not None:
            is_renewal = prior >= joining.day - timedelta(days=window.days)
            return (
                Standing("renewal", "valid_before", prior)
                if is_renewal
                else Standing("new", "returned", prior)
            )
        return self._unlisted(person, joining.day)

    def _unlisted(self, person: _Person, day: date) -> Standing:
        """Return what an enrolment of somebody is whom the register does not list before `day`."""
        if not person.numbers:
            return Standing("pending", "no_number")
        whole = [each for each in self._stocks if each.is_whole and each.baseline.as_of < day]
        if not whole:
            return Standing("pending", "no_register")
        if any(_is_comparable(person, each) for each in whole):
            return Standing("new", "not_listed")
        return Standing("pending", "not_comparable")

    def _fate(self, person: _Person, stock: _Stock, day: date, floor: date | None) -> Fate | None:
        at = stock.baseline.as_of
        base = [each for each in person.listings if each.as_of == at and each.covers(at)]
        current = _current(person, day, floor)
        if base:
            area = min((each.area_key for each in base if each.area_key), default=None)
            return Fate(KEPT, area) if current else Fate(LAPSED, area, _reason(person, at, day))
        if not current:
            return None
        is_new = stock.is_whole and _is_comparable(person, stock)
        return Fate(NEW if is_new else UNMATCHED, next((area for area in current if area), None))


def _current(person: _Person, day: date, floor: date | None) -> list[str | None]:
    """Return the areas under which somebody is insured on a day, enrolments before lines; none: is not."""
    found: list[str | None] = []
    if person.joinings:
        joined = [each for each in person.joinings if each.day <= day and each.from_day <= day <= each.until]
        found += [each.area_key for each in sorted(joined, key=lambda each: each.captured_order)]
    newest = floor
    listed: list[Listing] = []
    for each in person.listings:
        if each.as_of <= day and (newest is None or each.as_of >= newest):
            # A newer line is believed alone; of one day there may be two, under two numbers.
            listed = [*listed, each] if each.as_of == newest else [each]
            newest = each.as_of
    areas = [each.area_key for each in listed if each.covers(day)]
    return found + (sorted(areas, key=lambda each: each or "") if len(areas) > 1 else areas)


_EVERY_KIND = ("insurance_number", "national_id")


def _kind(number: str) -> str:
    return number.partition(":")[0]


def _is_comparable(person: _Person, stock: _Stock) -> bool:
    """Return whether the person would have been found in the stock, had it listed them."""
    return any(_kind(number) in stock.kinds for number in person.numbers)


def _reason(person: _Person, since: date, until: date) -> str:
    """Return why somebody lapsed, as the newest line that says so has it."""
    stated = [
        (each.as_of, each.lapse_reason)
        for each in person.listings
        if each.lapse_reason is not None and since <= each.as_of <= until
    ]
    return max(stated)[1] if stated else UNSTATED


def _persons_of(listings: Sequence[Listing], joinings: Sequence[Joining]) -> list[_Person]:
    """Put together whatever shares a number, whichever comes first."""
    by_number: dict[str, _Person] = {}
    for listing in listings:
        _person_with(by_number, listing.numbers).listings += (listing,)
    for joining in joinings:
        # The id of a record finds the record, and is no number that a register could list.
        record = f"person:{joining.person}"
        person = _person_with(by_number, joining.numbers, by_number.get(record))
        by_number[record] = person
        person.records += (record,)
        person.joinings += (joining,)
    return list({id(person): person for person in by_number.values()}.values())


def _person_with(
    by_number: dict[str, _Person], numbers: frozenset[str], person: _Person | None = None
) -> _Person:
    """Return the one person who has these numbers; those who were thought to be others become one."""
    for number in numbers:
        known = by_number.get(number)
        if person is None:
            person = known
        elif known is not None and known is not person:
            if len(known.numbers) > len(person.numbers):
                person, known = known, person
            person.take_over(known)
            for token in (*known.numbers, *known.records):
                by_number[token] = person
    if person is None:
        person = _Person(numbers=numbers)
    elif not numbers <= person.numbers:
        person.numbers |= numbers
    for number in numbers:
        by_number[number] = person
    return person


@dataclass(frozen=True, slots=True)
class NetChange:
    """A stock against a named baseline. `lapsed` by reason; `unmatched`: insured, and not looked up."""

    baseline: Baseline
    day: date
    listed: int
    stock: int
    new: int
    lapsed: Mapping[str, int]
    unmatched: int

    @property
    def lost(self) -> int:
        """Return how many lapsed."""
        return sum(self.lapsed.values())

    @property
    def net(self) -> int:
        """Return new less lapsed: what is certain."""
        return self.new - self.lost

    @property
    def net_most(self) -> int:
        """Return what the net change is at most, once everybody who is unmatched has been looked up.

        Whoever is matched later is new, or is somebody who was counted as lapsed: one more both ways. Or
        somebody who was counted as kept: then nothing changes.
        """
        return self.net + self.unmatched

    @property
    def is_whole(self) -> bool:
        """Return whether the register lists as many as the baseline's source says."""
        return self.listed == self.baseline.persons


def net_change(baseline: Baseline, day: date, listed: int, fates: Iterable[Fate]) -> NetChange:
    """Add up what has become of these persons."""
    counts: dict[str, int] = defaultdict(int)
    lapsed: dict[str, int] = defaultdict(int)
    for fate in fates:
        counts[fate.fate] += 1
        if fate.fate == LAPSED:
            lapsed[fate.reason or UNSTATED] += 1
    return NetChange(
        baseline=baseline,
        day=day,
        listed=listed,
        stock=counts[KEPT] + counts[LAPSED],
        new=counts[NEW],
        lapsed=dict(sorted(lapsed.items(), key=lambda each: (-each[1], each[0]))),
        unmatched=counts[UNMATCHED],
    )
