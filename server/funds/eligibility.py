"""Whether a nominated person may be given a card: dated conditions of the pool, then what excludes. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

EVIDENCE_KINDS = (
    "poor_book",
    "near_poor_book",
    "subsidy_decision",
    "return_paper",
    "id_card",
    "commune_confirmation",
    "other",
)
_MOST_AGE, _MOST_INSURED_DAYS = 150, 366


class Exclusion(StrEnum):
    """Why a nominated person gets no card."""

    PERSON_UNKNOWN = "person_unknown"
    CONSENT_MISSING = "consent_missing"
    RULE_MISSING = "rule_missing"
    BIRTH_DATE_MISSING = "birth_date_missing"
    TOO_YOUNG = "too_young"
    TOO_OLD = "too_old"
    EVIDENCE_NOT_ACCEPTED = "evidence_not_accepted"
    ALREADY_INSURED = "already_insured"
    HOLDS_A_CARD = "holds_a_card"
    ALLOCATED_BEFORE = "allocated_before"
    NOMINATED_BEFORE = "nominated_before"


class RuleMalformedError(ValueError):
    """A pool's conditions say something that nobody can apply; the message names it."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Who belongs to a pool: ages in completed years, both included; none accepted means no evidence is.

    Who is insured for more than `insured_days` after the day of decision needs no card.
    """

    evidence: frozenset[str]
    age_from: int | None = None
    age_to: int | None = None
    insured_days: int = 0

    def as_json(self) -> str:
        """Return the text that is kept."""
        members = {
            "evidence": sorted(self.evidence),
            "age_from": self.age_from,
            "age_to": self.age_to,
            "insured_days": self.insured_days,
        }
        return json.dumps(members, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class PoolRule:
    """The conditions of a pool from a day on."""

    pool: str
    valid_from: date
    conditions: Conditions
    source: str
    is_assumption: bool


@dataclass(frozen=True, slots=True)
class OtherClaim:
    """What else the same person (by number or cluster) was nominated for or given.

    `exclusion` is what it excludes by; `until` the last day of a card.
    """

    exclusion: Exclusion
    id: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a nominated person."""

    evidence: str
    is_known: bool
    has_consent: bool
    birth_date: date | None
    insured_until: date | None
    others: tuple[OtherClaim, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """None where the person may be given a card, or why not; `about` is the other row that excludes."""

    code: Exclusion | None = None
    about: str | None = None
    until: date | None = None

    @property
    def is_eligible(self) -> bool:
        """Return whether nothing excludes."""
        return self.code is None


def read_conditions(members: Mapping[str, Any]) -> Conditions:
    """Return conditions that were given as JSON members. Raises RuleMalformedError."""
    unknown = sorted(set(members) - {"evidence", "age_from", "age_to", "insured_days"})
    if unknown:
        raise RuleMalformedError(unknown[0])
    evidence = members.get("evidence")
    if not isinstance(evidence, list) or not evidence or set(map(str, evidence)) - set(EVIDENCE_KINDS):
        raise RuleMalformedError("evidence")
    for name in ("age_from", "age_to"):
        if members.get(name) is not None and not _is_whole(members[name], _MOST_AGE):
            raise RuleMalformedError(name)
    age_from, age_to = members.get("age_from"), members.get("age_to")
    if age_from is not None and age_to is not None and age_to < age_from:
        raise RuleMalformedError("age_to")
    insured_days = members.get("insured_days", 0)
    if not _is_whole(insured_days, _MOST_INSURED_DAYS):
        raise RuleMalformedError("insured_days")
    return Conditions(frozenset(evidence), age_from, age_to, insured_days)


def rule_on(rules: Iterable[PoolRule], pool: str, day: date) -> PoolRule | None:
    """Return the rule of a pool on a day."""
    begun = [rule for rule in rules if rule.pool == pool and rule.valid_from <= day]
    return max(begun, key=lambda rule: rule.valid_from, default=None)


def age_on(birth_date: date, day: date) -> int:
    """Return the completed years of age on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def verdict_on(candidate: Candidate, conditions: Conditions | None, day: date) -> Verdict:
    """Return whether a candidate may be given a card on a day, with the first reason why not."""
    if not candidate.is_known:
        return Verdict(Exclusion.PERSON_UNKNOWN)
    if not candidate.has_consent:
        return Verdict(Exclusion.CONSENT_MISSING)
    if conditions is None:
        return Verdict(Exclusion.RULE_MISSING)
    code = _unmet(candidate, conditions, day)
    if code is not None:
        return Verdict(code)
    last_free_day = day + timedelta(days=conditions.insured_days)
    if candidate.insured_until is not None and candidate.insured_until > last_free_day:
        return Verdict(Exclusion.ALREADY_INSURED, until=candidate.insured_until)
    return _claimed_before(candidate.others, last_free_day)


def _unmet(candidate: Candidate, conditions: Conditions, day: date) -> Exclusion | None:
    if candidate.evidence not in conditions.evidence:
        return Exclusion.EVIDENCE_NOT_ACCEPTED
    if conditions.age_from is None and conditions.age_to is None:
        return None
    if candidate.birth_date is None:
        return Exclusion.BIRTH_DATE_MISSING
    age = age_on(candidate.birth_date, day)
    if conditions.age_from is not None and age < conditions.age_from:
        return Exclusion.TOO_YOUNG
    if conditions.age_to is not None and age > conditions.age_to:
        return Exclusion.TOO_OLD
    return None


def _claimed_before(others: Sequence[OtherClaim], last_free_day: date) -> Verdict:
    for code in (Exclusion.HOLDS_A_CARD, Exclusion.ALLOCATED_BEFORE, Exclusion.NOMINATED_BEFORE):
        for other in sorted(others, key=lambda each: each.id):
            # A card that ends soon is renewed by a new nomination.
            if other.exclusion is code and (other.until is None or other.until > last_free_day):
                return Verdict(code, other.id, other.until)
    return Verdict()


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most
