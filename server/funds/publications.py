"""What a fund has to publish, and until when: dated rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class PublicationKind(StrEnum):
    """What is published."""

    CALL = "call"
    RECEIVED = "received"
    DISTRIBUTED = "distributed"


class PublicationState(StrEnum):
    """How a publication stands on a day."""

    DUE = "due"
    OVERDUE = "overdue"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PublicationRule:
    """From `valid_from` on, `kind` is due within so many days after the day that it follows."""

    kind: PublicationKind
    valid_from: date
    days: int
    source: str


@dataclass(frozen=True, slots=True)
class FundDays:
    """The days of a fund that publications follow."""

    opens_on: date
    closes_on: date | None = None
    distribution_ended_on: date | None = None

    def day_of(self, kind: PublicationKind) -> date | None:
        """Return the day that a publication follows, None where it is not known yet."""
        match kind:
            case PublicationKind.CALL:
                return self.opens_on
            case PublicationKind.RECEIVED:
                return self.closes_on
            case PublicationKind.DISTRIBUTED:
                return self.distribution_ended_on


@dataclass(frozen=True, slots=True)
class DuePublication:
    """One publication, until when, and how it stands."""

    kind: PublicationKind
    due_on: date
    state: PublicationState
    published_on: date | None
    source: str

    @property
    def is_late(self) -> bool:
        """Return whether it was published after its last day."""
        return self.published_on is not None and self.published_on > self.due_on


_DECREE = "Nghị định 93/2021/NĐ-CP"
_IN_FORCE = date(2021, 12, 11)
# A fund from before the decree keeps the same days, by assumption: the first row of a kind has no floor.
PUBLICATION_RULES = (
    PublicationRule(PublicationKind.CALL, _IN_FORCE, 0, _DECREE),
    PublicationRule(PublicationKind.RECEIVED, _IN_FORCE, 15, _DECREE),
    PublicationRule(PublicationKind.DISTRIBUTED, _IN_FORCE, 30, _DECREE),
)


def due_publications(
    fund: FundDays,
    publications: Mapping[str, date],
    today: date,
    rules: Sequence[PublicationRule] = PUBLICATION_RULES,
) -> list[DuePublication]:
    """Return what a fund has to publish and whose day is known, in order of the law.

    `publications` maps what was published to the day on which it was.
    """
    found = []
    for kind in PublicationKind:
        follows, published_on = fund.day_of(kind), publications.get(kind.value)
        if follows is None:
            continue
        rule = _rule_on(rules, kind, follows)
        due_on = follows + timedelta(days=rule.days)
        if published_on is not None:
            state = PublicationState.DONE
        else:
            state = PublicationState.OVERDUE if today > due_on else PublicationState.DUE
        found.append(DuePublication(kind, due_on, state, published_on, rule.source))
    return found


def _rule_on(rules: Sequence[PublicationRule], kind: PublicationKind, day: date) -> PublicationRule:
    of_kind = sorted((rule for rule in rules if rule.kind is kind), key=lambda rule: rule.valid_from)
    begun = [rule for rule in of_kind if rule.valid_from <= day]
    return begun[-1] if begun else of_kind[0]
