"""What a line of the statement can be: suggestions with their reasons, and the few that need no person. Pure.

A line and what it could be (a *target*) are together a candidate where the amounts are equal and the days
near. Words of the line make it more: a donor's or an agent's name, or a mark that only this target has (a
receipt's number, a pledge's code, a reference). A match is made without a person only where the candidate
is the best one, alone, of both its line and its target. The order in which either comes makes no difference.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from typing import TypeVar

from schemas.names import search_key
from server.funds.rules import MatchKind

# Days that a line may come before and after what it could be. Offices take transfers down later than banks.
_WINDOWS: Mapping[MatchKind, tuple[int, int]] = {
    MatchKind.DOOR_DONATION: (2, 10),
    MatchKind.OFFICE_DONATION: (15, 10),
    MatchKind.REMITTANCE: (1, 7),
    MatchKind.PREMIUM: (1, 60),
    MatchKind.REFUND: (1, 60),
    MatchKind.BOUNCE: (0, 30),
}
_NAME_WORDS = range(2, 9)
_MARK_WORDS = range(1, 6)
# A shorter mark would be found in amounts and dates too.
_SHORTEST_MARK = 5
_CODE = re.compile(r"tn[0-9]{1,6}c[0-9a-z]{8}")
_FUND_CODE = re.compile(r"\btn([0-9]{1,6})(?:c[0-9a-z]{8})?\b")
_NOT_WORDS = re.compile(r"[\W_]+")
_DEPOSIT_WORDS = ("nop tien mat", "nop tm", "nop tien vao tk", "cash deposit")
_OWN_WORDS = (
    "lai tien gui",
    "lai nhap goc",
    "tra lai tai khoan",
    "phi quan ly",
    "thu phi",
    "phi dich vu",
    "phi sms",
)
_Found = TypeVar("_Found")


class Ground(IntEnum):
    """How well a line's words speak for a target, the best last."""

    AMOUNT = 0
    NAME = 1
    MARK = 2


class Reason(StrEnum):
    """Why a line may be something."""

    AMOUNT = "amount_equal"
    NAME = "name_in_text"
    MARK = "mark_in_text"
    FUND_CODE = "fund_code_in_text"
    DEPOSIT_WORDS = "deposit_words"
    OWN_WORDS = "bank_words"


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that nothing stands matched with; `text` is everything that it says."""

    id: str
    day: date
    amount_vnd: int
    text: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a line could be. `amount_vnd` is signed as the line's would be; `day` is when it was said.

    `names` are of people, `marks` anything that is this target's alone.
    """

    kind: MatchKind
    id: str
    amount_vnd: int
    day: date
    names: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """Return what the target is known by: a donation is one thing given, another taken back."""
        return self.kind.value, self.id


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a line could be; `target_id` None where there is no row of it, or none yet."""

    kind: MatchKind
    target_id: str | None
    reasons: tuple[Reason, ...]


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: without diacritics, letters and digits alone."""
    return _NOT_WORDS.sub(" ", search_key(text)).split()


def automatic_matches(lines: Iterable[OpenLine], targets: Iterable[Target]) -> dict[str, Target]:
    """Return the lines that can be one thing alone, which no other line can be, by line."""
    index = _Index(targets)
    of_line: dict[str, list[tuple[Ground, Target]]] = {}
    of_target = defaultdict[tuple[str, str], list[tuple[Ground, str]]](list)
    for line in lines:
        found = index.grounded(line)
        if found:
            of_line[line.id] = [(ground, target) for target, ground in found.items()]
            for target, ground in found.items():
                of_target[target.key].append((ground, line.id))
    matches = {}
    for line_id, candidates in of_line.items():
        best = _alone(candidates)
        if best is not None and _alone(of_target[best.key]) == line_id:
            matches[line_id] = best
    return matches


def _alone(candidates: Sequence[tuple[Ground, _Found]]) -> _Found | None:
    """Return the candidate of the best ground, None where there are two of it."""
    best = max(ground for ground, _ in candidates)
    top = [each for ground, each in candidates if ground is best]
    return top[0] if len(top) == 1 else None


def suggestions(line: OpenLine, targets: Iterable[Target], fund: int, most: int = 5) -> list[Suggestion]:
    """Return what a line could be, the best first; a person decides."""
    words = words_of(line.text)
    text = f" {' '.join(words)} "
    ranked = []
    for target in targets:
        if is_near(line, target):
            grounds = _Index([target]).grounded(line).get(target, Ground.AMOUNT)
            reasons = (Reason.AMOUNT, *_WORDS_OF_GROUND[grounds])
            distance = abs((line.day - target.day).days)
            ranked.append((-grounds, distance, target.kind.value, target.id, reasons, target))
    ranked.sort(key=lambda each: each[:4])
    found = [Suggestion(each[5].kind, each[5].id, each[4]) for each in ranked[:most]]
    if any(each in text for each in _OWN_WORDS):
        found.append(Suggestion(MatchKind.NOTHING, None, (Reason.OWN_WORDS,)))
    if line.amount_vnd > 0:
        if any(each in text for each in _DEPOSIT_WORDS):
            found.append(Suggestion(MatchKind.DEPOSIT, None, (Reason.DEPOSIT_WORDS,)))
        if any(int(each) == fund for each in _FUND_CODE.findall(text)):
            found.append(Suggestion(MatchKind.OFFICE_DONATION, None, (Reason.FUND_CODE,)))
    return found


_WORDS_OF_GROUND: Mapping[Ground, tuple[Reason, ...]] = {
    Ground.AMOUNT: (),
    Ground.NAME: (Reason.NAME,),
    Ground.MARK: (Reason.MARK,),
}


def is_near(line: OpenLine, target: Target) -> bool:
    """Return whether the amounts are equal and the days near enough."""
    if line.amount_vnd != target.amount_vnd:
        return False
    before, after = _WINDOWS[target.kind]
    return -before <= (line.day - target.day).days <= after


class _Index:
    """Targets by amount and words, so that not every line is held against every target."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._marks = defaultdict[tuple[int, str], list[Target]](list)
        self._names = defaultdict[tuple[int, str], list[Target]](list)
        # A premium is paid by the office itself, on a second person's word, to the đồng.
        self._premiums = defaultdict[int, list[Target]](list)
        for target in targets:
            amount = target.amount_vnd
            for mark in {"".join(words_of(each)) for each in target.marks}:
                if len(mark) >= _SHORTEST_MARK:
                    self._marks[amount, mark].append(target)
            for name in {" ".join(words_of(each)) for each in target.names}:
                if name.count(" ") + 1 in _NAME_WORDS:
                    self._names[amount, name].append(target)
            if target.kind is MatchKind.PREMIUM:
                self._premiums[amount].append(target)
        self._amounts = {amount for amount, _ in (*self._marks, *self._names)} | set(self._premiums)

    def grounded(self, line: OpenLine) -> dict[Target, Ground]:
        """Return the targets for which more speaks than the amount, with how well it does."""
        amount = line.amount_vnd
        if amount not in self._amounts:
            return {}
        found = {target: Ground.AMOUNT for target in self._premiums.get(amount, ()) if is_near(line, target)}
        words = words_of(line.text)
        for name in _runs(words, _NAME_WORDS, " "):
            for target in self._names.get((amount, name), ()):
                if is_near(line, target):
                    found[target] = Ground.NAME
        codes = _CODE.findall("".join(words))
        for mark in (*_runs(words, _MARK_WORDS, ""), *codes):
            for target in self._marks.get((amount, mark), ()):
                if is_near(line, target):
                    found[target] = Ground.MARK
        return found


def _runs(words: Sequence[str], lengths: range, between: str) -> Iterable[str]:
    """Return every run of so many words that stand together."""
    for length in lengths:
        for start in range(len(words) - length + 1):
            yield between.join(words[start : start + length])
